// A browser, Debian's Chromium: a page of the server's own origin may do all that the API does, and a
// page of another origin may do nothing, not even where browsers ask no leave first.
// usage: node browser.js DIRECTORY-OF-CARILLOND

import assert from "node:assert/strict";

import { withServer } from "./carillon.js";
import { launch } from "./chromium.js";

/// Runs in the page: one call after the other; the status of each, or "refused" where the browser
/// shows no answer.
async function call_all(calls) {
  const statuses = [];
  for (const [url, options] of calls) {
    try {
      statuses.push((await fetch(url, options)).status);
    } catch {
      statuses.push("refused");
    }
  }
  return statuses;
}

const task = (id) => JSON.stringify({ id, delay: "1d", target: "http://127.0.0.1:9/", group: "b" });
const json = { "content-type": "application/json" };

async function check_own_page(page, server) {
  await page.goto(`${server.url}/healthz`);
  const adds = Array.from({ length: 20 }, (_, i) => [
    "/v1/tasks", { method: "POST", headers: json, body: task(`b${i}`) },
  ]);
  assert.deepEqual(await page.evaluate(call_all, adds), Array(20).fill(201));
  assert.equal(await server.scheduled(), 20);
  const others = [
    ["/v1/tasks/b0", { method: "PATCH", headers: json, body: '{"delay":"2d"}' }],
    ["/v1/tasks/b1", { method: "DELETE" }],
    ["/v1/tasks/b1", {}],
    ["/v1/tasks?limit=5", {}],
    ["/v1/targets/shop", { method: "PUT", headers: json, body: '{"url":"http://127.0.0.1:9/"}' }],
    ["/v1/tasks/nothing", {}],
  ];
  assert.deepEqual(await page.evaluate(call_all, others), [200, 200, 200, 200, 201, 404]);
  assert.equal(await server.scheduled(), 19);
}

async function check_foreign_page(page, server, receiver) {
  await page.goto(receiver.url);
  const tasks = `${server.url}/v1/tasks`;
  const calls = [
    [tasks, { method: "POST", headers: json, body: task("foreign") }],
    [tasks, { method: "POST", body: task("foreign") }],
    [`${tasks}/b2`, { method: "DELETE" }],
    [`${tasks}/b2`, {}],
    // Sent without a preflight; the page may not see what comes of them.
    [tasks, { method: "POST", mode: "no-cors", body: task("foreign") }],
    [`${server.url}/v1/groups/b:cancel`, { method: "POST", mode: "no-cors" }],
  ];
  const statuses = await page.evaluate(call_all, calls);
  assert.deepEqual(statuses, ["refused", "refused", "refused", "refused", 0, 0]);
  assert.equal(await server.scheduled(), 19);
  assert.equal((await server.call("GET", "/v1/tasks/foreign")).status, 404);
}

/// A link leads to the dashboard, and nowhere else; a frame or a form leads nowhere.
async function check_links(page, server, receiver) {
  const follow = async (make) => {
    await page.goto(receiver.url);
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().startsWith(server.url)),
      page.evaluate(make, server.url),
    ]);
    await page.waitForURL(`${server.url}/**`); // else it would be broken off by the next
    return answer.status();
  };
  // What a function knows from here does not come with it to the page.
  const link = (path) => new Function("url", `
    const link = document.body.appendChild(document.createElement("a"));
    link.href = url + ${JSON.stringify(path)};
    link.click();`);
  assert.equal(await follow(link("/ui/")), 200);
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  assert.equal(await follow(link("/v1/tasks/b2")), 403);
  assert.equal(await follow(link("/v1/export")), 403);
  const form = new Function("url", `
    const form = document.body.appendChild(document.createElement("form"));
    form.method = "POST";
    form.action = url + "/ui/";
    form.submit();`);
  assert.equal(await follow(form), 403);
}

/// What `page` said and did not get from now on, a line each.
function follow_troubles(page) {
  const troubles = [];
  page.on("console", (message) => troubles.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => troubles.push(`error: ${error.stack}`));
  page.on("crash", () => troubles.push("the page crashed"));
  page.on("requestfailed", (request) => troubles.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (response) => {
    if (response.status() >= 400) troubles.push(`${response.url()}: ${response.status()}`);
  });
  return troubles;
}

await withServer(async (server, receiver) => {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    const troubles = follow_troubles(page);
    try {
      await check_own_page(page, server);
      await check_foreign_page(page, server, receiver);
      await check_links(page, server, receiver);
    } catch (error) {
      console.log([page.url(), ...troubles, await page.content(), server.log].join("\n"));
      throw error;
    }
    console.log(`[ figures  ] Chromium ${browser.version()}`);
  } finally {
    await browser.close();
  }
});
