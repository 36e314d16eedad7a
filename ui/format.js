// Numbers, sizes and times as people read them: in their own zone, and as wide as their neighbours.

const whole = new Intl.NumberFormat("en");
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const number = (value) => (value == null ? "–" : whole.format(value));

/// With as many digits as say something: 0.42, 4.2, 42, 4,200.
export function rough(value) {
  if (value == null || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size < 1 ? value.toFixed(2) : size < 10 ? value.toFixed(1) : whole.format(Math.round(value));
}

/// 12 k, 3.4 M: for the axis of a chart.
export function short(value) {
  for (const [unit, size] of [
    ["M", 1e6],
    ["k", 1e3],
  ])
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))} ${unit}`;
  return String(Number(value.toPrecision(3)));
}

export function bytes(value) {
  if (value == null) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    ++unit;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/// A length of time in its two largest units: 250 ms, 4.2 s, 3 min 5 s, 2 d 4 h.
export function span(ms) {
  if (ms == null || Number.isNaN(ms)) return "–";
  const size = Math.abs(ms);
  if (size < SECOND) return `${Number(size.toFixed(size < 10 ? 1 : 0))} ms`;
  if (size < 10 * SECOND) return `${(size / SECOND).toFixed(1)} s`;
  if (size < MINUTE) return `${Math.floor(size / SECOND)} s`;
  const parts =
    size < HOUR
      ? [
          [MINUTE, "min"],
          [SECOND, "s"],
        ]
      : size < DAY
        ? [
            [HOUR, "h"],
            [MINUTE, "min"],
          ]
        : [
            [DAY, "d"],
            [HOUR, "h"],
          ];
  const [large, small] = parts;
  const rest = Math.floor((size % large[0]) / small[0]);
  const head = `${Math.floor(size / large[0])} ${large[1]}`;
  return rest === 0 ? head : `${head} ${rest} ${small[1]}`;
}

const two = (value) => String(value).padStart(2, "0");

/// 2026-11-28 23:45:12 in the reader's zone; with `fine` also the milliseconds.
export function moment(at, fine = false) {
  const time = new Date(at);
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${day} ${clock}${fine ? `.${String(time.getMilliseconds()).padStart(3, "0")}` : ""}`;
}

export function clock(at) {
  return moment(at).slice(11);
}

export const utc = (at) => `${new Date(at).toISOString()} (UTC)`;

/// From `now`: "in 3 min", "4 s ago".
export function apart(at, now) {
  const ms = new Date(at) - now;
  if (Math.abs(ms) < SECOND) return "now";
  return ms > 0 ? `in ${span(ms)}` : `${span(ms)} ago`;
}

/// 1 task, 2 tasks.
export const count = (value, noun, many = `${noun}s`) => `${number(value)} ${value === 1 ? noun : many}`;

/// What a datetime-local field takes, in the reader's zone; and back as the API takes it.
export const toField = (at) => moment(at).replace(" ", "T");
export const fromField = (text) => (text === "" ? "" : new Date(text).toISOString());

const UNITS = { d: DAY, h: HOUR, m: MINUTE, s: SECOND, ms: 1 };

/// A duration as the API writes it, with a sign, in ms: "10m", "-1h30m". NaN where it is none.
export function parseSpan(text) {
  const match = /^\s*([+-]?)((?:\d+(?:\.\d+)?(?:ms|d|h|m|s))+)\s*$/.exec(text);
  if (!match) return NaN;
  const parts = [...match[2].matchAll(/(\d+(?:\.\d+)?)(ms|d|h|m|s)/g)];
  const ms = parts.reduce((sum, [, value, unit]) => sum + Number(value) * UNITS[unit], 0);
  return match[1] === "-" ? -ms : ms;
}
