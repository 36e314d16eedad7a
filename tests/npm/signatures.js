// The signatures of real pushes, verified by the public package `standardwebhooks`: with one secret,
// with two while they are rotated, and not where anything was tampered with.
// usage: node signatures.js DIRECTORY-OF-CARILLOND

import assert from "node:assert/strict";

import { Webhook, WebhookVerificationError } from "standardwebhooks";

import { withServer } from "./carillon.js";

const OLD = `whsec_${Buffer.alloc(24, "old").toString("base64")}`;
const NEW = `whsec_${Buffer.alloc(64, "new").toString("base64")}`;

function verifies(secret, { headers, body }) {
  try {
    new Webhook(secret).verify(body.toString(), headers, { jsonParse: false });
    return true;
  } catch (error) {
    assert.ok(error instanceof WebhookVerificationError, error);
    return false;
  }
}

/// Which of the two secrets a push of `task` verifies with while the target has `secrets`.
async function push(server, receiver, id, secrets, task = { payload: { hello: id } }) {
  const target = { url: receiver.url, secrets };
  const put = await server.call("PUT", "/v1/targets/shop", target);
  assert.ok(put.status === 200 || put.status === 201, JSON.stringify(put.body));
  const added = await server.call("POST", "/v1/tasks", { id, delay: 0, target: "shop", ...task });
  assert.equal(added.status, 201, JSON.stringify(added.body));
  return receiver.push(id);
}

async function check_rotation(server, receiver) {
  const before = await push(server, receiver, "before", [OLD]);
  assert.deepEqual([verifies(OLD, before), verifies(NEW, before)], [true, false]);
  const between = await push(server, receiver, "between", [NEW, OLD]);
  assert.deepEqual([verifies(OLD, between), verifies(NEW, between)], [true, true]);
  assert.equal(between.headers["webhook-signature"].split(" ").length, 2);
  const after = await push(server, receiver, "after", [NEW]);
  assert.deepEqual([verifies(OLD, after), verifies(NEW, after)], [false, true]);
  const unsigned = await push(server, receiver, "unsigned", []);
  assert.equal(unsigned.headers["webhook-signature"], undefined);
}

async function check_bodies(server, receiver) {
  const bodies = {
    json: { payload: { text: "é \u{1f514}", list: [1.5e3, null, "\n"] } },
    spaced: { body: ' {"a" :\r\n\t1 } ', content_type: "application/json" },
    text: { body: "line\nline.with.dots" },
    empty: { body: "" },
    none: {},
    large: { body: "0123456789".repeat(50_000) },
  };
  for (const [id, task] of Object.entries(bodies)) {
    const seen = await push(server, receiver, id, [OLD], task);
    assert.ok(verifies(OLD, seen), id);
    if ("body" in task) assert.equal(seen.body.toString(), task.body, id);
  }
}

async function check_tampering(server, receiver) {
  const good = await push(server, receiver, "good", [OLD, NEW]);
  assert.ok(verifies(OLD, good));
  const body = Buffer.from(good.body);
  for (let at = 0; at < body.length; ++at) {
    body[at] ^= 1;
    assert.ok(!verifies(OLD, { ...good, body }), `byte ${at} of the body`);
    body[at] ^= 1;
  }
  const with_header = (name, value) => ({ ...good, headers: { ...good.headers, [name]: value } });
  const second = Number(good.headers["webhook-timestamp"]);
  assert.ok(!verifies(OLD, with_header("webhook-id", `${good.headers["webhook-id"]}x`)));
  assert.ok(!verifies(OLD, with_header("webhook-timestamp", String(second + 1))));
  assert.ok(!verifies(OLD, with_header("webhook-timestamp", String(second - 3600))));
  assert.ok(!verifies(OLD, with_header("webhook-signature", "v1,AAAA")));
}

await withServer(async (server, receiver) => {
  await check_rotation(server, receiver);
  await check_bodies(server, receiver);
  await check_tampering(server, receiver);
  console.log(`[ figures  ] ${receiver.pushes.length} pushes verified by standardwebhooks`);
});
