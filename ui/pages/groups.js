// A group: its counts, and cancelling or moving all of it at once.

import { ask } from "../actions.js";
import { count, number } from "../format.js";
import { serverNow } from "../live.js";
import {
  Apart,
  Called,
  Empty,
  Facts,
  GroupLink,
  Name,
  Panel,
  State,
  Table,
  TextField,
  Time,
  html,
  route,
  to,
  useCall,
  useEffect,
  useState,
  useStore,
} from "../parts.js";
import { call, can, segment, withQuery } from "../server.js";

const AHEAD = 1000; // tasks that are looked at for the names of groups, which no call lists

function Find() {
  const { name } = useStore(route);
  const [group, setGroup] = useState(name);
  useEffect(() => setGroup(name), [name]);
  return html`<${Panel}><form class="filter" onSubmit=${(event) => {
    event.preventDefault();
    location.hash = to("groups", group);
  }}><${TextField} label="Group" name="group" required value=${group} set=${setGroup} />
    <div class="buttons"><button class="primary">Show</button></div></form><//>`;
}

/// [{group, tasks, due}] of a page of tasks, in the order of what is due first.
function groupsOf(tasks) {
  const found = new Map();
  for (const { group, state, due_at } of tasks) {
    if (!group || state !== "scheduled") continue;
    const its = found.get(group) ?? { group, tasks: 0, due: due_at };
    found.set(group, { ...its, tasks: its.tasks + 1 });
  }
  return [...found.values()];
}

const COLUMNS = [
  {
    title: "Group",
    cell: (row) => html`<${GroupLink} name=${row.group} />`,
  },
  { title: "Of these tasks", number: true, cell: (row) => number(row.tasks) },
  { title: "First due", cell: (row) => html`<${Time} at=${row.due} />` },
  { title: "", cell: (row) => html`<${Apart} at=${row.due} />` },
];

function Next() {
  const [from, setFrom] = useState(() => new Date(serverNow()).toISOString());
  const its = useCall(withQuery("/v1/tasks", { due_from: from, limit: AHEAD }));
  return html`<${Panel} title="Groups that come next" aside=${html`<span
    class="muted">of the ${number(AHEAD)} tasks that are due next</span>
    <button onClick=${() => setFrom(new Date(serverNow()).toISOString())}>Reload</button>`}>
    <${Called} its=${its}>${({ tasks }) => {
      const rows = groupsOf(tasks);
      return rows.length === 0
        ? html`<${Empty}>None of them is in a group.<//>`
        : html`<${Table} label="Groups" columns=${COLUMNS} rows=${rows} keyOf=${(row) => row.group} />`;
    }}<//><//>`;
}

const waiting = (counts) => counts.scheduled + counts.retrying;

/// The number is asked for again when the question is, so that it is the one that stands.
async function askFor(name, question) {
  const { counts } = await call("GET", `/v1/groups/${segment(name)}`);
  ask(question(counts));
}

function askToCancel(name, done) {
  return askFor(name, (counts) => ({
    title: `Cancel ${count(waiting(counts), "task")}?`,
    verb: `Cancel ${count(waiting(counts), "task")}`,
    danger: true,
    done,
    text: html`<p>All of the group <${Name}>${name}<//> that wait now. None of them is pushed from then on.</p>
      ${counts.firing > 0 && html`<p>${count(counts.firing, "task")} more: pushed just now, not tried again.</p>`}`,
    run: async () => {
      const { cancelled, firing } = await call("POST", `/v1/groups/${segment(name)}:cancel`, {});
      return `${count(cancelled, "task")} cancelled${firing > 0 ? `, ${number(firing)} were being pushed` : ""}.`;
    },
  }));
}

function askToShift(name, done) {
  return askFor(name, (counts) => ({
    title: `Move ${count(counts.scheduled, "task")}`,
    verb: `Move ${count(counts.scheduled, "task")}`,
    done,
    text: html`<p>All scheduled tasks of the group <${Name}>${name}<//>. What would be past is due now.</p>`,
    fields: [
      {
        name: "by",
        label: "By",
        required: true,
        placeholder: "10m, 1h30m, -90s",
        hint: "A duration; with a minus they are due sooner.",
      },
    ],
    run: async ({ by }) =>
      `${count((await call("POST", `/v1/groups/${segment(name)}:shift`, { by })).shifted, "task")} moved.`,
  }));
}

function Group({ name }) {
  const its = useCall(`/v1/groups/${segment(name)}`, 2000);
  const buttons =
    can("write") &&
    its.data &&
    html`<button onClick=${() => askToShift(name, its.reload)}>Move all</button>
    <button class="danger" onClick=${() => askToCancel(name, its.reload)}>Cancel all</button>`;
  return html`<${Panel} title=${html`<${Name}>${name}<//>`} aside=${html`<a class="button"
    href=${to("find", "", { group: name })}>Its tasks</a>${buttons}`}>
    <${Called} its=${its}>${({ counts, earliest_due, latest_due }) => html`
      <${Facts} rows=${[
        ["Earliest due", earliest_due && html`<${Time} at=${earliest_due} /> <${Apart} at=${earliest_due} />`],
        ["Latest due", latest_due && html`<${Time} at=${latest_due} /> <${Apart} at=${latest_due} />`],
        ...Object.entries(counts).map(([state, tasks]) => [
          html`<${State} state=${state} />`,
          html`<a class="number" href=${to("find", "", { group: name, state })}>${number(tasks)}</a>`,
        ]),
      ]} />`}<//><//>`;
}

export function Groups() {
  const { name } = useStore(route);
  return html`<${Find} />${name === "" ? html`<${Next} />` : html`<${Group} key=${name} name=${name} />`}`;
}
