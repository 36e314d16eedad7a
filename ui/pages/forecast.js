// What is due when: a month by hour, an hour by minute, a minute by second.

import { clock, count, moment, number } from "../format.js";
import { serverNow } from "../live.js";
import {
  Called,
  Empty,
  Panel,
  TextField,
  html,
  route,
  to,
  useCall,
  useEffect,
  useRef,
  useState,
  useStore,
} from "../parts.js";
import { withQuery } from "../server.js";
import { useFilter } from "./find.js";

const DAYS = 30;
const HOURS = 24;
const HALF_HOUR = 1_800_000; // zones are whole halves of an hour apart, but for a few whose midnight is where we begin
const MINUTE = 60_000;

function midnight(now) {
  const day = new Date(now);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate());
}

/// The hours of a day in the reader's zone, with what is due in each. Where the clock is set, an hour is
/// two hours long, or none at all.
function days(buckets, first) {
  const counted = new Map(buckets.map((bucket) => [Date.parse(bucket.from), bucket.tasks]));
  const at = (day, hour) => new Date(first.getFullYear(), first.getMonth(), first.getDate() + day, hour).getTime();
  const sum = (from, end) => {
    let tasks = 0;
    for (let time = from; time < end; time += HALF_HOUR) tasks += counted.get(time) ?? 0;
    return tasks;
  };
  return Array.from({ length: DAYS + 1 }, (_, day) => ({
    from: at(day, 0),
    hours: Array.from({ length: HOURS }, (__, hour) => ({
      from: at(day, hour),
      end: at(day, hour + 1),
      tasks: sum(at(day, hour), at(day, hour + 1)),
    })),
  }));
}

/// `which`: {target, lane}, each empty for all.
const find = (cell, which) =>
  to("find", "", {
    due_from: new Date(cell.from).toISOString(),
    due_to: new Date(cell.end).toISOString(),
    ...which,
  });
const heat = (tasks, most) => (tasks === 0 ? 0 : 0.12 + 0.88 * Math.sqrt(tasks / most));

/// What a cell says to whoever rests on it or hears it.
function named(when, cell) {
  const text = `${when}: ${count(cell.tasks, "task")}`;
  return { title: text, "aria-label": text };
}

/// One cell of many can be reached by Tab; the arrow keys go to the others.
function useRoving(rows, columns) {
  const [[row, column], setAt] = useState([0, 0]);
  const box = useRef(null);
  const at = useRef([0, 0]); // also before the next rendering, however fast the keys come
  const onKeyDown = (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const within = (index, size) => Math.min(size - 1, Math.max(0, index));
    at.current = [within(at.current[0] + step[0], rows), within(at.current[1] + step[1], columns)];
    box.current.querySelectorAll("a")[at.current[0] * columns + at.current[1]].focus();
    setAt(at.current);
  };
  return { box, onKeyDown, tab: (y, x) => (y === row && x === column ? 0 : -1) };
}

const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

function Month({ buckets, first, which }) {
  const rows = days(buckets, first);
  const cells = rows.flatMap((row) => row.hours);
  const most = Math.max(...cells.map((cell) => cell.tasks));
  const peak = cells.find((cell) => cell.tasks === most);
  const roving = useRoving(rows.length, HOURS);
  if (most === 0) return html`<${Empty}>Nothing is due in the next ${DAYS} days.<//>`;
  return html`<p class="note">Most in one hour: <a
    href=${find(peak, which)}>${count(most, "task")}, ${moment(peak.from).slice(0, 16)}</a></p>
    <div class="table" role="region" aria-label="Month by hour" tabindex="0"><table class="heat" ref=${roving.box}
      onKeyDown=${roving.onKeyDown}>
      <thead><tr><th scope="col">Day</th>${rows[0].hours.map(
        (_, hour) => html`<th
        scope="col">${hour % 3 === 0 ? hour : ""}</th>`,
      )}<th scope="col" class="number">Tasks</th></tr></thead>
      <tbody>${rows.map(
        (row, y) => html`<tr key=${row.from}><th scope="row">${weekday.format(row.from)}</th>
        ${row.hours.map(
          (cell, x) => html`<td><a tabindex=${roving.tab(y, x)} href=${find(cell, which)} data-hot=${cell.tasks > 0}
          data-most=${cell === peak} style=${{ "--heat": heat(cell.tasks, most) }}
          ...${named(moment(cell.from).slice(0, 16), cell)}></a></td>`,
        )}
        <td class="number">${number(row.hours.reduce((sum, cell) => sum + cell.tasks, 0))}</td></tr>`,
      )}</tbody>
    </table></div>`;
}

