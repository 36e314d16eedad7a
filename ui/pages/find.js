// Tasks by id, group, target, lane, state and due; what is picked can be cancelled or moved.

import { ask, forEach, summary } from "../actions.js";
import { count, number, parseSpan } from "../format.js";
import {
  Apart,
  Empty,
  Failed,
  Field,
  GroupLink,
  Loading,
  Name,
  Panel,
  State,
  Table,
  TargetLink,
  TaskLink,
  TextField,
  Time,
  TimeField,
  html,
  route,
  to,
  useEffect,
  useState,
  useStore,
} from "../parts.js";
import { Problem, call, can, contact, segment, withQuery } from "../server.js";

const STATES = ["", "scheduled", "firing", "delivered", "retrying", "dead", "expired", "cancelled"];
const LIMIT = 100;

/// Pages of a list, one after the other: {rows, more, error, loading, reload}.
export function usePages(path, member, limit = LIMIT) {
  const [state, setState] = useState({ rows: [] });
  const [turn, setTurn] = useState(0);
  const { turns } = useStore(contact);
  // What was shown stays until there is something else to show.
  const load = async (rows, cursor, signal) => {
    setState((old) => ({ path, rows: old.path === path ? old.rows : rows, loading: true }));
    try {
      const [bare, query] = path.split("?");
      const asked = withQuery(bare, { ...Object.fromEntries(new URLSearchParams(query)), limit, cursor });
      const page = await call("GET", asked, undefined, signal);
      setState({ path, rows: [...rows, ...page[member]], cursor: page.next_cursor, silent: page.silent_shards });
    } catch (error) {
      if (!signal?.aborted) setState((old) => ({ ...old, loading: false, cursor, error }));
    }
  };
  useEffect(() => {
    const stop = new AbortController();
    load([], undefined, stop.signal);
    return () => stop.abort();
  }, [path, turn, turns]);
  return {
    ...(state.path === path ? state : { rows: [], loading: true }),
    more: () => load(state.rows, state.cursor),
    reload: () => setTurn((n) => n + 1),
  };
}

/// What a form of filters holds: {values, its, clear}; `its` makes the properties of one field.
export function useFilter(query) {
  const [values, setValues] = useState(query);
  useEffect(() => setValues(query), [location.hash]);
  const its = (name, label) => ({
    name,
    label,
    value: values[name],
    set: (value) => setValues({ ...values, [name]: value }),
  });
  return { values, its, clear: () => setValues({}) };
}

function Filter({ query }) {
  const { values, its, clear } = useFilter(query);
  const submit = (event) => {
    event.preventDefault();
    const { id, ...rest } = values;
    location.hash = id ? to("task", id) : to("find", "", rest);
  };
  return html`<form class="filter" onSubmit=${submit}>
    <${TextField} ...${its("id", "Exact id")} /><${TextField} ...${its("group", "Group")} />
    <${TextField} ...${its("target", "Target or URL")} /><${TextField} ...${its("lane", "Lane")} />
    <${Field} label="State"><select name="state" onChange=${(event) => its("state").set(event.target.value)}>
      ${STATES.map(
        (state) => html`<option value=${state} selected=${state === (values.state ?? "")}>
        ${state || "any"}</option>`,
      )}</select><//>
    <${TimeField} ...${its("due_from", "Due from")} /><${TimeField} ...${its("due_to", "Due before")} />
    <div class="buttons"><button class="primary">Find</button>
      <a class="button" href=${to("find")} onClick=${clear}>Clear</a></div>
  </form>`;
}

const COLUMNS = [
  { title: "Id", cell: (task) => html`<${TaskLink} id=${task.id} />` },
  { title: "State", cell: (task) => html`<${State} state=${task.state} />` },
  { title: "Due", cell: (task) => html`<${Time} at=${task.due_at} />` },
  { title: "", cell: (task) => html`<${Apart} at=${task.due_at} />` },
  { title: "Target", cell: (task) => html`<${TargetLink} name=${task.target} />` },
  {
    title: "Group",
    cell: (task) => html`<${GroupLink} name=${task.group} />`,
  },
  { title: "Lane", cell: (task) => task.lane && html`<${Name}>${task.lane}<//>` },
  { title: "Attempt", number: true, cell: (task) => number(task.attempt) },
];

