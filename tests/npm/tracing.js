// Spans of adds and pushes as a collector of OpenTelemetry decodes them, and that a collector which hangs
// costs nothing but its spans.
// usage: node tracing.js DIRECTORY-OF-CARILLOND

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";

import proto from "@opentelemetry/otlp-transformer/build/src/generated/root.js";

import { Receiver, Server, until } from "./carillon.js";

const Request = proto.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
const bin = process.argv[2];
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";

/// Ids are hex in OTLP's JSON, where protobuf's own JSON has base64 for bytes.
function toBytes(json) {
  return JSON.parse(json, (key, value) =>
    ["traceId", "spanId", "parentSpanId"].includes(key) ? Buffer.from(value, "hex").toString("base64") : value,
  );
}

/// Reads it by the published messages, and back: what these do not know, or know otherwise, would be lost.
function decode(json) {
  const given = toBytes(json);
  const message = Request.decode(Request.encode(Request.fromObject(given)).finish());
  const again = Request.toObject(message, { longs: String, bytes: String });
  assert.deepEqual(again, given);
  return message.resourceSpans;
}

const hex = (bytes) => Buffer.from(bytes ?? []).toString("hex");
const attribute = (span, key) => {
  const found = span.attributes.find((one) => one.key === key)?.value;
  return found?.stringValue || (found && Number(found.intValue));
};

/// Takes spans, or does not answer.
class Collector {
  static async start({ hangs = false } = {}) {
    const collector = new Collector();
    collector.spans = [];
    collector.requests = 0;
    collector.server = createServer(async (request, response) => {
      const pieces = [];
      for await (const piece of request) pieces.push(piece);
      ++collector.requests;
      if (hangs) return;
      assert.equal(request.headers["content-type"], "application/json");
      for (const { resource, scopeSpans } of decode(Buffer.concat(pieces).toString())) {
        assert.equal(attribute(resource, "service.name"), "carillon");
        for (const { spans } of scopeSpans) collector.spans.push(...spans);
      }
      response.end("{}");
    });
    collector.server.listen(0, "127.0.0.1");
    await once(collector.server, "listening");
    collector.config = `[tracing]\notlp_url = "http://127.0.0.1:${collector.server.address().port}/v1/traces"\n`;
    return collector;
  }

  /// The spans of that name and task, once there are as many.
  of(name, task, count = 1) {
    const found = () =>
      this.spans.filter((span) => span.name === name && (!task || attribute(span, "carillon.task.id") === task));
    return until(`${count} spans ${name} of ${task}`, () => found().length >= count && found());
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}

function add(server, id, target, more = {}, flags = "01") {
  return fetch(`${server.url}/v1/tasks`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      traceparent: `00-${TRACE}-${CALLER}-${flags}`,
      tracestate: "shop=7",
    },
    body: JSON.stringify({ id, delay: "100ms", target, ...more }),
  });
}

async function withTracing(config, hangs, test) {
  const collector = await Collector.start({ hangs });
  const receiver = await Receiver.start();
  const server = await Server.start(bin, collector.config + config);
  try {
    await test(server, receiver, collector);
  } finally {
    await server.stop();
    await receiver.stop();
    await collector.stop();
  }
}

/// The add within its caller's trace; the commit and the waiting within the add.
async function checkAdd(collector, task) {
  const [added] = await collector.of("add");
  assert.equal(hex(added.traceId), TRACE);
  assert.equal(hex(added.parentSpanId), CALLER);
  assert.equal(added.kind, 2);
  assert.equal(attribute(added, "http.response.status_code"), 201);
  const [commit] = await collector.of("commit");
  const [wait] = await collector.of("wait", task);
  for (const span of [commit, wait]) {
    assert.equal(hex(span.traceId), TRACE);
    assert.equal(hex(span.parentSpanId), hex(added.spanId));
  }
  assert.ok(BigInt(commit.startTimeUnixNano) >= BigInt(added.startTimeUnixNano));
  assert.ok(BigInt(commit.endTimeUnixNano) <= BigInt(added.endTimeUnixNano));
  assert.ok(BigInt(wait.endTimeUnixNano) - BigInt(wait.startTimeUnixNano) >= 100_000_000n);
  return added;
}

