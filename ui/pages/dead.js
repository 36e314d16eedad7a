// Dead letters, grouped by target and error: redriven or purged one by one, as picked, or all.

import { ask, forEach, summary } from "../actions.js";
import { count, number } from "../format.js";
import { live } from "../live.js";
import {
  Apart,
  Empty,
  Failed,
  GroupLink,
  Loading,
  Name,
  Panel,
  Table,
  TargetLink,
  TaskLink,
  TextField,
  Time,
  TimeField,
  html,
  route,
  to,
  useState,
  useStore,
} from "../parts.js";
import { call, can, segment, withQuery } from "../server.js";
import { useFilter, usePages } from "./find.js";

const LIMIT = 1000;
const PAGES_COUNTED = 20;
const path = (task) => `/v1/dead/${segment(task.id)}`;
const died = (task) => Date.parse(task.finished_at ?? task.last_attempt_at ?? task.due_at);

/// [{target, error, letters, newest}], those with the newest first.
function grouped(letters) {
  const groups = new Map();
  for (const task of letters) {
    const error = task.last_error ?? "no error was kept";
    const key = JSON.stringify([task.target, error]);
    const its = groups.get(key) ?? { key, target: task.target, error, letters: [], newest: 0 };
    its.letters.push(task);
    its.newest = Math.max(its.newest, died(task));
    groups.set(key, its);
  }
  for (const its of groups.values()) its.letters.sort((a, b) => died(b) - died(a));
  return [...groups.values()].sort((a, b) => b.newest - a.newest);
}

const COLUMNS = [
  { title: "Id", cell: (task) => html`<${TaskLink} id=${task.id} />` },
  { title: "Died", cell: (task) => html`<${Time} at=${died(task)} />` },
  { title: "", cell: (task) => html`<${Apart} at=${died(task)} />` },
  { title: "Due", cell: (task) => html`<${Time} at=${task.due_at} />` },
  {
    title: "Group",
    cell: (task) => html`<${GroupLink} name=${task.group} />`,
  },
  { title: "Attempts", number: true, cell: (task) => number(task.attempt) },
  { title: "Status", number: true, cell: (task) => task.last_status ?? "–" },
];

const redrive = (task) => call("POST", `${path(task)}:redrive`);
const purge = (task) => call("DELETE", path(task));

function askToRedrive(letters, done) {
  ask({
    title: `Redrive ${count(letters.length, "dead letter")}?`,
    verb: `Redrive ${number(letters.length)}`,
    done,
    text: "Each is pushed now, with a fresh allowance of attempts.",
    run: async (_, progress) => `${summary(await forEach(letters, redrive, progress), "redriven")}.`,
  });
}

function askToPurge(letters, done) {
  ask({
    title: `Delete ${count(letters.length, "dead letter")}?`,
    verb: `Delete ${number(letters.length)}`,
    danger: true,
    done,
    text: "They are gone for good.",
    run: async (_, progress) => `${summary(await forEach(letters, purge, progress), "deleted")}.`,
  });
}

/// Runs one call for many, and says meanwhile how many dead letters are left.
async function watched(work, progress) {
  const before = live.value?.stats.counts.dead;
  const stop = live.follow(({ stats }) => progress(`${number(stats.counts.dead)} of ${number(before)} are left`));
  try {
    return await work();
  } finally {
    stop();
  }
}

const BODY = ["group", "target", "due_from", "due_to"];
const filter = (query) => Object.fromEntries(BODY.filter((name) => query[name]).map((name) => [name, query[name]]));

/// How many match, so that the question names the number; where they are very many, "20,000 or more".
async function countAll(query) {
  if (Object.keys(query).length === 0) return number((await call("GET", "/v1/stats")).counts.dead);
  let found = 0;
  let cursor;
  for (let pages = 0; pages < PAGES_COUNTED; ++pages) {
    const page = await call("GET", withQuery("/v1/dead", { ...query, limit: LIMIT, cursor }));
    found += page.tasks.length;
    cursor = page.next_cursor;
    if (!cursor) return number(found);
  }
  return `${number(found)} or more`;
}

const ALL = {
  Redrive: { call: "redrive", done: "redriven", text: "Each is pushed now, with a fresh allowance of attempts." },
  Delete: { call: "purge", done: "purged", text: "They are gone for good." },
};

