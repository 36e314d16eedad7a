// What the server does now: counts, the wheel, rates and lateness.

import { Chart } from "../chart.js";
import { bytes, count, number, parseSpan, rough, span } from "../format.js";
import { live } from "../live.js";
import { Apart, Loading, Meter, Name, Panel, State, html, to, useCall, useStore } from "../parts.js";
import { Wheel } from "../wheel.js";

const RATES = [
  { key: "added", label: "added", colour: "series-1" },
  { key: "fired", label: "fired", colour: "series-2" },
  { key: "delivered", label: "delivered", colour: "series-3" },
  { key: "failed", label: "failed", colour: "series-4" },
];
const LATENESS = [
  { key: "p50", label: "p50", colour: "series-3" },
  { key: "p99", label: "p99", colour: "series-2" },
  { key: "p999", label: "p99.9", colour: "series-4" },
];

function Tile({ name, value, note, href, level }) {
  return html`<a class="tile" href=${href} data-level=${level ?? ""}>
    <span>${name}</span><b>${number(value)}</b><small>${note}</small></a>`;
}

function Tiles({ stats, metrics }) {
  const { counts } = stats;
  const pending = counts.scheduled + counts.retrying + counts.firing;
  const most = metrics.get("carillon_pending_max_tasks");
  return html`<div class="tiles">
    <${Tile} name="Pending" value=${pending} href=${to("find")} note=${most ? `of ${number(most)}` : ""} />
    <${Tile} name="Overdue" value=${stats.backlog} level=${stats.backlog > 0 ? "warn" : ""}
      href=${to("find", "", { due_to: stats.now, state: "scheduled" })}
      note=${stats.oldest_overdue ? `oldest ${span(parseSpan(stats.oldest_overdue))}` : "none waits"} />
    <${Tile} name="In flight" value=${stats.delivery.in_flight} href=${to("targets")}
      note=${`${number(stats.delivery.connections_open)} connections`} />
    <${Tile} name="Retrying" value=${counts.retrying} href=${to("find", "", { state: "retrying" })}
      note="wait for a retry" />
    <${Tile} name="Dead letters" value=${counts.dead} level=${counts.dead > 0 ? "bad" : ""} href=${to("dead")}
      note=${counts.dead > 0 ? "want a decision" : "none"} />
  </div>`;
}

function Levels() {
  const its = useCall("/v1/wheel", 5000);
  if (!its.data) return null;
  const rows = its.data.levels.filter((level, i) => i < 4 || level.tasks > 0);
  return html`<table class="plain"><thead><tr><th>Level</th><th class="number">Slot</th><th class="number">Turn</th>
    <th class="number">Tasks</th><th class="number">Slots of 512</th></tr></thead>
    <tbody>${rows.map(
      (level, i) => html`<tr><td>${i}</td><td class="number">${span(256 ** i)}</td>
      <td class="number">${span(256 ** (i + 1))}</td><td class="number">${number(level.tasks)}</td>
      <td class="number">${number(level.occupied)}</td></tr>`,
    )}</tbody></table>`;
}

function States({ counts }) {
  return html`<table class="plain"><tbody>${Object.entries(counts).map(
    ([state, tasks]) => html`<tr key=${state}>
    <td><${State} state=${state} /></td>
    <td class="number"><a
      href=${state === "dead" ? to("dead") : to("find", "", { state })}>${number(tasks)}</a></td></tr>`,
  )}</tbody></table>`;
}

function Room({ stats, metrics }) {
  const { storage, memory } = stats;
  const pending = stats.counts.scheduled + stats.counts.retrying + stats.counts.firing + stats.counts.dead;
  const most = metrics.get("carillon_pending_max_tasks");
  const disk = storage.disk_bytes + storage.free_bytes;
  return html`<${Meter} label="Tasks" value=${pending} max=${most} text=${`${number(pending)} of ${number(most)}`} />
    <${Meter} label="Disk" value=${storage.disk_bytes} max=${disk}
      text=${`${bytes(storage.disk_bytes)}, ${bytes(storage.free_bytes)} free`} />
    <table class="plain"><tbody>
      <tr><td>Log</td><td class="number">${bytes(storage.log_bytes)}</td></tr>
      <tr><td>Memory in all</td><td class="number">${bytes(memory.resident_bytes)}</td></tr>
      <tr><td>of it tasks</td><td class="number">${bytes(memory.tasks_bytes)}</td></tr>
      <tr><td>of it payloads</td><td class="number">${bytes(memory.content_bytes)}</td></tr>
    </tbody></table>`;
}

/// An alarm says what, since when, how much, and what to do.
function Alarms({ alarms }) {
  if (alarms.length === 0) return null;
  return html`<${Panel} title=${count(alarms.length, "open alarm")} class="alarms"><ul>${alarms.map(
    (alarm) => html`<li key=${`${alarm.alarm} ${alarm.of}`}>
      <b>${alarm.alarm.replaceAll("_", " ")}${alarm.of && html` <${Name}>${alarm.of}<//>`}</b>
      <bdi>${alarm.detail}</bdi><span class="muted">${alarm.advice}</span>
      <${Apart} at=${alarm.since} /></li>`,
  )}</ul><//>`;
}

export function Overview() {
  const now = useStore(live);
  if (!now) return html`<${Loading} />`;
  const { stats, metrics, alarms, points } = now;
  return html`
    ${
      stats.silent_shards &&
      html`<p class="failed" role="alert"><strong>Not all shards answer.</strong>
      Without ${stats.silent_shards.join(", ")} the counts are too low.</p>`
    }
    <${Alarms} alarms=${alarms} />
    <${Tiles} stats=${stats} metrics=${metrics} />
    <div class="overview">
      <${Panel} title="The wheel" class="turning" aside=${html`<span
        class="muted">what is due, from now at the top</span>`}>
        <${Wheel} /><${Levels} />
      <//>
      <div class="charts">
        <${Panel}><${Chart} title="Rates" unit="tasks a second" points=${points} lines=${RATES} value=${rough} /><//>
        <${Panel}><${Chart} title="Lateness of pushes" unit="ms" points=${points} lines=${LATENESS}
          value=${(ms) => (ms == null ? "–" : `${rough(ms)} ms`)} /><//>
        <div class="pair">
          <${Panel} title="By state"><${States} counts=${stats.counts} /><//>
          <${Panel} title="Room"><${Room} stats=${stats} metrics=${metrics} /><//>
        </div>
      </div>
    </div>`;
}
