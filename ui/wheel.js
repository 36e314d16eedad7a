// The timing wheel as it turns. Each ring is a level: 256 slots, from now at the top clockwise. A mark is
// what is due in its slot, as /v1/forecast counts it; between two counts the rings go on with the clock.
//
// Level 0, whose turn takes a quarter of a second, is what happens at the top of the first ring.

import { apart, count, moment, number, span } from "./format.js";
import { serverNow } from "./live.js";
import { colour, html, theme, to, useEffect, useRef, useState, useStore } from "./parts.js";
import { call, withQuery } from "./server.js";

const SLOTS = 256;
const RINGS = [
  {
    level: 1,
    width: 256,
    every: 2000,
    inner: 0.3,
    outer: 0.47,
    marks: [
      [15_000, "15 s"],
      [30_000, "30 s"],
      [45_000, "45 s"],
    ],
  },
  {
    level: 2,
    width: 256 ** 2,
    every: 10_000,
    inner: 0.54,
    outer: 0.7,
    marks: [
      [3_600_000, "1 h"],
      [7_200_000, "2 h"],
      [10_800_000, "3 h"],
      [14_400_000, "4 h"],
    ],
  },
  {
    level: 3,
    width: 256 ** 3,
    every: 60_000,
    inner: 0.77,
    outer: 0.93,
    marks: [7, 14, 21, 28, 35, 42].map((days) => [days * 86_400_000, `${days} d`]),
  },
];
const TURN = 2 * Math.PI;
const FRAME_MS = 40;
const PULSE_MS = 900;

async function countRing(ring, signal) {
  const first = Math.floor(serverNow() / ring.width);
  const query = { bucket: ring.width, from: first * ring.width, to: (first + SLOTS) * ring.width };
  const { buckets } = await call("GET", withQuery("/v1/forecast", query), undefined, signal);
  return new Map(buckets.map((bucket) => [Math.round(Date.parse(bucket.from) / ring.width), bucket.tasks]));
}

/// Keeps the counts of the rings fresh, by the number of the slot since 1970, while `signal` lets it. With
/// millions of tasks a count takes long; then they are made less often, for a twentieth of the time.
async function follow(counts, signal) {
  const next = RINGS.map(() => 0);
  while (!signal.aborted) {
    const i = next.indexOf(Math.min(...next));
    const began = performance.now();
    if (!document.hidden && began >= next[i]) {
      // Where it fails, whoever follows the stats says so; the ring shows what it had.
      counts[i] = await countRing(RINGS[i], signal).catch(() => counts[i]);
      next[i] = performance.now() + RINGS[i].every;
    }
    const spent = performance.now() - began;
    await new Promise((done) => setTimeout(done, Math.max(50, 19 * spent)));
  }
}

function colours() {
  return Object.fromEntries(["accent", "line", "muted", "ink", "panel"].map((name) => [name, colour(name)]));
}

/// Clockwise from the top.
const angle = (ring, slot, now) => ((slot * ring.width - now) / (SLOTS * ring.width)) * TURN - TURN / 4;

