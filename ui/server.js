// Calls to the server that this page came from, and what is known of it: whether it answers, and
// what the token may do.

const TOKEN = "carillon.token"; // in session storage: gone with the tab, and never in a URL
const PATIENCE_MS = 20_000;

/// A value that components follow (parts.js has the hook).
export class Store {
  #followers = new Set();
  constructor(value) {
    this.value = value;
  }
  set(value) {
    this.value = value;
    for (const follower of [...this.#followers]) follower(value);
  }
  follow(follower) {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}

/// What the server refused, as docs/api.md lists it.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.slug = (body.type ?? "").replace("/problems/", "");
    this.title = body.title ?? `Status ${status}`;
    this.field = body.field;
  }
}

/// No answer came.
export class Lost extends Error {
  constructor() {
    super("The server does not answer. What you asked for may or may not have been done.");
    this.title = "No answer";
  }
}

/// `state`: "live", "lost" or "starting" (why: `detail`), since when; `turns` counts the times that the
/// server came back, so that what was loaded before is loaded again.
export const contact = new Store({ state: "live", since: Date.now(), turns: 0 });

function setContact(state, detail = "") {
  const before = contact.value;
  if (before.state === state && before.detail === detail) return;
  const since = before.state === state ? before.since : Date.now();
  contact.set({ state, detail, since, turns: before.turns + (state === "live" ? 1 : 0) });
}

/// `state`: "opening", "token" (one is wanted; `refused` is set where another was not known) or "open".
export const session = new Store({ state: "opening" });

const ROLES = ["read", "write", "admin"];

/// Whether the token's role lets it do what `role` may.
export function can(role) {
  return ROLES.indexOf(session.value.role) >= ROLES.indexOf(role);
}

function askForToken() {
  const had = sessionStorage.getItem(TOKEN) !== null;
  sessionStorage.removeItem(TOKEN);
  session.set({ state: "token", refused: had });
}

async function send(method, path, body, signal) {
  const headers = {};
  const token = sessionStorage.getItem(TOKEN);
  if (token !== null) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  signal?.addEventListener("abort", () => stop.abort());
  try {
    const answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
      signal: stop.signal,
      cache: "no-store",
    });
    return { answer, text: await answer.text() };
  } finally {
    clearTimeout(timer);
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/// The answer's JSON, or its text where it is none; throws a Problem or Lost. A call that `signal`
/// ended throws whatever it likes.
export async function call(method, path, body, signal) {
  let sent;
  try {
    sent = await send(method, path, body, signal);
  } catch (error) {
    if (!signal?.aborted) setContact("lost");
    throw signal?.aborted ? error : new Lost();
  }
  const { answer, text } = sent;
  const json = answer.headers.get("content-type")?.includes("json") ? parse(text) : null;
  if (answer.status === 401) askForToken();
  if (answer.status === 503 && json?.type === "/problems/not_ready") {
    setContact("starting", json.detail);
  } else {
    setContact("live");
  }
  if (!answer.ok) throw new Problem(answer.status, json ?? { detail: text.slice(0, 200) });
  if (json !== null && typeof json === "object") texts.set(json, text);
  return json ?? text;
}

const texts = new WeakMap();
/// An answer as it was sent; parsing rounds large numbers.
export const textOf = (json) => texts.get(json);

/// Asks with which role this page acts; again and again while no answer comes.
export async function open() {
  for (;;) {
    try {
      const { role } = await call("GET", "/v1/whoami");
      const hasToken = sessionStorage.getItem(TOKEN) !== null;
      session.set({ state: "open", role, hasToken });
      return;
    } catch (error) {
      if (session.value.state === "token") return;
      session.set({ state: "opening", error });
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}

export function signIn(token) {
  sessionStorage.setItem(TOKEN, token);
  return open();
}

export function signOut() {
  sessionStorage.removeItem(TOKEN);
  session.set({ state: "token", refused: false });
}

/// "/v1/tasks?group=a", without the parameters that are empty.
export function withQuery(path, parameters) {
  const set = Object.entries(parameters).filter(([, value]) => value !== "" && value != null);
  return set.length === 0 ? path : `${path}?${new URLSearchParams(set)}`;
}

/// A name in a path.
export const segment = (name) => encodeURIComponent(name);
