// A shop that reminds its users one minute before a coupon opens. Each may change their mind, and again.
//
//   node docs/examples/coupon-reminder.mjs [CARILLON_URL]
//
// With `--clock manual` the example moves the server's clock itself, so nobody has to wait.
import http from 'node:http';

const carillon = process.argv[2] ?? 'http://127.0.0.1:8080';

async function call(method, path, body) {
  const answer = await fetch(carillon + path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

// The receiver: what Carillon calls when a reminder is due. A repeated webhook-id is a repeated push.
const seen = new Set();
const reminded = [];
const shop = http.createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const id = request.headers['webhook-id'];
  if (!seen.has(id)) {
    seen.add(id);
    reminded.push(JSON.parse(body).user);
  }
  response.writeHead(204).end();
});
await new Promise((ready) => shop.listen(0, '127.0.0.1', ready));
await call('PUT', '/v1/targets/reminders', { url: `http://127.0.0.1:${shop.address().port}/remind` });

const now = Date.parse((await call('GET', '/v1/stats')).now);
const opens = now + 10 * 60_000;
const coupon = `spring-${now}`;
const idOf = (user) => encodeURIComponent(`${user}:${coupon}`);
const subscription = (user) => ({
  id: `${user}:${coupon}`,
  due_at: opens - 60_000,
  target: 'reminders',
  group: coupon,
  payload: { user, coupon },
});

const users = ['ada', 'bob', 'cyd', 'dan'];
const { created } = await call('POST', '/v1/tasks:batchCreate', users.map(subscription));
console.log(`${created} users want to be reminded`);

await call('DELETE', `/v1/tasks/${idOf('bob')}`);
await call('DELETE', `/v1/tasks/${idOf('cyd')}`);
await call('POST', '/v1/tasks', subscription('cyd'));
console.log('bob and cyd cancelled, cyd subscribed again');

// The coupon opens five minutes later than planned: one call moves everybody.
const { shifted } = await call('POST', `/v1/groups/${coupon}:shift`, { by: '5m' });
console.log(`${shifted} reminders moved`);

await call('POST', '/v1/clock:advance', { by: '15m' });
while (reminded.length < 3) await new Promise((later) => setTimeout(later, 20));
console.log(`reminded: ${reminded.sort().join(' ')}`);
shop.close();
shop.closeAllConnections();
