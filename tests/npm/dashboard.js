// The dashboard in a browser, Debian's Chromium, on a real server: each page, each action, what a token
// may do, a server that dies, texts that would like to be markup, and axe-core on all of it.
// usage: node dashboard.js DIRECTORY-OF-CARILLOND

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { Receiver, Server, until } from "./carillon.js";
import { launch, pagesOf } from "./chromium.js";
import { checkActions } from "./dashboard_actions.js";
import { Receivers, fill } from "./dashboard_load.js";

const AXE = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const bin = process.argv[2];

const PAGES = pagesOf("cart-7", "spring-coupon");
const figures = [];

/// A page that fails the test where its script fails, breaks its policy or asks another host. That a call
/// was refused is no such failure, although the browser says it.
export async function open(browser, url, path = "", options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !/status of 4\d\d|ERR_/.test(message.text()))
      page.faults.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) page.faults.push(`asked for ${request.url()}`);
  });
  await page.goto(`${url}/ui/#/${path}`);
  await page.getByRole("heading", { level: 1 }).or(page.getByLabel("Token")).first().waitFor();
  return page;
}

export async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

/// What axe-core finds that is serious, in what is shown now.
async function checkAccess(page, what) {
  // Not as a script of the page, which its policy forbids.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const serious = violations.filter((one) => ["serious", "critical"].includes(one.impact));
  assert.deepEqual(
    serious.map((one) => `${what}: ${one.id} at ${one.nodes[0].target}: ${one.nodes[0].failureSummary}`),
    [],
  );
}

async function checkSize(browser, server) {
  const page = await browser.newPage();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  let bytes = 0;
  const files = new Set();
  cdp.on(
    "Network.requestWillBeSent",
    ({ request, requestId }) => request.url.includes("/ui/") && files.add(requestId),
  );
  cdp.on("Network.loadingFinished", (event) => files.has(event.requestId) && (bytes += event.encodedDataLength));
  const began = performance.now();
  await page.goto(`${server.url}/ui/`);
  await page.locator(".tile").first().waitFor();
  const shown = performance.now() - began;
  await page.waitForLoadState("networkidle", { timeout: 1000 }).catch(() => {});
  figures.push(
    `first view after ${Math.round(shown)} ms, ${files.size} files of ${Math.round(bytes / 1000)} kB with their heads`,
  );
  assert.ok(bytes < 100_000, `${bytes} bytes to load the dashboard`);
  assert.ok(shown < 5000, `first view after ${shown} ms`);
  await page.context().close();
}

async function checkRedirect(browser, server) {
  const page = await browser.newPage();
  await page.goto(server.url);
  assert.equal(page.url(), `${server.url}/ui/`);
  const framed = await page.evaluate(async (url) => {
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.src = url;
    await new Promise((done) => setTimeout(done, 300));
    return frame.contentDocument?.title ?? "refused";
  }, `${server.url}/ui/`);
  assert.equal(framed, "refused");
  await page.context().close();
}

