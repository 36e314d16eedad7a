// Tasks, targets, lanes, groups and dead letters as a shop has them, so that the dashboard has something
// to show.

import { createServer } from "node:http";
import { once } from "node:events";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/// A receiver that answers by what stands in the path: /ok, /slow, /fails, /gone, /busy.
export class Receivers {
  static async start() {
    const receivers = new Receivers();
    receivers.server = createServer((request, response) => {
      request.resume();
      request.on("end", () => receivers.answer(request.url, response));
    });
    receivers.server.listen(0, "127.0.0.1");
    await once(receivers.server, "listening");
    receivers.url = `http://127.0.0.1:${receivers.server.address().port}`;
    return receivers;
  }

  answer(path, response) {
    const end = (status, text) => {
      response.statusCode = status;
      response.end(text);
    };
    if (path === "/slow") setTimeout(() => end(200, "at last"), 150);
    else if (path === "/fails") end(500, "no such order");
    else if (path === "/gone") end(410, "gone");
    else if (path === "/busy") (response.setHeader("retry-after", "120"), end(429, "later"));
    else end(200, "ok");
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}

async function make(server, method, path, body) {
  const { status } = await server.call(method, path, body);
  if (status >= 300) throw new Error(`${method} ${path}: ${status}`);
}

async function setUp(server, url) {
  const put = (name, body) => make(server, "PUT", `/v1/targets/${name}`, body);
  await make(server, "PUT", "/v1/lanes/critical", { weight: 8, reserved: 0.3 });
  await make(server, "PUT", "/v1/lanes/bulk", { weight: 1 });
  await put("shop", { url: `${url}/ok`, concurrency: 64, timeout: "5s" });
  await put("mail", {
    url: `${url}/slow`,
    concurrency: 32,
    secrets: [`whsec_${Buffer.alloc(24, 7).toString("base64")}`],
  });
  await put("crm", { url: `${url}/fails`, retry: { max_attempts: 3, backoff_min: "20s" } });
  await put("loyalty", { url: `${url}/gone` });
  await put("partner", { url: `${url}/busy` });
  await put("sms", { url: `${url}/ok`, concurrency: 16 });
  await make(server, "POST", "/v1/targets/sms:pause");
}

let made = 0;
/// `seed`s make the same pictures each time.
function random() {
  made = (made * 1103515245 + 12345) % 2147483648;
  return made / 2147483648;
}

function task(id, ms, more = {}) {
  const [target, lane] = random() < 0.6 ? ["shop", "critical"] : ["mail", "bulk"];
  return { id, due_at: Math.round(Date.now() + ms), target, lane, payload: { order: id, total: 42.5 }, ...more };
}

/// More at noon and in the evening, fewer at night.
function busyAt(time) {
  const hour = new Date(time).getHours();
  return 0.15 + Math.exp(-((hour - 12) ** 2) / 6) + 1.6 * Math.exp(-((hour - 20) ** 2) / 5);
}

function manyTasks(count) {
  const tasks = [];
  for (let i = 0; tasks.length < count; ++i) {
    const ms = random() * 29 * DAY;
    if (random() * 2 < busyAt(Date.now() + ms))
      tasks.push(task(`order-${i}-unpaid`, ms, { group: `day-${Math.floor(ms / DAY)}` }));
  }
  for (let i = 0; i < count / 8; ++i) tasks.push(task(`cart-${i}`, random() * 4.6 * HOUR, { group: "carts" }));
  for (let i = 0; i < count / 12; ++i)
    tasks.push(task(`user-${i}:spring-coupon`, 3 * HOUR + random() * MINUTE, { group: "spring-coupon" }));
  for (let i = 0; i < count / 60; ++i) tasks.push(task(`session-${i}`, random() * 65_000));
  return tasks;
}

async function add(server, tasks) {
  for (let at = 0; at < tasks.length; at += 5000)
    await make(server, "POST", "/v1/tasks:batchCreate", tasks.slice(at, at + 5000));
}

/// Fills the server with `count` tasks and more, of which some have died by when this returns.
export async function fill(server, url, count) {
  made = 7;
  await setUp(server, url);
  const gone = Array.from({ length: 9 }, (_, i) =>
    task(`points-${i}`, -i * MINUTE, { target: "loyalty", lane: undefined }),
  );
  const failing = Array.from({ length: 14 }, (_, i) =>
    task(`contact-${i}`, 0, { target: "crm", lane: undefined, retry: i < 4 ? { max_attempts: 1 } : undefined }),
  );
  const held = Array.from({ length: 40 }, (_, i) => task(`feed-${i}`, 0, { target: "partner", lane: "bulk" }));
  const paused = Array.from({ length: 25 }, (_, i) => task(`text-${i}`, 0, { target: "sms", lane: "critical" }));
  const refused = Array.from({ length: 3 }, (_, i) =>
    task(`invoice-${i}`, -i * MINUTE, { target: "http://127.0.0.1:9/invoices", retry: { max_attempts: 1 } }),
  );
  await add(server, [...gone, ...failing, ...held, ...paused, ...refused]);
  await add(server, manyTasks(count));
}

/// Adds tasks that are due soon, until told to stop.
export function keepAdding(server) {
  let going = true;
  let turn = 0;
  const done = (async () => {
    while (going) {
      const some = Math.round(60 + 30 * Math.sin(turn / 14));
      await add(
        server,
        Array.from({ length: some }, (_, i) => task(`live-${++turn}-${i}`, 200 + random() * 50_000)),
      );
      await new Promise((later) => setTimeout(later, 200));
    }
  })();
  return () => {
    going = false;
    return done;
  };
}
