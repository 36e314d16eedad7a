// The nodes of the cluster and their shards; on a server of its own, that server.

import { ask } from "../actions.js";
import { bytes, count, number, span } from "../format.js";
import { live } from "../live.js";
import { Called, Facts, Loading, Name, Panel, Table, html, useCall, useStore } from "../parts.js";
import { call, can, segment } from "../server.js";

function Server() {
  const its = useStore(live);
  if (!its) return html`<${Loading} />`;
  const { stats, metrics } = its;
  const { storage, memory } = stats;
  const commits = metrics.get("carillon_commit_seconds_count");
  const spent = metrics.get("carillon_commit_seconds_sum");
  return html`<div class="pair">
    <${Panel} title="This server"><${Facts} rows=${[
      ["Version", stats.version],
      ["Connections of clients", number(metrics.get("carillon_http_connections"))],
      ["Connections to receivers", number(stats.delivery.connections_open)],
      ["Open files", `${number(metrics.get("process_open_fds"))} of ${number(metrics.get("process_max_fds"))}`],
      ["Processor time", span(1000 * metrics.get("process_cpu_seconds_total"))],
      ["Memory in all", bytes(memory.resident_bytes)],
      ["of it tasks", bytes(memory.tasks_bytes)],
      ["of it payloads", bytes(memory.content_bytes)],
      ["of it storage", bytes(memory.storage_bytes)],
    ]} /><//>
    <${Panel} title="Its store"><${Facts} rows=${[
      ["Data directory", bytes(storage.disk_bytes)],
      ["Free on its disk", bytes(storage.free_bytes)],
      ["Log", bytes(storage.log_bytes)],
      ["Records so far", number(storage.last_sequence)],
      ["Commits", number(storage.commits)],
      ["One commit takes", commits > 0 ? span((1000 * spent) / commits) : null],
      ["Clock was set", `${number(metrics.get("carillon_clock_steps_total"))} times`],
      [
        "Adds refused",
        number(
          ["overloaded", "full", "no_space"].reduce(
            (sum, why) => sum + (metrics.get(`carillon_refused_total{reason="${why}"}`) ?? 0),
            0,
          ),
        ),
      ],
    ]} /><//></div>`;
}

function Condition({ node }) {
  const words = [
    !node.alive && "away",
    node.draining && "draining",
    node.clock_off && "clock is off",
    node.settings_differ?.length > 0 && `other settings: ${node.settings_differ.join(", ")}`,
  ].filter(Boolean);
  return html`<span class="state"
    data-state=${words.length === 0 ? "fine" : node.alive ? "held" : "dead"}>${words.join(", ") || "alive"}</span>`;
}

function askToDrain(node, done) {
  ask({
    title: html`Drain <${Name}>${node.name}<//>?`,
    verb: "Drain",
    danger: true,
    done,
    text: `It gives its ${count(node.owns, "shard")} to others and takes none until it is started anew.`,
    run: async () => (await call("POST", `/v1/cluster/nodes/${segment(node.name)}:drain`), "It has heard."),
  });
}

const nodeColumns = (own, reload) =>
  [
    {
      title: "Node",
      cell: (node) =>
        html`<${Name}>${node.name}<//>${node.name === own ? html` <span class="muted">(this one)</span>` : ""}`,
    },
    { title: "State", cell: (node) => html`<${Condition} node=${node} />` },
    { title: "URL", cell: (node) => html`<${Name}>${node.url}<//>` },
    { title: "Version", cell: (node) => node.version },
    { title: "Owns", number: true, cell: (node) => number(node.owns) },
    { title: "Clock ahead", number: true, cell: (node) => `${number(node.clock_ahead_ms)} ms` },
    { title: "Heard", number: true, cell: (node) => `${span(node.last_heard_ms)} ago` },
    can("admin") && {
      title: "",
      cell: (node) =>
        node.alive &&
        !node.draining &&
        html`<button class="danger" onClick=${() => askToDrain(node, reload)}>Drain</button>`,
    },
  ].filter(Boolean);

const SHARD_COLUMNS = [
  { title: "Shard", number: true, cell: (shard) => shard.shard },
  {
    title: "Owner",
    cell: (shard) =>
      shard.owner === null
        ? html`<span class="state" data-state="dead">nobody</span>`
        : html`<${Name}>${shard.owner}<//>`,
  },
  { title: "Epoch", number: true, cell: (shard) => number(shard.epoch) },
  { title: "Messages", number: true, cell: (shard) => number(shard.messages) },
  {
    title: "Followers, and how far behind",
    cell: (shard) =>
      shard.followers.map(
        (follower) =>
          html`<span class="follower"
            key=${follower.node}><${Name}>${follower.node}<//> ${number(follower.behind)}</span>`,
      ),
  },
];

export function Nodes() {
  const its = useCall("/v1/cluster", 2000);
  if (its.error?.status === 404) return html`<${Server} />`;
  return html`<${Called} its=${its}>${(cluster) => html`
    <${Panel} title=${html`Nodes of <${Name}>${cluster.name}<//>`}><${Table} label="Nodes"
      columns=${nodeColumns(cluster.node, its.reload)}
      rows=${cluster.nodes} keyOf=${(node) => node.name} /><//>
    <${Panel} title="Shards"><${Table} label="Shards" columns=${SHARD_COLUMNS} rows=${cluster.shards}
      keyOf=${(shard) => shard.shard} /><//>`}<//>
    ${its.data && html`<${Server} />`}`;
}
