// A shop that cancels an order which is not paid within 30 minutes: a time-out that acts unless it is
// cancelled first, although the machine that took the order may be gone by then.
//
//   node docs/examples/unpaid-order.mjs [CARILLON_URL]
//
// With `--clock manual` the example moves the server's clock itself, so nobody has to wait.
import http from 'node:http';

const carillon = process.argv[2] ?? 'http://127.0.0.1:8080';
const orders = new Map();

async function call(method, path, body) {
  const answer = await fetch(carillon + path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: answer.status, body: JSON.parse((await answer.text()) || 'null') };
}

const timeOutOf = (order) => `/v1/tasks/${encodeURIComponent(`order-${order}-unpaid`)}`;

async function placeOrder(order) {
  orders.set(order, 'open');
  const answer = await call('POST', '/v1/tasks', {
    id: `order-${order}-unpaid`,
    delay: '30m',
    target: 'unpaid-orders',
    payload: { order },
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
}

// Paying and timing out race; whoever is first in Carillon's log wins, and the other one is told.
async function pay(order) {
  const answer = await call('DELETE', timeOutOf(order));
  if (answer.status === 200) {
    orders.set(order, 'paid');
    return 'paid';
  }
  return `too late: ${answer.body.title}`;
}

const shop = http.createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  // Pushes are at least once, so what they do must be fine to do again: this is.
  orders.set(JSON.parse(body).order, 'cancelled, not paid in time');
  response.writeHead(204).end();
});
await new Promise((ready) => shop.listen(0, '127.0.0.1', ready));
await call('PUT', '/v1/targets/unpaid-orders', { url: `http://127.0.0.1:${shop.address().port}/unpaid` });

const first = Date.now();
await placeOrder(first);
await placeOrder(first + 1);
await call('POST', '/v1/clock:advance', { by: '29m' });
console.log(`order 1: ${await pay(first)}`);
await call('POST', '/v1/clock:advance', { by: '1m' });
while (orders.get(first + 1) === 'open') await new Promise((later) => setTimeout(later, 20));
console.log(`order 2: ${orders.get(first + 1)}`);
console.log(`order 2: ${await pay(first + 1)}`);
shop.close();
shop.closeAllConnections();
