// Lanes: what each asks for and what it gets.

import { ask } from "../actions.js";
import { count, number, rough } from "../format.js";
import { Called, Name, Panel, Table, html, to, useCall, useRef } from "../parts.js";
import { Problem, call, can, segment } from "../server.js";

const percent = (part) => `${rough(100 * part)} %`;
const path = (name) => `/v1/lanes/${segment(name)}`;

/// Of pushes that are limited: what is reserved, and of the rest a part by weight.
function shares(lanes) {
  const reserved = lanes.reduce((sum, lane) => sum + lane.reserved, 0);
  const weights = lanes.reduce((sum, lane) => sum + lane.weight, 0);
  return new Map(lanes.map((lane) => [lane.name, lane.reserved + ((1 - reserved) * lane.weight) / weights]));
}

/// What share of the pushes each lane had since this page was opened.
function useGot(lanes) {
  const first = useRef(null);
  if (first.current === null && lanes)
    first.current = new Map(lanes.map((lane) => [lane.name, lane.lateness_ms.count]));
  if (!lanes) return new Map();
  const grown = lanes.map((lane) => [
    lane.name,
    Math.max(0, lane.lateness_ms.count - (first.current.get(lane.name) ?? 0)),
  ]);
  const total = grown.reduce((sum, [, pushes]) => sum + pushes, 0);
  return new Map(grown.map(([name, pushes]) => [name, total === 0 ? null : pushes / total]));
}

const FIELDS = (lane) => [
  {
    name: "weight",
    label: "Weight",
    type: "number",
    required: true,
    value: String(lane.weight),
    hint: "1 to 1000: its part of what is not reserved, among the lanes that have due tasks.",
  },
  {
    name: "reserved",
    label: "Reserved",
    required: true,
    value: String(lane.reserved),
    hint: "0 to 0.9 of each limit, set aside for it; 0.9 for all lanes together.",
  },
];
const body = (values) => ({ weight: Number(values.weight), reserved: Number(values.reserved) });

function askToMake(lanes, done) {
  ask({
    title: "A new lane",
    verb: "Make it",
    done,
    fields: [{ name: "name", label: "Name", required: true }, ...FIELDS({ weight: 1, reserved: 0 })],
    run: async (values) => {
      if (lanes.some((lane) => lane.name === values.name))
        throw new Problem(409, {
          title: "It is there already",
          detail: "A lane has this name; edit that one.",
          field: "name",
        });
      await call("PUT", path(values.name), body(values));
      return "It is there.";
    },
  });
}

function askToEdit(lane, done) {
  ask({
    title: html`The lane <${Name}>${lane.name}<//>`,
    verb: "Save",
    done,
    fields: FIELDS(lane),
    run: async (values) => (
      await call("PUT", path(lane.name), body(values)),
      "Saved; it counts from the next push."
    ),
  });
}

function askToDelete(lane, done) {
  ask({
    title: html`Delete the lane <${Name}>${lane.name}<//>?`,
    text: "It can be deleted once no unfinished task names it.",
    verb: "Delete",
    danger: true,
    done,
    run: async () => (await call("DELETE", path(lane.name)), "Deleted."),
  });
}

function columns(lanes, got, reload) {
  const asked = shares(lanes);
  return [
    { title: "Name", cell: (lane) => html`<${Name}>${lane.name}<//>` },
    { title: "Weight", number: true, cell: (lane) => number(lane.weight) },
    { title: "Reserved", number: true, cell: (lane) => percent(lane.reserved) },
    { title: "Asks", number: true, cell: (lane) => percent(asked.get(lane.name)) },
    {
      title: "Got",
      number: true,
      cell: (lane) => (got.get(lane.name) == null ? "–" : percent(got.get(lane.name))),
    },
    {
      title: "Waiting",
      number: true,
      cell: (lane) => html`<a href=${to("find", "", { lane: lane.name })}>${number(lane.waiting)}</a>`,
    },
    { title: "Backlog", number: true, cell: (lane) => number(lane.backlog) },
    { title: "In flight", number: true, cell: (lane) => number(lane.in_flight) },
    {
      title: "Late p50",
      number: true,
      cell: (lane) => (lane.lateness_ms.count ? `${rough(lane.lateness_ms.p50)} ms` : "–"),
    },
    {
      title: "Late p99",
      number: true,
      cell: (lane) => (lane.lateness_ms.count ? `${rough(lane.lateness_ms.p99)} ms` : "–"),
    },
    can("admin") && {
      title: "",
      cell: (lane) => html`<span class="buttons"><button onClick=${() => askToEdit(lane, reload)}>Edit</button>
      ${
        lane.name !== "default" &&
        html`<button class="danger"
        onClick=${() => askToDelete(lane, reload)}>Delete</button>`
      }</span>`,
    },
  ].filter(Boolean);
}

export function Lanes() {
  const its = useCall("/v1/lanes", 2000);
  const got = useGot(its.data?.lanes);
  return html`<${Panel} title=${its.data && count(its.data.lanes.length, "lane")} aside=${
    its.data &&
    can("admin") &&
    html`<button class="primary"
      onClick=${() => askToMake(its.data.lanes, its.reload)}>New lane</button>`
  }>
    <${Called} its=${its}>${({ lanes }) => html`
      <${Table} label="Lanes" columns=${columns(lanes, got, its.reload)} rows=${lanes} keyOf=${(lane) => lane.name} />
      <p class="note muted"><b>Asks</b> is the share of the pushes while all lanes have due tasks.
        <b> Got</b> is the share since this page was
        opened, also of pushes that nothing limited. Lateness counts since the server's start.</p>`}<//><//>`;
}