function Strip({ buckets, from, width, name, which }) {
  const counted = new Map(buckets.map((bucket) => [Date.parse(bucket.from), bucket.tasks]));
  const cells = Array.from({ length: 60 }, (_, i) => ({
    from: from + i * width,
    end: from + (i + 1) * width,
    tasks: counted.get(from + i * width) ?? 0,
  }));
  const most = Math.max(1, ...cells.map((cell) => cell.tasks));
  const roving = useRoving(1, 60);
  return html`<div class="strip" role="group" aria-label=${name} ref=${roving.box} onKeyDown=${roving.onKeyDown}>
      ${cells.map(
        (
          cell,
          i,
        ) => html`<a key=${i} tabindex=${roving.tab(0, i)} href=${find(cell, which)} data-hot=${cell.tasks > 0}
        ...${named(clock(cell.from), cell)}>
        <i style=${{ height: `${cell.tasks === 0 ? 0 : Math.max(3, (100 * cell.tasks) / most)}%` }}></i></a>`,
      )}</div>
    <div class="scale muted">${[0, 15, 30, 45, 60].map(
      (i) => html`<span
      key=${i}>${clock(from + i * width).slice(0, width < MINUTE ? 8 : 5)}</span>`,
    )}</div>`;
}

/// Where a stretch begins: it moves on with the clock, by `step`.
function useStart(step) {
  const [start, setStart] = useState(() => Math.floor(serverNow() / step) * step);
  useEffect(() => {
    const timer = setInterval(() => setStart(Math.floor(serverNow() / step) * step), Math.min(step, 10_000));
    return () => clearInterval(timer);
  }, [step]);
  return start;
}

function Stretch({ title, width, step, which }) {
  const from = useStart(step);
  const its = useCall(withQuery("/v1/forecast", { bucket: width, from, to: from + 60 * width, ...which }), 5000);
  const last = useRef(null);
  if (its.data) last.current = { from, buckets: its.data.buckets };
  const shown = last.current;
  const tasks = shown?.buckets.reduce((sum, bucket) => sum + bucket.tasks, 0);
  return html`<${Panel} title=${title} aside=${html`<span class="muted">${shown && count(tasks, "task")}</span>`}>
    ${
      shown
        ? html`<${Strip} buckets=${shown.buckets} from=${shown.from} width=${width} name=${title} which=${which} />`
        : html`<${Called} its=${its}>${() => null}<//>`
    }<//>`;
}

function Filter({ which }) {
  const targets = useCall("/v1/targets?limit=1000");
  const lanes = useCall("/v1/lanes");
  const { values, its } = useFilter(which);
  const options = (all) => all?.map((one) => html`<option value=${one.name}></option>`);
  const submit = (event) => {
    event.preventDefault();
    location.hash = to("forecast", "", values);
  };
  return html`<form class="filter" onSubmit=${submit}>
    <${TextField} ...${its("target", "Target or URL")} list="targets" placeholder="all" />
    <${TextField} ...${its("lane", "Lane")} list="lanes" placeholder="all" />
    <datalist id="targets">${options(targets.data?.targets)}</datalist>
    <datalist id="lanes">${options(lanes.data?.lanes)}</datalist>
    <div class="buttons"><button class="primary">Show</button></div></form>`;
}

export function Forecast() {
  const { target = "", lane = "" } = useStore(route).query;
  const which = { target, lane };
  const [first] = useState(() => midnight(serverNow()));
  const end = new Date(first.getFullYear(), first.getMonth(), first.getDate() + DAYS + 1);
  const query = { bucket: HALF_HOUR, from: first.getTime(), to: end.getTime(), ...which };
  const its = useCall(withQuery("/v1/forecast", query), 10_000);
  const key = JSON.stringify(which);
  return html`<${Panel}><${Filter} which=${which} /><//>
    <div class="pair" key=${key}>
      <${Stretch} title="The next minute, by second" width=${1000} step=${5000} which=${which} />
      <${Stretch} title="The next hour, by minute" width=${MINUTE} step=${MINUTE} which=${which} />
    </div>
    <${Panel} title=${`The next ${DAYS} days, by hour`}
      aside=${html`<span class="muted">in your zone; a cell leads to its tasks</span>`}>
      <${Called} its=${its}>${({ buckets }) => html`<${Month} buckets=${buckets} first=${first}
        which=${which} />`}<//><//>`;
}
