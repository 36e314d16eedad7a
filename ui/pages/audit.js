// Who changed settings, or many tasks at once, and what came of it.

import { count, number } from "../format.js";
import { Apart, Called, Empty, Name, Panel, Table, Time, html, useCall } from "../parts.js";

const LIMIT = 1000; // all that the server keeps

/// "12 cancelled, 0 firing" of {"cancelled": 12, "firing": 0}.
const told = (result) =>
  Object.entries(result ?? {})
    .map(([what, value]) => (typeof value === "number" ? `${number(value)} ${what}` : `${what} ${value}`))
    .join(", ");

const COLUMNS = [
  { title: "When", cell: (entry) => html`<${Time} at=${entry.at} />` },
  { title: "", cell: (entry) => html`<${Apart} at=${entry.at} />` },
  { title: "Who", cell: (entry) => (entry.who ? html`<${Name}>${entry.who}<//>` : "no token") },
  { title: "Action", cell: (entry) => html`<${Name}>${entry.action}<//>` },
  { title: "Of", cell: (entry) => entry.of && html`<${Name}>${entry.of}<//>` },
  { title: "Status", number: true, cell: (entry) => entry.status },
  { title: "Result", cell: (entry) => told(entry.result) },
];

export function Audit() {
  const its = useCall(`/v1/audit?limit=${LIMIT}`, 5000);
  return html`<${Panel} title=${its.data && count(its.data.entries.length, "entry", "entries")}
    aside=${html`<span class="muted">settings, and calls on many tasks; the newest first</span>`}>
    <${Called} its=${its}>${({ entries }) =>
      entries.length === 0
        ? html`<${Empty}>Nobody has changed settings, or many tasks at once.<//>`
        : html`<${Table} label="Audit" columns=${COLUMNS} rows=${entries}
          keyOf=${(entry) => `${entry.at} ${entries.indexOf(entry)}`} />`}<//><//>`;
}