/// Every page: its heading, no scrolling sideways, nothing serious for axe.
async function checkPages(browser, server, views) {
  for (const [width, colorScheme] of views) {
    const page = await open(browser, server.url, "", { viewport: { width, height: 800 }, colorScheme });
    for (const [title, path] of Object.entries(PAGES)) {
      await page.evaluate((hash) => (location.hash = hash), `#/${path}`);
      await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
      await page.getByText("Loading").first().waitFor({ state: "detached" });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${title} is ${over} px wider than ${width}`);
      await checkAccess(page, `${title}, ${width}, ${colorScheme}`);
    }
    await close(page);
  }
}

async function checkOverview(browser, server) {
  const opened = Date.now();
  const page = await open(browser, server.url);
  const pending = page.locator(".tile", { hasText: "Pending" });
  const { counts } = (await server.call("GET", "/v1/stats")).body;
  assert.ok(counts.scheduled > 1000);
  await pending.getByText(/^\d,\d{3}$/).waitFor();
  // Something is drawn, and it turns.
  const picture = () => page.locator(".wheel canvas").evaluate((canvas) => canvas.toDataURL());
  const first = await picture();
  await until("the wheel to turn", async () => (await picture()) !== first);
  await page.getByRole("img", { name: "Rates over time" }).waitFor();
  // What was before the page was opened is there at once.
  const caption = await page.getByText(/^tasks a second, the last (\d+ min|[1-9]\d s)/).textContent();
  const length = Number(caption.match(/(\d+) (min|s)/)[1]) * (caption.includes("min") ? 60_000 : 1000);
  assert.ok(length > Date.now() - opened, caption);
  await page.getByRole("heading", { name: /open alarm/ }).waitFor(); // some letters are dead
  await page.getByText("dead letters", { exact: true }).first().waitFor();
  await page
    .getByRole("banner")
    .getByRole("link", { name: /^\d+ alarms?$/ })
    .waitFor();
  await close(page);
}

/// One hour of the heat map leads to its tasks, with the keyboard alone; an address that names no page says so.
async function checkForecast(browser, server) {
  const page = await open(browser, server.url, "forecast?target=shop&lane=critical");
  const cells = page.locator(".heat a");
  await cells.first().waitFor();
  assert.equal(await cells.count(), 31 * 24);
  await page.locator('.heat a[tabindex="0"]').focus();
  for (const key of ["ArrowDown", "ArrowDown", "ArrowRight"]) await page.keyboard.press(key);
  const day = new Date();
  const wanted = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 2, 1).toLocaleDateString("sv");
  await until("the cell to be reached", async () => {
    const label = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
    return label?.startsWith(`${wanted} 01:00: `);
  });
  const hot = page.locator(".heat a[data-most=true]");
  const tasks = Number((await hot.getAttribute("aria-label")).match(/: ([\d,]+) task/)[1].replace(",", ""));
  await hot.focus();
  await page.keyboard.press("Enter");
  await page.getByText(`${Math.min(100, tasks)} shown, by due`).waitFor();
  assert.match(page.url(), /target=shop&lane=critical/);
  await page.evaluate(() => (location.hash = "#/nothing"));
  await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  await close(page);
}

const HOSTILE = `<img src=x onerror="document.title='taken'">\u202Egnp.\u2066'"&/%?#`;

/// Ids, groups, payloads and errors are text, whatever they look like; numbers are shown as they came.
async function checkHostile(browser, server) {
  const payload = `{"a":"<script>document.title='taken'</script>","n":12345678901234567890.10,"deep":{"e":[]}}`;
  const add = (id, rest) =>
    fetch(`${server.url}/v1/tasks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"id":${JSON.stringify(id)},"delay":"1d","target":"https://example.com/%3Cb%3E","group":${JSON.stringify(HOSTILE)},${rest}}`,
    });
  assert.equal((await add(HOSTILE, `"payload":${payload}`)).status, 201);
  const long = "x".repeat(900_000);
  assert.equal((await add("large", `"headers":{"payload":"not it"},"payload":"${long}"`)).status, 201);
  const page = await open(browser, server.url, `find?group=${encodeURIComponent(HOSTILE)}`);
  await page.getByRole("link", { name: HOSTILE }).first().click();
  await page.getByRole("heading", { level: 1, name: "Task", exact: true }).waitFor();
  await page.locator(".subject", { hasText: HOSTILE }).waitFor();
  const shown = page.locator("pre.payload");
  await shown.getByText('"n": 12345678901234567890.10').waitFor();
  assert.match(await shown.textContent(), /<script>document\.title='taken'<\/script>/);
  await page.getByRole("button", { name: "raw" }).click();
  assert.equal(await shown.textContent(), payload);
  await page.getByRole("button", { name: "hex" }).click();
  assert.match(await shown.textContent(), /^00000000 {2}7b 22 61/);
  assert.equal(await page.locator("main img, main script").count(), 0);
  assert.equal(await page.title(), "Task · Carillon");
  await page.evaluate(() => (location.hash = "#/task/large"));
  await until("the large payload", async () => (await shown.textContent()).length === long.length + 2);
  await page.evaluate(() => (location.hash = "#/groups"));
  await close(page);
}

/// The server is killed, and comes back: the page says so, and goes on by itself.
async function checkDeath(browser, server) {
  const page = await open(browser, server.url);
  await page.locator(".tile").first().waitFor();
  await server.kill();
  await page.getByRole("alert").getByText("The server does not answer").waitFor();
  await page.evaluate(() => (location.hash = "#/lanes"));
  await page.getByText("No answer").waitFor();
  await server.again();
  await page.getByText("The server does not answer").first().waitFor({ state: "detached" });
  await page.getByRole("cell", { name: "critical" }).waitFor();
  await close(page);
}

const hash = (token) => createHash("sha256").update(token).digest("hex");
const TOKENS = Object.fromEntries(["read", "write", "admin"].map((role) => [role, `${role}-token-of-the-test`]));
const CONFIG = Object.entries(TOKENS)
  .map(([role, token]) => `[[tokens]]\nname = "${role}"\nrole = "${role}"\nsha256 = "${hash(token)}"\n`)
  .join("");

/// Buttons that change something, on the pages where there is something to change.
async function actionsOn(page) {
  const found = new Set();
  for (const path of ["find", "task/waits", "groups/g", "targets/shop", "targets", "lanes", "dead"]) {
    await page.evaluate((hash) => (location.hash = hash), `#/${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByText("Loading").first().waitFor({ state: "detached" });
    // The page before may still be there.
    if (path === "find") await page.locator("main").getByRole("link", { name: "waits" }).first().waitFor();
    for (const name of await page.locator("main button").allTextContents()) found.add(name.trim());
    if ((await page.locator("main input[type=checkbox]").count()) > 0) found.add("checkbox");
  }
  for (const name of ["Find", "Clear", "Reload", "Show", "pretty", "raw", "hex", "Show more", ""])
    found.delete(name);
  return [...found].sort();
}

async function signIn(page, token) {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Open" }).click();
}

async function checkTokens(browser) {
  const server = await Server.start(bin, CONFIG);
  try {
    const headers = { authorization: `Bearer ${TOKENS.admin}`, "content-type": "application/json" };
    const put = (path, method, body) => fetch(server.url + path, { method, headers, body: JSON.stringify(body) });
    await put("/v1/targets/shop", "PUT", { url: "http://127.0.0.1:9/", headers: { "x-key": "hush" } });
    await put("/v1/tasks", "POST", { id: "waits", delay: "1d", target: "shop", group: "g" });
    const page = await open(browser, server.url, "find");
    await signIn(page, "wrong");
    await page.getByText("The server does not know this token.").waitFor();
    await checkAccess(page, "sign-in");
    const offered = {};
    for (const [role, token] of Object.entries(TOKENS)) {
      await signIn(page, token);
      await page.getByRole("banner").getByText(role, { exact: true }).waitFor();
      offered[role] = await actionsOn(page);
      const kept = await page.evaluate(() => [location.href, JSON.stringify(localStorage), document.cookie].join());
      assert.ok(!kept.includes(token));
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("Token").waitFor();
      assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    }
    assert.deepEqual(offered.read, []);
    assert.deepEqual(offered.write, ["Cancel", "Cancel all", "Move", "Move all", "Push now", "checkbox"]);
    assert.deepEqual(offered.admin, [
      "Cancel",
      "Cancel all",
      "Delete",
      "Edit",
      "Move",
      "Move all",
      "New lane",
      "New target",
      "Pause",
      "Push now",
      "Test",
      "checkbox",
    ]);
    assert.ok(!Object.values(TOKENS).some((token) => server.log.includes(token)));
    await close(page);
  } finally {
    await server.stop();
  }
}

/// As docs/api.md has it; a whole cluster is tried by tests/cluster_faults.
const CLUSTER = {
  name: "try",
  id: "1",
  node: "a",
  nodes: ["a", "b"].map((name, i) => ({
    name,
    url: "http://127.0.0.1:1",
    version: "0.1.0",
    alive: true,
    draining: false,
    clock_off: false,
    clock_ahead_ms: -i,
    last_heard_ms: 12,
    owns: 1,
  })),
  shards: [0, 1].map((shard) => ({
    shard,
    owner: shard === 0 ? "a" : null,
    epoch: 3,
    messages: 1234,
    followers: [{ node: "b", behind: 2 }],
  })),
};

async function checkCluster(browser, server) {
  const page = await open(browser, server.url, "", {});
  let drained = null;
  await page.route("**/v1/cluster", (route) => route.fulfill({ json: CLUSTER }));
  await page.route("**/v1/cluster/nodes/**", (route) => {
    drained = `${route.request().method()} ${new URL(route.request().url()).pathname}`;
    return route.fulfill({ json: { node: "b", draining: true } });
  });
  await page.evaluate(() => (location.hash = "#/nodes"));
  await page.getByText("nobody").waitFor();
  await page.getByRole("row", { name: /^b / }).getByRole("button", { name: "Drain" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Drain" }).click();
  await page.getByText("It has heard.").waitFor();
  assert.equal(drained, "POST /v1/cluster/nodes/b:drain");
  await checkAccess(page, "a cluster's nodes");
  await close(page);
}

const browser = await launch();
const receivers = await Receivers.start();
const receiver = await Receiver.start();
const server = await Server.start(bin);
try {
  await checkSize(browser, server);
  await checkPages(browser, server, [[900, "light"]]); // empty
  await fill(server, receivers.url, 4000);
  await checkPages(browser, server, [
    [1440, "light"],
    [360, "dark"],
  ]);
  for (const check of [checkRedirect, checkOverview, checkForecast, checkHostile, checkCluster])
    await check(browser, server);
  await checkActions(browser, server, receiver, { open, close, checkAccess });
  await checkTokens(browser);
  await checkDeath(browser, server);
  console.log(`[ figures  ] ${figures.join("; ")}; Chromium ${browser.version()}`);
} finally {
  await browser.close();
  await receiver.stop();
  await receivers.stop();
  await server.stop();
}
