// What all pages are made of: values that are followed, calls, links, tables, states.

import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Store, call, contact } from "./server.js";
import { apart, fromField, moment, toField, utc } from "./format.js";
import { serverNow } from "./live.js";

export { html, useEffect, useRef, useState };

export function useStore(store) {
  const [, turn] = useState(0);
  useEffect(() => store.follow(() => turn((n) => n + 1)), [store]);
  return store.value;
}

/// Moves every second, for what says how long ago something was.
const second = new Store(0);
setInterval(() => second.set(second.value + 1), 1000);

/// What a GET answers: {data, error, loading, reload}. Asked again when the server comes back, and
/// `every` so many ms, but for at most a twentieth of the time: a call that takes long is asked for less.
export function useCall(path, every = 0) {
  const [state, setState] = useState({});
  const [turn, setTurn] = useState(0);
  const { turns } = useStore(contact);
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    let timer = 0;
    const load = async () => {
      const began = performance.now();
      if (!document.hidden || every === 0) {
        try {
          const data = await call("GET", path, undefined, stop.signal);
          if (!stop.signal.aborted) setState({ path, data });
        } catch (error) {
          if (stop.signal.aborted) return;
          setState((old) => ({ path, error, data: old.path === path ? old.data : undefined }));
        }
      }
      if (every === 0 || stop.signal.aborted) return;
      timer = setTimeout(load, Math.max(every, 20 * (performance.now() - began)));
    };
    load();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, every, turn, turns]);
  const its = state.path === path ? state : {};
  return { ...its, loading: !its.data && !its.error, reload: () => setTurn((n) => n + 1) };
}

/// The route: {page, name, query} of "#/task/ID?x=y". The part behind # is sent to no server.
export const route = new Store(readRoute());
function readRoute() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [page, ...rest] = path.split("/");
  let name = "";
  try {
    name = decodeURIComponent(rest.join("/"));
  } catch {
    // An address that somebody mistyped names nothing.
  }
  return { page, name, query: Object.fromEntries(new URLSearchParams(query)) };
}
addEventListener("hashchange", () => route.set(readRoute()));

export function to(page, name = "", query = {}) {
  const set = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const tail = set.length === 0 ? "" : `?${new URLSearchParams(set)}`;
  return `#/${page}${name === "" ? "" : `/${encodeURIComponent(name)}`}${tail}`;
}

export function Time({ at, fine }) {
  if (at == null) return "–";
  return html`<time datetime=${new Date(at).toISOString()} title=${utc(at)}>${moment(at, fine)}</time>`;
}

/// "in 3 min", kept true.
export function Apart({ at }) {
  useStore(second);
  if (at == null) return "–";
  return html`<time class="muted" datetime=${new Date(at).toISOString()}
    title=${utc(at)}>${apart(at, serverNow())}</time>`;
}

export function State({ state }) {
  return html`<span class="state" data-state=${state}>${state}</span>`;
}

/// An id, group or payload is whatever somebody sent: shown as text, apart from what stands around it.
export const Name = ({ children }) => html`<bdi class="name">${children}</bdi>`;
export const TaskLink = ({ id }) => html`<a class="name" href=${to("task", id)}><bdi>${id}</bdi></a>`;
export const GroupLink = ({ name }) =>
  name ? html`<a class="name" href=${to("groups", name)}><bdi>${name}</bdi></a>` : null;
export const TargetLink = ({ name }) =>
  name.includes("://")
    ? html`<${Name}>${name}<//>`
    : html`<a class="name" href=${to("targets", name)}><bdi>${name}</bdi></a>`;

export function Panel({ title, aside, children, class: more = "" }) {
  return html`<section class=${`panel ${more}`}>
    ${(title || aside) && html`<header><h2>${title}</h2>${aside && html`<div class="aside">${aside}</div>`}</header>`}
    ${children}
  </section>`;
}

export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;
export const Loading = () => html`<p class="empty" role="status">Loading …</p>`;