/// What the receiver heard names the span of the push.
function heard(push, span) {
  assert.equal(push.headers.traceparent, `00-${hex(span.traceId)}-${hex(span.spanId)}-01`);
}

await withTracing("", false, async (server, receiver, collector) => {
  assert.equal((await add(server, "one", receiver.url)).status, 201);
  const push = await receiver.push("one");
  const added = await checkAdd(collector, "one");
  const [pushed] = await collector.of("push", "one");
  assert.notEqual(hex(pushed.traceId), TRACE);
  assert.equal(hex(pushed.parentSpanId), "");
  assert.deepEqual(pushed.links.map((link) => [hex(link.traceId), hex(link.spanId)]), [[TRACE, hex(added.spanId)]]);
  assert.equal(attribute(pushed, "http.response.status_code"), 200);
  heard(push, pushed);
  assert.equal(push.headers.tracestate, undefined);

  // Retries: each a trace of its own, linked to the add.
  const retry = { max_attempts: 2, backoff_min: "1ms", backoff_max: "1ms" };
  await add(server, "fails", "http://127.0.0.1:9/", { retry });
  const failed = await collector.of("push", "fails", 2);
  assert.deepEqual(failed.map((span) => attribute(span, "carillon.attempt")), [1, 2]);
  assert.notEqual(hex(failed[0].traceId), hex(failed[1].traceId));
  assert.equal(hex(failed[0].links[0].spanId), hex(failed[1].links[0].spanId));
  for (const { status } of failed) assert.ok(status.code === 2 && status.message !== "");

  // What nobody sampled, or has no trace, makes no span and goes on as it came.
  await add(server, "unsampled", receiver.url, {}, "00");
  const plain = await receiver.push("unsampled");
  assert.equal(plain.headers.traceparent, `00-${TRACE}-${CALLER}-00`);
  assert.equal(plain.headers.tracestate, "shop=7");
  const before = collector.spans.length;
  await server.call("POST", "/v1/tasks", { id: "untraced", delay: 0, target: receiver.url });
  assert.equal((await receiver.push("untraced")).headers.traceparent, undefined);
  await new Promise((done) => setTimeout(done, 1500)); // longer than spans wait for company
  assert.equal(collector.spans.length, before);
});

await withTracing('trace = "child"\n', false, async (server, receiver, collector) => {
  await add(server, "one", receiver.url);
  const push = await receiver.push("one");
  const added = await checkAdd(collector, "one");
  const [pushed] = await collector.of("push", "one");
  assert.equal(hex(pushed.traceId), TRACE);
  assert.equal(hex(pushed.parentSpanId), hex(added.spanId));
  assert.equal(pushed.links.length, 0);
  assert.equal(pushed.traceState, "shop=7");
  heard(push, pushed);
  assert.equal(push.headers.tracestate, "shop=7");
});

/// How long the slowest of these adds takes, in ms.
async function slowest(server, receiver, name, count) {
  let longest = 0;
  for (let at = 0; at < count; at += 50) {
    const began = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => add(server, `${name}-${at + i}`, receiver.url)),
    );
    assert.ok(answers.every(({ status }) => status === 201));
    longest = Math.max(longest, performance.now() - began);
  }
  await until("all of them to arrive", () => receiver.pushes.length >= count);
  return longest;
}

// Four spans a task, more than there is room for.
await withTracing("", true, async (server, receiver, collector) => {
  const longest = await slowest(server, receiver, "hung", 3000);
  assert.ok(collector.requests >= 1, "the collector has a request that it does not answer");
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const made = Number(metrics.match(/^carillon_spans_total (\d+)/m)[1]);
  const dropped = Number(metrics.match(/^carillon_spans_dropped_total (\d+)/m)[1]);
  assert.equal(made, 4 * 3000);
  assert.ok(dropped >= made - 8192 - 2048, `${dropped} dropped`);
  console.log(`[ figures  ] a collector that hangs: ${made} spans, ${dropped} dropped; the slowest 50 adds took ${Math.round(longest)} ms`);
});
