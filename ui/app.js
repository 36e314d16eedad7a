// The dashboard: its pages, the way between them, and what stands around them.

import { Actions } from "./actions.js";
import { count, moment, span, utc } from "./format.js";
import { live, serverNow, watch } from "./live.js";
import { Failed, Loading, Panel, html, route, theme, to, useEffect, useRef, useState, useStore } from "./parts.js";
import { contact, open, session, signIn, signOut } from "./server.js";
import { render } from "./vendor/preact-htm.js";
import { Audit } from "./pages/audit.js";
import { Dead } from "./pages/dead.js";
import { Find } from "./pages/find.js";
import { Forecast } from "./pages/forecast.js";
import { Groups } from "./pages/groups.js";
import { Lanes } from "./pages/lanes.js";
import { Nodes } from "./pages/nodes.js";
import { Overview } from "./pages/overview.js";
import { Targets } from "./pages/targets.js";
import { Task } from "./pages/task.js";

const PAGES = {
  "": { title: "Overview", page: Overview },
  find: { title: "Find", page: Find },
  task: { title: "Task", page: Task, within: "find" },
  groups: { title: "Groups", page: Groups },
  targets: { title: "Targets", page: Targets },
  lanes: { title: "Lanes", page: Lanes },
  dead: { title: "Dead letters", page: Dead },
  forecast: { title: "Forecast", page: Forecast },
  nodes: { title: "Nodes", page: Nodes },
  audit: { title: "Audit", page: Audit },
};

const THEMES = ["auto", "light", "dark"];
const THEME = "carillon.theme";

function setTheme(name) {
  localStorage.setItem(THEME, name);
  document.documentElement.dataset.theme = name;
  theme.set(theme.value + 1);
}

function Theme() {
  useStore(theme);
  const now = document.documentElement.dataset.theme;
  return html`<label class="theme"><span class="hidden">Colours</span><select value=${now}
    onChange=${(event) => setTheme(event.target.value)}>
    ${THEMES.map((name) => html`<option value=${name} selected=${name === now}>${name}</option>`)}</select></label>`;
}

function Clock() {
  const [, turn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => turn((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const now = serverNow();
  return html`<time class="clock number" title=${`The server's clock: ${utc(now)}`}>${moment(now)}</time>`;
}

/// Says that the server does not answer, or is not ready, and since when.
function Contact() {
  const its = useStore(contact);
  const [, turn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => turn((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  if (its.state === "live") return null;
  const age = span(Math.max(0, Date.now() - its.since));
  return html`<p class="contact" role="alert">${
    its.state === "lost"
      ? html`<strong>The server does not answer</strong> for ${age}. What is shown is older. Trying again.`
      : html`<strong>The server is not ready:</strong> ${its.detail}. Since ${age}.`
  }</p>`;
}

function Nav({ page }) {
  const dead = useStore(live)?.stats.counts.dead ?? 0;
  const shown = PAGES[page]?.within ?? page;
  const list = useRef(null);
  useEffect(
    () => list.current.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }),
    [shown, dead > 0],
  );
  return html`<nav aria-label="Pages"><ul ref=${list}>${Object.entries(PAGES)
    .filter(([, its]) => !its.within)
    .map(
      ([name, its]) => html`<li key=${name}>
    <a href=${to(name)} aria-current=${name === shown ? "page" : undefined}>${its.title}
      ${
        name === "dead" &&
        dead > 0 &&
        html`<span
        class="badge number">${dead > 999 ? "999+" : dead}</span>`
      }</a></li>`,
    )}</ul></nav>`;
}

function Header() {
  const { state } = useStore(contact);
  const { role, hasToken } = useStore(session);
  const { stats, alarms } = useStore(live) ?? {};
  return html`<header class="top">
    <a class="brand" href="#/"><img src="icon.svg" alt="" width="26"
      height="26" /> Carillon <small>${stats?.version}</small></a>
    <div class="status">
      <span class="state" data-state=${state === "live" ? "fine" : "dead"}>${state}</span>
      ${alarms?.length > 0 && html`<a class="badge" href="#/">${count(alarms.length, "alarm")}</a>`}
      ${stats && html`<${Clock} />`}
      <span class="muted role">${role}</span>
      ${hasToken && html`<button onClick=${signOut}>Sign out</button>`}
      <${Theme} />
    </div>
  </header>`;
}

function SignIn({ refused }) {
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    await signIn(token.trim());
    setBusy(false);
  };
  return html`<main class="sign-in" id="main"><${Panel} title="Carillon"><form onSubmit=${submit}>
    <p>This server asks for a token. It is kept in this tab, until the tab is closed.</p>
    <label class="field"><span>Token</span><input type="password" required autocomplete="off" value=${token}
      onInput=${(event) => setToken(event.target.value)} />
      ${refused && !busy && html`<em role="alert">The server does not know this token.</em>`}</label>
    <button class="primary" disabled=${busy}>Open</button></form><//></main>`;
}

function Page() {
  const at = useStore(route);
  const heading = useRef(null);
  const seen = useRef(at.page);
  const its = PAGES[at.page];
  useEffect(() => {
    document.title = `${its?.title ?? "Nothing"} · Carillon`;
    if (seen.current !== at.page) heading.current?.focus();
    seen.current = at.page;
  }, [at.page]);
  return html`<${Nav} page=${at.page} /><main id="main">
    <${Contact} />
    <h1 ref=${heading} tabindex="-1">${its?.title ?? "There is no such page"}</h1>
    ${its ? html`<${its.page} key=${at.page} />` : html`<a href="#/">To the overview</a>`}
  </main>`;
}

function App() {
  const its = useStore(session);
  if (its.state === "token") return html`<${SignIn} refused=${its.refused} />`;
  if (its.state === "opening")
    return html`<main class="sign-in" id="main">${
      its.error
        ? html`<${Failed}
      error=${its.error} />`
        : html`<${Loading} />`
    }</main>`;
  return html`<a class="skip" href="#main" onClick=${(event) => {
    event.preventDefault();
    document.querySelector("main h1").focus();
  }}>To the page</a><${Header} /><div class="frame"><${Page} /></div><${Actions} />`;
}

document.documentElement.dataset.theme = localStorage.getItem(THEME) ?? "auto";
const probe = document.body.appendChild(document.createElement("span"));
probe.id = "probe";
probe.hidden = true;
render(html`<${App} />`, document.body.appendChild(document.createElement("div")));
open();
watch();