function drawRing(pen, radius, ring, counts, now, ink) {
  const [inner, outer] = [ring.inner * radius, ring.outer * radius];
  const first = Math.floor(now / ring.width);
  const highest = Math.sqrt(Math.max(1, ...counts.values()));
  pen.lineWidth = Math.max(1, (TURN * inner) / SLOTS - 0.7);
  for (let slot = first; slot < first + SLOTS; ++slot) {
    const at = angle(ring, Math.max(slot, now / ring.width) + (slot === first ? 0 : 0.5), now);
    const tasks = counts.get(slot) ?? 0;
    const height = tasks === 0 ? 2.5 : 5 + (outer - inner - 5) * (Math.sqrt(tasks) / highest);
    pen.strokeStyle = tasks === 0 ? ink.line : ink.accent;
    pen.beginPath();
    pen.moveTo(inner * Math.cos(at), inner * Math.sin(at));
    pen.lineTo((inner + height) * Math.cos(at), (inner + height) * Math.sin(at));
    pen.stroke();
  }
  pen.fillStyle = ink.muted;
  pen.font = `${Math.max(9, radius * 0.048)}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (const [ahead, label] of ring.marks) {
    const at = (ahead / (SLOTS * ring.width)) * TURN - TURN / 4;
    const from = inner - radius * (0.03 + 0.025 * Math.abs(Math.cos(at))); // beside the ring a text is wide
    pen.fillText(label, from * Math.cos(at), from * Math.sin(at));
  }
}

function drawHub(pen, radius, state, now, ink) {
  const hub = radius * 0.17;
  for (const { at, weight } of state.pulses) {
    const age = (performance.now() - at) / PULSE_MS;
    pen.globalAlpha = Math.max(0, 1 - age) * weight;
    pen.strokeStyle = ink.accent;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(0, 0, hub + radius * 0.06 * age, 0, TURN);
    pen.stroke();
  }
  pen.globalAlpha = 1;
  const minute = [...(state.counts[0] ?? [])].reduce(
    (sum, [slot, tasks]) => sum + (slot * 256 >= now - 256 && slot * 256 < now + 60_000 ? tasks : 0),
    0,
  );
  pen.fillStyle = ink.ink;
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  const text = number(minute);
  pen.font = `600 ${radius * Math.min(0.115, 0.5 / text.length)}px system-ui, sans-serif`;
  pen.fillText(text, 0, radius * 0.02);
  pen.fillStyle = ink.muted;
  pen.font = `${Math.max(9, radius * 0.05)}px system-ui, sans-serif`;
  pen.fillText("in a minute", 0, radius * 0.095);
}

function drawNow(pen, radius, ink) {
  pen.strokeStyle = ink.ink;
  pen.lineWidth = 1;
  pen.globalAlpha = 0.35;
  pen.beginPath();
  pen.moveTo(0, -radius * 0.24);
  pen.lineTo(0, -radius * 0.96);
  pen.stroke();
  pen.globalAlpha = 1;
  pen.fillStyle = ink.ink;
  pen.beginPath();
  pen.moveTo(0, -radius * 0.945);
  pen.lineTo(-5, -radius * 0.945 - 9);
  pen.lineTo(5, -radius * 0.945 - 9);
  pen.fill();
}

/// Slots of the first ring that the hand has passed since the last frame beat once, by how much they had.
function beat(state, now) {
  const slot = Math.floor(now / RINGS[0].width);
  const passed = state.counts[0]?.get(slot) ?? 0;
  if (slot !== state.slot && passed > 0) {
    const most = Math.max(...state.counts[0].values());
    state.pulses.push({ at: performance.now(), weight: 0.35 + 0.65 * Math.sqrt(passed / most) });
  }
  state.slot = slot;
  state.pulses = state.pulses.filter((pulse) => performance.now() - pulse.at < PULSE_MS).slice(-8);
}

function draw(canvas, state) {
  const size = canvas.clientWidth;
  const scale = devicePixelRatio || 1;
  if (canvas.width !== Math.round(size * scale)) canvas.width = canvas.height = Math.round(size * scale);
  const pen = canvas.getContext("2d");
  const now = serverNow();
  const radius = size / 2 - 2;
  pen.setTransform(scale, 0, 0, scale, canvas.width / 2, canvas.height / 2);
  pen.clearRect(-size, -size, 2 * size, 2 * size);
  if (!state.still) beat(state, now);
  RINGS.forEach((ring, i) => drawRing(pen, radius, ring, state.counts[i] ?? new Map(), now, state.ink));
  drawNow(pen, radius, state.ink);
  drawHub(pen, radius, state, now, state.ink);
}

/// What is under the pointer: {ring, slot, tasks}, or null.
function under(canvas, state, event) {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  const part = Math.hypot(x, y) / (box.width / 2);
  const index = RINGS.findIndex((ring) => part >= ring.inner - 0.02 && part <= ring.outer + 0.04);
  if (index < 0) return null;
  const ring = RINGS[index];
  const ahead = ((Math.atan2(y, x) + TURN / 4 + TURN) % TURN) / TURN;
  const slot = Math.floor((serverNow() + ahead * SLOTS * ring.width) / ring.width);
  return {
    ring,
    slot,
    tasks: state.counts[index]?.get(slot) ?? 0,
    x: event.clientX - box.left,
    y: event.clientY - box.top,
  };
}

function turn(canvas, state) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const every = () => ((state.still = still.matches) ? 1000 : FRAME_MS);
  let last = 0;
  let frame = 0;
  const step = (at) => {
    if (at - last >= every()) {
      draw(canvas, state);
      last = at;
    }
    frame = requestAnimationFrame(step);
  };
  frame = requestAnimationFrame(step);
  return () => cancelAnimationFrame(frame);
}

export function Wheel() {
  const canvas = useRef(null);
  const state = useRef({ counts: [], pulses: [], slot: 0 });
  const [hint, setHint] = useState(null);
  const drawn = useStore(theme);
  useEffect(() => {
    const stop = new AbortController();
    follow(state.current.counts, stop.signal);
    return () => stop.abort();
  }, []);
  useEffect(() => {
    state.current.ink = colours();
    return turn(canvas.current, state.current);
  }, [drawn]);
  const open = (event) => {
    const slot = under(canvas.current, state.current, event);
    if (slot?.tasks > 0) location.hash = to("find", "", range(slot));
  };
  return html`<div class="wheel">
    <canvas ref=${canvas} role="img" onClick=${open} onPointerLeave=${() => setHint(null)}
      onPointerMove=${(event) => setHint(under(canvas.current, state.current, event))}
      aria-label="The timing wheel: what is due, from now at the top clockwise. Forecast tells the same."></canvas>
    ${
      hint &&
      html`<div class="hint" style=${{ left: `clamp(110px, ${hint.x}px, calc(100% - 110px))`, top: `${hint.y}px` }}>
      <b>${count(hint.tasks, "task")}</b> ${apart(hint.slot * hint.ring.width, serverNow())}<br />
      <span class="muted">${moment(hint.slot * hint.ring.width, hint.ring.level === 1)},${" "}
        ${span(hint.ring.width)} long</span></div>`
    }
  </div>`;
}

function range({ ring, slot }) {
  const at = (index) => new Date(index * ring.width).toISOString();
  return { due_from: at(slot), due_to: at(slot + 1) };
}