async function askForAll(query, verb, done) {
  const how = ALL[verb];
  const found = await countAll(query);
  const which = Object.keys(query).length > 0 ? "what matches" : "all";
  ask({
    title: `${verb} ${which}: ${found} dead letter${found === "1" ? "" : "s"}?`,
    verb: `${verb} ${found}`,
    danger: verb === "Delete",
    done,
    text: how.text,
    run: async (_, progress) => {
      const answer = await watched(() => call("POST", `/v1/dead:${how.call}`, query), progress);
      return `${count(answer[how.done], "dead letter")} ${how.done}.`;
    },
  });
}

function Filter({ query }) {
  const { values, its, clear } = useFilter(query);
  const submit = (event) => {
    event.preventDefault();
    location.hash = to("dead", "", values);
  };
  return html`<form class="filter" onSubmit=${submit}>
    <${TextField} ...${its("target", "Target or URL")} /><${TextField} ...${its("group", "Group")} />
    <${TimeField} ...${its("due_from", "Due from")} /><${TimeField} ...${its("due_to", "Due before")} />
    <div class="buttons"><button class="primary">Find</button>
      <a class="button" href=${to("dead")} onClick=${clear}>Clear</a></div>
  </form>`;
}

function Same({ its, picked, setPicked, reload }) {
  const [open, setOpen] = useState(its.letters.length <= 5);
  return html`<${Panel} title=${html`<${TargetLink} name=${its.target} />`} aside=${html`<span
    class="muted">${count(its.letters.length, "letter")}</span>
      ${
        can("write") &&
        html`<button onClick=${() => askToRedrive(its.letters, reload)}>Redrive these</button>
      <button class="danger" onClick=${() => askToPurge(its.letters, reload)}>Delete these</button>`
      }
      <button aria-expanded=${open} onClick=${() => setOpen(!open)}>${open ? "Fold" : "Unfold"}</button>`}>
    <p class="cause"><${Name}>${its.error}<//> <span class="muted">newest <${Apart} at=${its.newest} /></span></p>
    ${
      open &&
      html`<${Table} label="Dead letters" columns=${COLUMNS} rows=${its.letters} keyOf=${(task) => task.id}
      picked=${can("write") ? picked : null} setPicked=${setPicked} />`
    }
  <//>`;
}

export function Dead() {
  const { query } = useStore(route);
  const wanted = filter(query);
  const its = usePages(withQuery("/v1/dead", wanted), "tasks", LIMIT);
  const [picked, setPicked] = useState(new Set());
  const [error, setError] = useState(null);
  const chosen = its.rows.filter((task) => picked.has(task.id));
  const done = () => {
    setPicked(new Set());
    its.reload();
  };
  const all = (verb) => () => askForAll(wanted, verb, done).then(() => setError(null), setError);
  const narrowed = Object.keys(wanted).length > 0;
  const title = its.rows.length > 0 && count(its.rows.length, "dead letter") + (its.cursor ? ", and more" : "");
  const nothing = narrowed ? "No dead letter is like that." : "No dead letters: tasks whose attempts all failed.";
  const empty = !its.loading && !its.error && its.rows.length === 0;
  return html`<${Panel} title=${title} aside=${html`
      ${
        can("write") &&
        chosen.length > 0 &&
        html`<button onClick=${() => askToRedrive(chosen, done)}>Redrive ${number(chosen.length)}</button>
        <button class="danger" onClick=${() => askToPurge(chosen, done)}>Delete ${number(chosen.length)}</button>`
      }
      ${
        can("write") &&
        its.rows.length > 0 &&
        html`<button onClick=${all("Redrive")}>Redrive ${narrowed ? "all that match" : "all"}</button>
        <button class="danger" onClick=${all("Delete")}>Delete ${narrowed ? "all that match" : "all"}</button>`
      }
      <button onClick=${its.reload}>Reload</button>`}><${Filter} query=${query} /><//>
    ${[error, its.error].filter(Boolean).map((one) => html`<${Failed} error=${one} retry=${its.reload} />`)}
    ${grouped(its.rows).map(
      (one) => html`<${Same} key=${one.key} its=${one} picked=${picked} setPicked=${setPicked}
      reload=${done} />`,
    )}
    ${its.loading && its.rows.length === 0 && html`<${Loading} />`}
    ${empty && html`<${Panel}><${Empty}>${nothing}<//><//>`}
    ${
      its.cursor &&
      html`<footer class="pager"><span class="muted">${number(its.rows.length)} are grouped; there are more</span>
      <button onClick=${its.more}>Load ${number(LIMIT)} more</button></footer>`
    }`;
}