async function cancelAll(ids) {
  const answer = await call("POST", "/v1/tasks:batchCancel", { ids });
  if (answer.cancelled === 0) throw new Problem(answer.results[0].status, answer.results[0]);
  const failed = answer.failed === 0 ? "" : `; ${answer.failed} could not be`;
  return `${count(answer.cancelled, "task")} cancelled${failed}.`;
}

function askToCancel(ids, done) {
  ask({
    title: `Cancel ${count(ids.length, "task")}?`,
    text: "None of them is pushed from then on. A task that is being pushed is not cancelled.",
    verb: `Cancel ${count(ids.length, "task")}`,
    danger: true,
    run: () => cancelAll(ids),
    done,
  });
}

function askToMove(tasks, done) {
  ask({
    title: `Move ${count(tasks.length, "task")}`,
    verb: `Move ${count(tasks.length, "task")}`,
    text: "Each keeps its distance to the others. What would be past is due now.",
    fields: [
      {
        name: "by",
        label: "By",
        placeholder: "10m, 1h30m, -90s",
        required: true,
        hint: "A duration; with a minus it is due sooner.",
      },
    ],
    run: async ({ by }, progress) => {
      const ms = parseSpan(by);
      if (Number.isNaN(ms))
        throw new Problem(400, {
          title: "No duration",
          detail: "Write a duration such as 10m, 1h30m or -90s.",
          field: "by",
        });
      const move = (task) =>
        call("PATCH", `/v1/tasks/${segment(task.id)}`, {
          due_at: new Date(Date.parse(task.due_at) + ms).toISOString(),
        });
      return `${summary(await forEach(tasks, move, progress), "moved")}.`;
    },
    done,
  });
}

export function Find() {
  const { query } = useStore(route);
  const its = usePages(withQuery("/v1/tasks", query), "tasks");
  const [picked, setPicked] = useState(new Set());
  useEffect(() => setPicked(new Set()), [location.hash]);
  const chosen = its.rows.filter((task) => picked.has(task.id));
  const done = () => {
    setPicked(new Set());
    its.reload();
  };
  return html`<${Panel}><${Filter} query=${query} /><//>
    <${Panel} title="Tasks" aside=${html`
      ${
        can("write") &&
        chosen.length > 0 &&
        html`<button onClick=${() => askToMove(chosen, done)}>Move ${number(chosen.length)}</button>
        <button class="danger" onClick=${() =>
          askToCancel(
            chosen.map((task) => task.id),
            done,
          )}>Cancel ${number(chosen.length)}</button>`
      }
      <button onClick=${its.reload}>Reload</button>`}>
      ${
        its.silent &&
        html`<p class="failed"
        role="alert">Shards ${its.silent.join(", ")} do not answer; their tasks are missing.</p>`
      }
      ${
        its.rows.length > 0 &&
        html`<${Table} label="Tasks" columns=${COLUMNS} rows=${its.rows} keyOf=${(task) => task.id}
        picked=${can("write") ? picked : null} setPicked=${setPicked} />`
      }
      ${its.error && html`<${Failed} error=${its.error} retry=${its.reload} />`}
      ${its.loading && its.rows.length === 0 && html`<${Loading} />`}
      ${
        !its.loading &&
        !its.error &&
        its.rows.length === 0 &&
        html`<${Empty}>${
          Object.keys(query).length === 0
            ? "No task is there. Add one: docs/api.md says how."
            : "No task is like that. Finished tasks are kept for an hour, unless the server is set otherwise."
        }<//>`
      }
      <footer class="pager"><span
        class="muted">${its.rows.length > 0 && `${number(its.rows.length)} shown, by due`}</span>
        ${its.cursor && html`<button onClick=${its.more}>Show more</button>`}</footer>
    <//>`;
}
