// Targets: how each fares, and setting, testing, pausing and deleting them.

import { ask } from "../actions.js";
import { count, number, span } from "../format.js";
import {
  Apart,
  Called,
  Empty,
  Facts,
  Name,
  Panel,
  Table,
  Time,
  html,
  route,
  to,
  useCall,
  useStore,
} from "../parts.js";
import { Problem, call, can, segment } from "../server.js";
import { usePages } from "./find.js";

const path = (name) => `/v1/targets/${segment(name)}`;

export function Condition({ target }) {
  if (target.paused) return html`<span class="state" data-state="paused">paused</span>`;
  if (!target.held) return html`<span class="state" data-state="fine">fine</span>`;
  return html`<span class="state" data-state="held">held</span> <span
    class="muted">${target.held.reason.replaceAll("_", " ")},
    until </span><${Time} at=${target.held.until} />`;
}

const COLUMNS = [
  {
    title: "Name",
    cell: (target) => html`<a class="name" href=${to("targets", target.name)}><bdi>${target.name}</bdi></a>`,
  },
  { title: "State", cell: (target) => html`<${Condition} target=${target} />` },
  { title: "Kind", cell: (target) => target.kind ?? "http" },
  { title: "URL", cell: (target) => html`<${Name}>${target.url ?? target.brokers.join(", ")}<//>` },
  {
    title: "Waiting",
    number: true,
    cell: (target) => html`<a href=${to("find", "", { target: target.name })}>${number(target.waiting)}</a>`,
  },
  { title: "Backlog", number: true, cell: (target) => number(target.backlog) },
  {
    title: "In flight",
    number: true,
    cell: (target) => `${number(target.in_flight)} of ${number(target.concurrency)}`,
  },
];

// What GET answers and PUT passes over: no settings.
const MEASURED = ["name", "waiting", "backlog", "in_flight", "held", "silent_shards"];

function settingsOf(target) {
  return Object.fromEntries(Object.entries(target).filter(([key]) => !MEASURED.includes(key)));
}

function askToEdit(target, done) {
  ask({
    title: html`Settings of <${Name}>${target.name}<//>`,
    verb: "Save",
    wide: true,
    done,
    text: "As docs/api.md lists them. A value that is shown as *** stays what it is.",
    fields: [
      {
        name: "settings",
        label: "Settings, as JSON",
        type: "textarea",
        value: JSON.stringify(settingsOf(target), null, 2),
      },
    ],
    run: async ({ settings }) => (
      await call("PUT", path(target.name), settings),
      "Saved; it holds from the next push."
    ),
  });
}

function askToMake(done) {
  ask({
    title: "A new target",
    verb: "Make it",
    done,
    fields: [
      { name: "name", label: "Name", required: true },
      { name: "url", label: "URL", required: true, placeholder: "https://example.com/hook" },
      { name: "concurrency", label: "Pushes at once", type: "number", value: "64", required: true },
      { name: "timeout", label: "Time for one push", value: "15s", required: true },
      {
        name: "max_attempts",
        label: "Attempts at most",
        type: "number",
        value: "20",
        required: true,
        hint: "All else can be set when it is there.",
      },
    ],
    run: async (values) => {
      const there = await call("GET", path(values.name)).catch((error) => {
        if (error.status === 404) return null;
        throw error;
      });
      if (there)
        throw new Problem(409, {
          title: "It is there already",
          detail: "A target has this name; edit that one.",
          field: "name",
        });
      const { name, url, timeout } = values;
      await call("PUT", path(name), {
        url,
        timeout,
        concurrency: Number(values.concurrency),
        retry: { max_attempts: Number(values.max_attempts) },
      });
      location.hash = to("targets", name);
      return "It is there.";
    },
  });
}

function askToTest(name) {
  ask({
    title: html`Test <${Name}>${name}<//>?`,
    verb: "Push a test",
    text: html`<p>One push with the payload <code>{"test":true}</code>. It is stored nowhere, and made also while the
      target is paused.</p>`,
    run: async () => {
      const answer = await call("POST", `${path(name)}:test`);
      showTest(name, answer);
    },
  });
}

