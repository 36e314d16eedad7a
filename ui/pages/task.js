// One task: its fields, what it carries, and what can be done with it.

import { ask } from "../actions.js";
import { bytes, fromField, toField } from "../format.js";
import {
  Apart,
  Called,
  Empty,
  Facts,
  GroupLink,
  Name,
  Panel,
  State,
  TargetLink,
  TextField,
  Time,
  html,
  route,
  to,
  useCall,
  useState,
  useStore,
} from "../parts.js";
import { layOut, memberText } from "../json.js";
import { call, can, segment, textOf } from "../server.js";
import { Timeline, Waiting } from "./story.js";

const WAITS = ["scheduled", "retrying"];

function Find() {
  const [id, setId] = useState("");
  return html`<${Panel} title="One task"><form class="filter" onSubmit=${(event) => {
    event.preventDefault();
    location.hash = to("task", id);
  }}><${TextField} label="Exact id" name="id" required value=${id} set=${setId} />
    <div class="buttons"><button class="primary">Show</button></div></form><//>`;
}

const path = (id) => `/v1/tasks/${segment(id)}`;

function askToPush(id, done) {
  ask({
    title: "Push it now?",
    text: html`<p>The task <${Name}>${id}<//> becomes due at once.</p>`,
    verb: "Push now",
    done,
    run: async () => (await call("POST", `${path(id)}:push`), "It is due now."),
  });
}

function askToMove(task, done) {
  ask({
    title: "Move it",
    text: html`<p>The task <${Name}>${task.id}<//> is due at another time.</p>`,
    verb: "Move",
    done,
    fields: [
      {
        name: "due_at",
        label: "Due at, in your zone",
        type: "datetime-local",
        required: true,
        value: toField(task.due_at),
      },
    ],
    run: async ({ due_at }) => (await call("PATCH", path(task.id), { due_at: fromField(due_at) }), "Moved."),
  });
}

function askToCancel(task, done) {
  const firing = task.state === "firing";
  ask({
    title: firing ? "Let this attempt be its last?" : "Cancel it?",
    verb: firing ? "No more attempts" : "Cancel the task",
    danger: true,
    done,
    text: firing
      ? "It is being pushed at this moment, which nothing can stop. If that fails, it is not tried again."
      : html`<p>The task <${Name}>${task.id}<//> is not pushed from then on.</p>`,
    run: async () => {
      const answer = await call("DELETE", `${path(task.id)}${firing ? "?retries=cancel" : ""}`);
      return answer.state === "cancelled"
        ? `Cancelled; it had been pushed ${answer.attempts} times.`
        : "No attempt follows this one.";
    },
  });
}

function askToRedrive(id, done) {
  ask({
    title: "Redrive it?",
    text: html`<p>The dead letter <${Name}>${id}<//> is pushed now, with a fresh allowance of attempts.</p>`,
    verb: "Redrive",
    done,
    run: async () => (await call("POST", `/v1/dead/${segment(id)}:redrive`), "Redriven."),
  });
}

function askToDelete(id) {
  ask({
    title: "Delete it?",
    text: html`<p>The dead letter <${Name}>${id}<//> is gone for good.</p>`,
    verb: "Delete",
    danger: true,
    run: async () => (await call("DELETE", `/v1/dead/${segment(id)}`), "Deleted."),
    done: () => (location.hash = to("dead")),
  });
}

function Buttons({ task, reload }) {
  if (!can("write")) return null;
  const waits = WAITS.includes(task.state);
  return html`
    ${
      waits &&
      html`<button onClick=${() => askToPush(task.id, reload)}>Push now</button>
      <button onClick=${() => askToMove(task, reload)}>Move</button>`
    }
    ${
      (waits || task.state === "firing") &&
      html`<button class="danger" onClick=${() => askToCancel(task, reload)}>
      ${task.state === "firing" ? "No more attempts" : "Cancel"}</button>`
    }
    ${
      task.state === "dead" &&
      html`<button onClick=${() => askToRedrive(task.id, reload)}>Redrive</button>
      <button class="danger" onClick=${() => askToDelete(task.id)}>Delete</button>`
    }`;
}

