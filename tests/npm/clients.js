// Clients that others wrote, against a real server: curl, wrk, h2load and Node's fetch. Whatever each
// says that it has done, the server says that it has.
// usage: node clients.js DIRECTORY-OF-CARILLOND

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { run, withServer } from "./carillon.js";

const DUE = { delay: "1d", target: "http://127.0.0.1:9/" };
const JSON_TYPE = "content-type: application/json";

/// How many more tasks wait after `work` than before.
async function added(server, work) {
  const before = await server.scheduled();
  await work();
  return (await server.scheduled()) - before;
}

/// Status and body of one call.
async function curl(args, input) {
  const out = await run("curl", ["--silent", "--show-error", "--write-out", "\n%{http_code}", ...args], input);
  const end = out.lastIndexOf("\n");
  return { status: Number(out.slice(end + 1)), body: out.slice(0, end) };
}

async function check_curl(server) {
  const tasks = `${server.url}/v1/tasks`;
  const task = (id, more = {}) => JSON.stringify({ id, ...DUE, ...more });
  const statuses = [];
  const call = async (...given) => {
    const answer = await curl(...given);
    statuses.push(answer.status);
    return answer;
  };
  const count = await added(server, async () => {
    await call([tasks, "-H", JSON_TYPE, "-d", task("curl 1")]);
    await call([tasks, "--http1.0", "-H", JSON_TYPE, "-d", task("curl/2")]);
    await call([tasks, "-H", JSON_TYPE, "-H", "transfer-encoding: chunked", "-d", "@-"], task("c3"));
    const large = task("c4", { body: "x".repeat(900_000) });
    await call([tasks, "-H", JSON_TYPE, "-H", "expect: 100-continue", "-d", "@-"], large);
    await call([tasks, "-H", JSON_TYPE, "-d", "@-"], task("c5", { body: "x".repeat(1_200_000) }));
    await call([tasks, "--http2", "-H", JSON_TYPE, "-d", task("c6")]);
    await call(["--unix-socket", join(server.dir, "socket"), "http://h/v1/tasks", "-H", JSON_TYPE,
      "-d", task("c7")]);
    await call([`${tasks}/curl%2F2`, "-X", "PATCH", "-H", JSON_TYPE, "-d", '{"delay":"2d"}']);
    await call([`${tasks}/curl%201`, "-X", "DELETE"]);
    await call([`${tasks}/curl%201`]);
    await call([`${tasks}/c6`, "--head"]);
  });
  assert.deepEqual(statuses, [201, 201, 201, 201, 413, 201, 201, 200, 200, 200, 200]);
  assert.equal(count, 5);
}

async function check_wrk(server) {
  const script = join(server.dir, "post.lua");
  writeFileSync(script, `
    wrk.method = "POST"
    wrk.headers["content-type"] = "application/json"
    wrk.body = '${JSON.stringify(DUE)}'
    done = function(summary)
      local e = summary.errors
      print(string.format("done %d %d", summary.requests, e.connect + e.read + e.write + e.status + e.timeout))
    end`);
  const connections = 20;
  let requests = 0;
  const count = await added(server, async () => {
    const out = await run("wrk", ["-t1", `-c${connections}`, "-d2s", "--timeout", "30s", "-s", script, `${server.url}/v1/tasks`]);
    const [, done, errors] = out.match(/^done (\d+) (\d+)$/m);
    assert.equal(Number(errors), 0, out);
    requests = Number(done);
  });
  // What was under way when wrk hung up may have been added without wrk's hearing of it.
  assert.ok(count >= requests && count <= requests + connections, `${requests}, ${count}`);
  return count;
}

async function check_h2load(server) {
  const body = join(server.dir, "task.json");
  writeFileSync(body, JSON.stringify(DUE));
  const wanted = 2000;
  const count = await added(server, async () => {
    const out = await run("h2load", ["--h1", "-n", String(wanted), "-c", "8", "-d", body, "-H", JSON_TYPE, `${server.url}/v1/tasks`]);
    assert.match(out, new RegExp(`${wanted} total, .* ${wanted} done, ${wanted} succeeded, 0 failed`));
    assert.match(out, new RegExp(`status codes: ${wanted} 2xx`));
  });
  assert.equal(count, wanted);
}

async function check_fetch(server) {
  const ids = Array.from({ length: 300 }, (_, i) => `fetch ${i} \u{1f514}/?#%`);
  const at = (id) => `/v1/tasks/${encodeURIComponent(id)}`;
  const all = (call) => Promise.all(ids.map(call));
  const count = await added(server, async () => {
    const answers = await all((id) => server.call("POST", "/v1/tasks", { id, group: "f", ...DUE }));
    assert.ok(answers.every(({ status, body }, i) => status === 201 && body.id === ids[i]));
    const read = await all((id) => server.call("GET", at(id)));
    assert.ok(read.every(({ status, body }, i) => status === 200 && body.id === ids[i]));
  });
  assert.equal(count, ids.length);
  const batch = await server.call("POST", "/v1/tasks:batchCancel", { ids: ids.slice(0, 100) });
  assert.equal(batch.body.cancelled, 100);
  const gone = await Promise.all(ids.slice(100, 150).map((id) => server.call("DELETE", at(id))));
  assert.ok(gone.every(({ status, body }) => status === 200 && body.attempts === 0));
  const group = (await server.call("GET", "/v1/groups/f")).body;
  assert.equal(group.counts.scheduled, ids.length - 150, JSON.stringify(group));
  const exported = await (await fetch(`${server.url}/v1/export`)).text();
  assert.equal(exported.trimEnd().split("\n").length, await server.scheduled());
}

await withServer(async (server) => {
  await check_curl(server);
  await check_h2load(server);
  await check_fetch(server);
  const count = await check_wrk(server);
  console.log(`[ figures  ] wrk added ${count} tasks in 2 s; ${await server.scheduled()} in all`);
});