/// After the question has gone, since only one is asked at a time.
function showTest(name, answer) {
  setTimeout(() =>
    ask({
      title: answer.delivered ? "The test arrived" : "The test failed",
      verb: "Again",
      leave: "Close",
      wide: true,
      text: html`<${Facts} rows=${[
        ["Target", html`<${Name}>${name}<//>`],
        ["Status", answer.status === null ? "no answer" : String(answer.status)],
        ["Took", span(answer.duration_ms)],
        ["Error", answer.error && html`<${Name}>${answer.error}<//>`],
      ]} />${answer.body && html`<pre class="payload" tabindex="0">${answer.body}</pre>`}`,
      run: async () => showTest(name, await call("POST", `${path(name)}:test`)),
    }),
  );
}

function askToPause(target, done) {
  ask({
    title: html`Pause <${Name}>${target.name}<//>?`,
    verb: "Pause",
    danger: true,
    done,
    text: `Nothing is pushed to it until it is resumed; ${count(target.waiting, "task")} wait for it now.`,
    run: async () => (await call("POST", `${path(target.name)}:pause`), "Paused."),
  });
}

function askToResume(target, done) {
  ask({
    title: html`Resume <${Name}>${target.name}<//>?`,
    verb: "Resume",
    done,
    text: `${count(target.backlog, "task")} are due and pushed at once.${target.held ? " Its hold ends, too." : ""}`,
    run: async () => (await call("POST", `${path(target.name)}:resume`), "Resumed."),
  });
}

function askToDelete(target) {
  const used = target.waiting > 0;
  ask({
    title: html`Delete <${Name}>${target.name}<//>?`,
    verb: used ? `Delete, and let ${count(target.waiting, "task")} die` : "Delete",
    danger: true,
    text: used
      ? `${count(target.waiting, "unfinished task")} name it. When they are due they become dead letters.`
      : "No task names it.",
    run: async () => (await call("DELETE", `${path(target.name)}${used ? "?force=true" : ""}`), "Deleted."),
    done: () => (location.hash = to("targets")),
  });
}

function Buttons({ target, reload }) {
  if (!can("admin")) return null;
  return html`<button onClick=${() => askToTest(target.name)}>Test</button>
    <button onClick=${() => askToEdit(target, reload)}>Edit</button>
    ${(target.paused || target.held) && html`<button onClick=${() => askToResume(target, reload)}>Resume</button>`}
    ${!target.paused && html`<button onClick=${() => askToPause(target, reload)}>Pause</button>`}
    <button class="danger" onClick=${() => askToDelete(target)}>Delete</button>`;
}

function Settings({ of }) {
  const shown = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  return html`<${Facts} rows=${Object.entries(of).map(([key, value]) => [key, html`<${Name}>${shown(value)}<//>`])} />`;
}

function Target({ name }) {
  const its = useCall(path(name), 2000);
  return html`<${Panel} title=${html`<${Name}>${name}<//>`} aside=${html`<a class="button"
    href=${to("find", "", { target: name })}>Its tasks</a>
    ${its.data && html`<${Buttons} target=${its.data} reload=${its.reload} />`}`}>
    <${Called} its=${its}>${(target) =>
      html`<div class="pair"><${Facts} rows=${[
        ["State", html`<${Condition} target=${target} />`],
        [
          "Held since",
          target.held && html`<${Time} at=${target.held.since} /> <${Apart} at=${target.held.since} />`,
        ],
        ["Unfinished tasks", number(target.waiting)],
        ["Due and not fired", number(target.backlog)],
        ["In flight", `${number(target.in_flight)} of ${number(target.concurrency)}`],
      ]} /><${Settings} of=${settingsOf(target)} /></div>`}<//><//>`;
}

function All() {
  const its = usePages("/v1/targets", "targets");
  return html`<${Panel} title=${its.rows.length > 0 && count(its.rows.length, "target")} aside=${html`<button
    onClick=${its.reload}>Reload</button>
    ${can("admin") && html`<button class="primary" onClick=${() => askToMake(its.reload)}>New target</button>`}`}>
    ${its.error && html`<p class="failed" role="alert">${its.error.message}</p>`}
    ${
      its.rows.length > 0 &&
      html`<${Table} label="Targets" columns=${COLUMNS} rows=${its.rows}
      keyOf=${(target) => target.name} />`
    }
    ${!its.loading && !its.error && its.rows.length === 0 &&
    html`<${Empty}>No target is set. A task may also bring a URL of its own.<//>`}
    ${its.cursor && html`<footer class="pager"><span></span><button onClick=${its.more}>Show more</button></footer>`}
  <//>`;
}

export function Targets() {
  const { name } = useStore(route);
  return name === "" ? html`<${All} />` : html`<${Target} key=${name} name=${name} />`;
}
