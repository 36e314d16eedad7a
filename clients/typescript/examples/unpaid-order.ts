// A shop that cancels an order which is not paid within 30 minutes: a time-out that acts unless it is cancelled
// first, although the machine that took the order may be gone by then.
//
// TestServer is a real Carillon whose clock this program moves; it needs `carillond` in the PATH.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";

import { type Carillon, ConflictError } from "carillon-client";
import { TestServer } from "carillon-client/testing";

class Orders {
  readonly states = new Map<number, string>();

  constructor(private readonly carillon: Carillon) {}

  async place(order: number) {
    this.states.set(order, "open");
    await this.carillon.createTask({
      id: `order-${order}-unpaid`,
      delay: "30m",
      target: "unpaid-orders",
      payload: { order },
    });
  }

  /** Paying and timing out race. Whoever is first in Carillon's log wins, and the other one is told. */
  async pay(order: number): Promise<boolean> {
    try {
      await this.carillon.cancelTask(`order-${order}-unpaid`);
    } catch (error) {
      if (error instanceof ConflictError) return false; // task_firing or task_finished: too late
      throw error;
    }
    this.states.set(order, "paid");
    return true;
  }

  /** Pushes come at least once, so this must be fine to do again: it is. */
  timeOut(order: number) {
    this.states.set(order, "not paid in time");
  }
}

const server = await TestServer.start();
const orders = new Orders(server.client);
const shop = http.createServer(async (request, response) => {
  let body = "";
  for await (const piece of request) body += piece;
  orders.timeOut((JSON.parse(body) as { order: number }).order);
  response.writeHead(204).end();
});
try {
  await once(shop.listen(0, "127.0.0.1"), "listening");
  await server.client.putTarget("unpaid-orders", {
    url: `http://127.0.0.1:${(shop.address() as AddressInfo).port}/`,
  });

  await orders.place(1);
  await orders.place(2);
  await server.advance("29m");
  assert.equal(await orders.pay(1), true);
  await server.advance("1m");
  assert.equal(await orders.pay(2), false);
  assert.deepEqual(
    [...orders.states],
    [
      [1, "paid"],
      [2, "not paid in time"],
    ],
  );
  console.log(orders.states);
} finally {
  await server.stop();
  shop.close();
  shop.closeAllConnections();
}
