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

// The receiver: what Carillon calls when reminders are due. Those of one user that are near each other come in one push;
// a repeated webhook_id is a repeated task.
const seen = new Set();
const messages = []; // one for each push: whom, and what it is about
const shop = http.createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const fresh = JSON.parse(body).tasks.filter(({ webhook_id: id }) => !seen.has(id));
  for (const { webhook_id: id } of fresh) seen.add(id);
  if (fresh.length > 0) {
    messages.push({ user: fresh[0].payload.user, about: fresh.map(({ payload }) => payload.about).sort() });
  }
  response.writeHead(204).end();
});
await new Promise((ready) => shop.listen(0, '127.0.0.1', ready));
await call('PUT', '/v1/targets/coupon-reminders', { url: `http://127.0.0.1:${shop.address().port}/remind` });

// However many reminders are due, a fifth of the pushes is kept free for what cannot wait.
await call('PUT', '/v1/lanes/urgent', { weight: 8, reserved: 0.2 });

const now = Date.parse((await call('GET', '/v1/stats')).now);
const opens = now + 10 * 60_000;
const coupon = `spring-${now}`;
// The part in braces says whose a task is: what may be merged is of one user.
const idOf = (user, about) => `{user:${user}}:${about}-${now}`;
const reminder = (user, about, dueAt) => ({
  id: idOf(user, about),
  due_at: dueAt,
  target: 'coupon-reminders',
  merge_within: '90s',
  payload: { user, about },
});
const subscription = (user) => ({ ...reminder(user, 'coupon', opens - 60_000), group: coupon });

const users = ['ada', 'bob', 'cyd', 'dan'];
const { created } = await call('POST', '/v1/tasks:batchCreate', users.map(subscription));
console.log(`${created} users want to be reminded`);

await call('DELETE', `/v1/tasks/${encodeURIComponent(idOf('bob', 'coupon'))}`);
await call('DELETE', `/v1/tasks/${encodeURIComponent(idOf('cyd', 'coupon'))}`);
await call('POST', '/v1/tasks', subscription('cyd'));
console.log('bob and cyd cancelled, cyd subscribed again');

// The coupon opens five minutes later than planned: one call moves everybody.
const { shifted } = await call('POST', `/v1/groups/${coupon}:shift`, { by: '5m' });
console.log(`${shifted} reminders moved`);

// Ada has a cart, too, and her time to pay ends soon after her coupon opens: she gets one message. Dan's parcel is urgent.
await call('POST', '/v1/tasks', reminder('ada', 'cart', opens + 4.5 * 60_000));
await call('POST', '/v1/tasks', { ...reminder('dan', 'parcel', opens + 4 * 60_000), lane: 'urgent' });

await call('POST', '/v1/clock:advance', { by: '15m' });
while (messages.length < 4) await new Promise((later) => setTimeout(later, 20));
for (const line of messages.map(({ user, about }) => `${user}: ${about.join(' and ')}`).sort()) console.log(line);
shop.close();
shop.closeAllConnections();
