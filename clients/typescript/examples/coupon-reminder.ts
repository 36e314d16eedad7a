// A shop that reminds its users one minute before a coupon opens. Each may change their mind, and again.
//
// It is also how to test such a program: TestServer is a real Carillon whose clock the test moves, so that nobody
// has to wait for ten minutes. It needs `carillond` in the PATH.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";

import { type Carillon, SignatureError, WebhookVerifier } from "carillon-client";
import { TestServer } from "carillon-client/testing";

const SECRET = "whsec_Y291cG9uLXJlbWluZGVyLWV4YW1wbGUh"; // from your vault; `openssl rand -base64 24` makes one

/** What reminds. Whoever subscribes twice is reminded once, and nothing is lost if this process ends. */
class Reminders {
  constructor(private readonly carillon: Carillon) {}

  subscribe(user: string, coupon: string, opens: Date) {
    return this.carillon.createTask({
      id: `${user}:${coupon}`,
      due_at: new Date(opens.getTime() - 60_000),
      target: "reminders",
      group: coupon,
      payload: { user, coupon },
    });
  }

  unsubscribe(user: string, coupon: string) {
    return this.carillon.cancelTask(`${user}:${coupon}`);
  }

  /** The coupon opens later, or sooner: one call moves everybody. */
  postpone(coupon: string, by: string) {
    return this.carillon.shiftGroup(coupon, { by });
  }
}

/** What Carillon calls when a reminder is due. */
function receiver(remind: (user: string) => void) {
  const verifier = new WebhookVerifier(SECRET);
  const seen = new Set<string>(); // in your database: a repeated webhook-id is a repeated push
  return http.createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    try {
      const { webhookId } = verifier.verify(body, request.headers);
      if (!seen.has(webhookId)) remind((JSON.parse(body.toString()) as { user: string }).user);
      seen.add(webhookId);
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(error instanceof SignatureError ? 400 : 500).end();
    }
  });
}

const reminded: string[] = [];
const shop = receiver((user) => reminded.push(user)).listen(0, "127.0.0.1");
await once(shop, "listening");
const server = await TestServer.start();
try {
  const { port } = shop.address() as AddressInfo;
  await server.client.putTarget("reminders", { url: `http://127.0.0.1:${port}/remind`, secrets: [SECRET] });
  const reminders = new Reminders(server.client);
  const opens = new Date((await server.now()).getTime() + 10 * 60_000);

  for (const user of ["ada", "bob", "cyd", "dan"]) await reminders.subscribe(user, "spring", opens);
  await reminders.unsubscribe("bob", "spring");
  await reminders.unsubscribe("cyd", "spring");
  await reminders.subscribe("cyd", "spring", opens);
  assert.deepEqual(await reminders.postpone("spring", "5m"), { shifted: 3 });

  await server.advance("13m");
  assert.deepEqual(reminded, []);
  await server.advance("1m");
  assert.deepEqual(reminded.sort(), ["ada", "cyd", "dan"]);
  console.log(`reminded one minute before the coupon opens: ${reminded.join(", ")}`);
} finally {
  await server.stop();
  shop.close();
  shop.closeAllConnections();
}