export function Failed({ error, retry }) {
  return html`<div class="failed" role="alert">
    <strong>${error.title ?? "Something went wrong"}</strong> <span>${error.message}</span>
    ${retry && html`<button onClick=${retry}>Try again</button>`}
  </div>`;
}

/// What a call has come to: its failure, that it goes on, or what `children` makes of its data.
export function Called({ its, children }) {
  return html`${its.error && html`<${Failed} error=${its.error} retry=${its.reload} />`}
    ${its.loading && html`<${Loading} />`}
    ${its.data && children(its.data)}`;
}

/// `columns`: [{title, cell: row => ..., number, grow}]; `picked`: a Set of keys and a setter, where
/// rows can be picked. Where it is narrow, a row becomes a card.
export function Table({ label, columns, rows, keyOf, picked, setPicked }) {
  const all = rows.length > 0 && rows.every((row) => picked?.has(keyOf(row)));
  const pick = (keys, on) => {
    const next = new Set(picked);
    for (const key of keys) on ? next.add(key) : next.delete(key);
    setPicked(next);
  };
  return html`<div class="table" role="region" tabindex="0" aria-label=${label}><table>
    <thead><tr>
      ${
        picked &&
        html`<th class="pick"><input type="checkbox" aria-label="Select all that are shown" checked=${all}
        onChange=${(event) => pick(rows.map(keyOf), event.target.checked)} /></th>`
      }
      ${columns.map((column) => html`<th class=${column.number ? "number" : ""}>${column.title}</th>`)}
    </tr></thead>
    <tbody>${rows.map(
      (row) => html`<tr key=${keyOf(row)}>
      ${
        picked &&
        html`<td class="pick"><input type="checkbox" aria-label=${`Select ${keyOf(row)}`}
          checked=${picked.has(keyOf(row))}
        onChange=${(event) => pick([keyOf(row)], event.target.checked)} /></td>`
      }
      ${columns.map(
        (column) => html`<td data-title=${column.title}
        class=${column.number ? "number" : ""}><div>${column.cell(row)}</div></td>`,
      )}
    </tr>`,
    )}</tbody>
  </table></div>`;
}

/// Name and value, one under the other.
export function Facts({ rows }) {
  return html`<dl class="facts">${rows
    .filter((row) => row && row[1] != null && row[1] !== false && row[1] !== "")
    .map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/// How much of what there may be, as a bar beside its words.
export function Meter({ label, value, max, text }) {
  const part = max > 0 ? Math.min(1, value / max) : 0;
  return html`<div class="meter">
    <span>${label}</span><span class="number">${text}</span>
    <div role="meter" aria-label=${label} aria-valuenow=${Math.round(part * 100)} aria-valuemin="0"
      aria-valuemax="100"
      data-level=${part > 0.9 ? "high" : ""}><div style=${{ width: `${part * 100}%` }}></div></div>
  </div>`;
}

export function Field({ label, hint, error, children }) {
  return html`<label class="field">
    <span>${label}</span>${children}
    ${error && html`<em role="alert">${error}</em>`}
    ${hint && html`<small>${hint}</small>`}
  </label>`;
}

/// A field of text, which is somebody's name and no word for a spelling checker.
export function TextField({ label, name, value, set, ...more }) {
  return html`<${Field} label=${label}><input name=${name} value=${value ?? ""} autocomplete="off" spellcheck="false"
    onInput=${(event) => set(event.target.value)} ...${more} /><//>`;
}

/// A field for a moment in the reader's zone; `value` is as the API has it, or empty.
export function TimeField({ label, name, value, set }) {
  return html`<${Field} label=${label}><input type="datetime-local" step="1" name=${name}
    value=${value ? toField(value) : ""}
    onChange=${(event) => set(fromField(event.target.value))} /><//>`;
}

/// A colour of the style sheet as a canvas takes it.
export function colour(name) {
  const probe = document.getElementById("probe");
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/// Counts the changes between light and dark, which what is drawn on a canvas has to follow.
export const theme = new Store(0);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => theme.set(theme.value + 1));