function Progress({ task }) {
  const when = (at) => at && html`<${Time} at=${at} fine /> <${Apart} at=${at} />`;
  return html`<${Facts} rows=${[
    ["State", html`<${State} state=${task.state} />`],
    ["Due", when(task.due_at)],
    ["Next attempt", task.next_attempt_at !== task.due_at && when(task.next_attempt_at)],
    ["Attempts begun", String(task.attempt)],
    ["Last attempt", when(task.last_attempt_at)],
    ["Last status", task.last_status && String(task.last_status)],
    ["Last error", task.last_error && html`<${Name}>${task.last_error}<//>`],
    ["Finished", when(task.finished_at)],
    ["Created", when(task.created_at)],
    ["Redriven", when(task.redriven_at)],
  ]} />`;
}

function Settings({ task }) {
  return html`<${Facts} rows=${[
    ["Target", html`<${TargetLink} name=${task.target} />`],
    ["Group", html`<${GroupLink} name=${task.group} />`],
    ["Lane", html`<${Name}>${task.lane ?? "default"}<//>`],
    [
      "Expires",
      task.expire_after &&
        `${task.expire_after} after due${task.on_expire === "dead" ? ", to the dead letters" : ""}`,
    ],
    ["Merges within", task.merge_within],
    [
      "Retry",
      task.retry &&
        Object.entries(task.retry)
          .map(([key, value]) => `${key} ${value}`)
          .join(", "),
    ],
    ...Object.entries(task.headers ?? {}).map(([name, value]) => [
      html`<${Name}>${name}<//>`,
      html`<${Name}>${value}<//>`,
    ]),
  ]} />`;
}

/// What it carries, as text: base64 where it is none.
const textIn = (task) => task.body_base64 ?? task.body ?? memberText(textOf(task), "payload");

/// Its bytes.
function bytesOf(task) {
  if (task.body_base64 !== undefined) return Uint8Array.from(atob(task.body_base64), (char) => char.charCodeAt(0));
  return new TextEncoder().encode(textIn(task));
}

const HEX_MAX = 16_384;

function hex(data) {
  const lines = [];
  for (let at = 0; at < Math.min(data.length, HEX_MAX); at += 16) {
    const row = [...data.subarray(at, at + 16)];
    const digits = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${digits.padEnd(47)}  ${text}`);
  }
  if (data.length > HEX_MAX) lines.push(`… ${bytes(data.length - HEX_MAX)} more`);
  return lines.join("\n");
}

function pretty(task) {
  if (task.body_base64 !== undefined) return hex(bytesOf(task));
  try {
    JSON.parse(textIn(task));
    return layOut(textIn(task));
  } catch {
    return textIn(task);
  }
}

const FORMS = {
  pretty,
  raw: textIn,
  hex: (task) => hex(bytesOf(task)),
};

function Payload({ task }) {
  const [form, setForm] = useState("pretty");
  const there = task.payload !== undefined || task.body !== undefined || task.body_base64 !== undefined;
  const type = task.content_type ?? "application/json";
  return html`<${Panel} title="Payload" aside=${
    there &&
    html`<span class="muted">${type}, ${bytes(bytesOf(task).length)}</span>
    <span class="choice" role="group" aria-label="Shown as">${Object.keys(FORMS).map(
      (name) => html`<button key=${name}
      aria-pressed=${name === form} onClick=${() => setForm(name)}>${name}</button>`,
    )}</span>`
  }>
    ${
      there
        ? html`<pre class="payload" tabindex="0" aria-label="Payload"
      dir="ltr">${FORMS[form](task)}</pre>`
        : html`<${Empty}>It carries none.<//>`
    }<//>`;
}

export function Task() {
  const { name } = useStore(route);
  const its = useCall(name === "" ? null : path(name), 2000);
  if (name === "") return html`<${Find} />`;
  return html`<p class="subject"><${Name}>${name}<//></p><${Called} its=${its}>${(task) => html`
    <div class="pair">
      <${Panel} title="Progress" aside=${html`<${Buttons} task=${task} reload=${its.reload} />`}><${Progress}
        task=${task} /><//>
      <${Panel} title="Task"><${Settings} task=${task} /><//>
    </div>
    ${[...WAITS, "firing"].includes(task.state) && html`<${Waiting} id=${task.id} />`}
    <${Timeline} id=${task.id} />
    <${Payload} task=${task} />`}<//>`;
}
