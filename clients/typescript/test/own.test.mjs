// What the TypeScript client has beyond the contract.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Carillon, WebhookVerifier } from "carillon-client";
import { TestServer } from "carillon-client/testing";

const NOWHERE = "http://127.0.0.1:9/";
const server = await TestServer.start();

test("a signal ends a call, also between two attempts", async () => {
  const refused = new Carillon(NOWHERE, { retries: 50 });
  const reason = new Error("enough");
  const ended = new AbortController();
  setTimeout(() => ended.abort(reason), 200);
  await assert.rejects(refused.getStats({ signal: ended.signal }), reason);
  await assert.rejects(server.client.getStats({ signal: ended.signal }), reason);
});

test("what is no URL is refused at once", () => {
  assert.throws(() => new Carillon("localhost"), TypeError);
});

test("tasks may come as they are made", async () => {
  async function* tasks() {
    for (let i = 0; i < 5; ++i) yield { delay: "1h", target: NOWHERE, group: "stream" };
  }
  assert.equal((await server.client.createTasks(tasks())).created, 5);
  const group = await server.client.getGroup("stream");
  assert.equal(group.counts.scheduled, 5);
});

test("headers may be those of fetch", () => {
  const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
  assert.throws(() => new WebhookVerifier(secret).verify("{}", new Headers({ "webhook-id": "1" })), /without/);
  assert.throws(() => new WebhookVerifier(secret).verify("{}", {}), /without/);
  const headers = { "Webhook-Id": "1", "Webhook-Timestamp": "1", "Webhook-Signature": "v1,AAAA" };
  assert.throws(() => new WebhookVerifier(secret).verify("{}", headers), /too far/);
  assert.throws(() => new WebhookVerifier([]), TypeError);
});

test("a server that does not start says why", async () => {
  await assert.rejects(TestServer.start({ args: ["--nonsense"] }), /nonsense/);
  await assert.rejects(TestServer.start({ binary: "/no/such/program" }), /ENOENT/);
});

test("the end", () => server.stop());
