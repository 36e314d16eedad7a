// What the server is doing now, asked every two seconds, and the hour of it that the charts show.
//
// The hour begins with what /v1/history kept, in steps of ten seconds. From then on rates and lateness
// come from the counters of /metrics: what was counted between two looks. One point is
// {t, added, fired, delivered, failed, p50, p99, p999}: rates a second, lateness in ms, null where
// nothing was pushed meanwhile.

import { parseSpan } from "./format.js";
import { Store, call, contact, session } from "./server.js";

const EVERY_MS = 2000;
const HIDDEN_EVERY_MS = 10_000; // while the tab is not looked at
const HOUR_S = 3600;

/// {stats, metrics, alarms, points}, or null before the first answer.
export const live = new Store(null);

/// The server's clock: how far it is ahead of the browser's, or where it stands if it is moved by hand.
const clock = { ahead: 0, seen: null, stands: false };

export function serverNow() {
  return clock.stands ? clock.seen : Date.now() + clock.ahead;
}

function follow(now) {
  clock.stands = clock.seen === now;
  clock.seen = now;
  clock.ahead = now - Date.now();
}

/// Prometheus text as a map: "name{label="value"}" to its number.
export function parseMetrics(text) {
  const values = new Map();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const end = line.lastIndexOf(" ");
    values.set(line.slice(0, end), Number(line.slice(end + 1)));
  }
  return values;
}

const LATENESS = 'carillon_lateness_seconds_bucket{le="';

/// [upper bound in ms, how many up to it], rising.
function buckets(metrics) {
  const found = [];
  for (const [key, value] of metrics) {
    if (!key.startsWith(LATENESS)) continue;
    const bound = key.slice(LATENESS.length, -2);
    found.push([bound === "+Inf" ? Infinity : Number(bound) * 1000, value]);
  }
  return found;
}

/// The quantile of what was counted between two looks, as evenly spread within its bucket.
export function quantile(before, after, part) {
  const grown = after.map(([bound, value], i) => [bound, value - (before[i]?.[1] ?? 0)]);
  const total = grown.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  const wanted = part * total;
  let low = 0;
  let below = 0;
  for (const [bound, value] of grown) {
    if (value >= wanted) {
      if (bound === Infinity) return low;
      return low + ((bound - low) * (wanted - below)) / (value - below);
    }
    low = bound;
    below = value;
  }
  return low;
}

const event = (metrics, name) => metrics.get(`carillon_task_events_total{event="${name}"}`);
const outcome = (metrics, name) => metrics.get(`carillon_pushes_total{outcome="${name}"}`);

function counters(metrics) {
  return {
    added: event(metrics, "added"),
    fired: event(metrics, "fired"),
    delivered: outcome(metrics, "delivered"),
    failed: outcome(metrics, "retrying") + outcome(metrics, "dead"),
  };
}

/// A server that began anew counts from nothing: then there is no point.
function pointBetween(before, after) {
  const seconds = (after.at - before.at) / 1000;
  const [old, now] = [counters(before.metrics), counters(after.metrics)];
  const point = { t: after.at / 1000 };
  for (const name of Object.keys(now)) {
    if (!(now[name] >= old[name])) return null;
    point[name] = (now[name] - old[name]) / seconds;
  }
  const [then, since] = [buckets(before.metrics), buckets(after.metrics)];
  for (const [name, part] of [
    ["p50", 0.5],
    ["p99", 0.99],
    ["p999", 0.999],
  ])
    point[name] = quantile(then, since, part);
  return point;
}

function pastPoints({ step, points: past }) {
  const seconds = parseSpan(step) / 1000;
  return past.map((point) => ({
    t: Date.parse(point.from) / 1000 - clock.ahead / 1000,
    added: point.added / seconds,
    fired: point.fired / seconds,
    delivered: point.delivered / seconds,
    failed: (point.retrying + point.dead) / seconds,
    ...(point.fired > 0 ? point.lateness_ms : { p50: null, p99: null, p999: null }),
  }));
}

let points = [];
let last = null;

async function look() {
  const [stats, text, { alarms }, history] = await Promise.all([
    call("GET", "/v1/stats"),
    call("GET", "/metrics"),
    call("GET", "/v1/alarms"),
    last === null ? call("GET", "/v1/history") : null,
  ]);
  follow(Date.parse(stats.now));
  const seen = { at: Date.now(), metrics: parseMetrics(text) };
  if (history !== null) points = pastPoints(history);
  const point = last === null ? null : pointBetween(last, seen);
  last = seen;
  if (point !== null) points = [...points, point].filter(({ t }) => t > point.t - HOUR_S);
  live.set({ stats, metrics: seen.metrics, alarms, points });
}

/// Ends once it is known what this page may ask.
async function opened() {
  while (session.value.state !== "open") {
    await new Promise((done) => {
      const leave = session.follow(() => {
        leave();
        done();
      });
    });
  }
}

/// Looks for as long as the page is there.
export async function watch() {
  for (;;) {
    await opened();
    await look().catch(() => {});
    const lost = contact.value.state !== "live";
    await new Promise((done) => setTimeout(done, lost ? 1000 : document.hidden ? HIDDEN_EVERY_MS : EVERY_MS));
  }
}
