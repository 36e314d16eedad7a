// Each action of the dashboard, done by its buttons, and what has become of it on the server.

import assert from "node:assert/strict";

import { until } from "./carillon.js";

/// What the buttons of a page and of its question do.
class Hand {
  constructor(page, server) {
    this.page = page;
    this.server = server;
  }
  go(path) {
    return this.page.evaluate((hash) => (location.hash = hash), `#/${path}`);
  }
  press(name) {
    return this.page.locator("main").getByRole("button", { name, exact: true }).first().click();
  }
  get question() {
    return this.page.getByRole("dialog");
  }
  /// Answers the question with the values of its fields by `name`, and waits for what is said then.
  async answer(verb, says, values = {}) {
    for (const [name, value] of Object.entries(values)) await this.question.locator(`[name="${name}"]`).fill(value);
    await this.question.getByRole("button", { name: verb, exact: true }).click();
    await this.page.getByRole("status").getByText(says).first().waitFor();
    // The words may be those of an answer before: only what is done takes the question away.
    await this.question.waitFor({ state: "detached" });
  }
  async body(path) {
    return (await this.server.call("GET", path)).body;
  }
  add(id, more) {
    return this.server.call("POST", "/v1/tasks", { id, delay: "1d", target: "t", payload: { id }, ...more });
  }
}

async function onTargets(hand, receiver) {
  const { page } = hand;
  await hand.go("targets");
  await hand.press("New target");
  await hand.question.locator('[name="name"]').fill("t");
  await hand.question.locator('[name="url"]').fill("no url");
  await hand.question.getByRole("button", { name: "Make it" }).click();
  await hand.question.getByRole("alert").first().waitFor(); // the server's words, at the field
  await hand.answer("Make it", "It is there.", { url: receiver.url });
  assert.equal((await hand.body("/v1/targets/t")).concurrency, 64);
  await page.getByText("Unfinished tasks").waitFor();
  await hand.press("Edit");
  const settings = JSON.parse(await hand.question.locator("textarea").inputValue());
  await hand.answer("Save", "Saved", { settings: JSON.stringify({ ...settings, concurrency: 7 }) });
  assert.equal((await hand.body("/v1/targets/t")).concurrency, 7);
  await hand.press("Test");
  await hand.question.getByRole("button", { name: "Push a test" }).click();
  await hand.question.getByText("The test arrived").waitFor();
  await hand.question.getByText("a page of another origin").waitFor(); // what the receiver answers
  await page.keyboard.press("Escape");
  await hand.question.waitFor({ state: "detached" });
  await hand.press("Pause");
  await hand.answer("Pause", "Paused.");
  await hand.press("Resume");
  await hand.answer("Resume", "Resumed.");
  assert.equal((await hand.body("/v1/targets/t")).paused, false);
}

async function onTask(hand, receiver) {
  const { page } = hand;
  await hand.add("one");
  await hand.go("find");
  await page.getByLabel("Exact id").fill("one");
  await hand.press("Find");
  await hand.press("Move");
  await hand.answer("Move", "Moved.", { due_at: "2026-12-12T10:20:30" });
  const { due_at } = await hand.body("/v1/tasks/one");
  assert.equal(new Date(due_at).getTime(), new Date("2026-12-12T10:20:30").getTime());
  await page.getByText("2026-12-12 10:20:30.000").first().waitFor();
  const waiting = page.locator(".panel", { has: page.getByRole("heading", { name: "Why not yet" }) });
  await waiting.getByText("It is not due yet").first().waitFor();
  await waiting.getByText("2026-12-12 10:20:30.000").waitFor();
  await hand.press("Push now");
  await hand.answer("Push now", "It is due now.");
  assert.equal((await receiver.push("one")).body.toString(), '{"id":"one"}');
  await page.locator(".facts .state[data-state=delivered]").waitFor();
  await waiting.waitFor({ state: "detached" });
  await page.locator(".timeline li", { hasText: "Delivered" }).waitFor();
  const events = await page.locator(".timeline li .state").allTextContents();
  assert.deepEqual(events, ["Created", "Moved", "Attempt 1", "Delivered"]);
  await page.locator(".timeline").getByText(/status 200, started .* late, took /).waitFor();
  await hand.add("two");
  await hand.go("task/two");
  await page.locator(".subject", { hasText: "two" }).waitFor();
  await hand.press("Cancel");
  await hand.answer("Cancel the task", "Cancelled; it had been pushed 0 times.");
  assert.equal((await hand.body("/v1/tasks/two")).state, "cancelled");
}

async function onFind(hand) {
  const { page } = hand;
  for (const id of ["f1", "f2", "f3"]) await hand.add(id, { group: "find me" });
  await hand.go("find");
  await page.getByLabel("Group").fill("find me");
  await hand.press("Find");
  await page.getByText("3 shown, by due").waitFor();
  await page.getByLabel("Select f1").check();
  await page.getByLabel("Select f3").check();
  const before = Date.parse((await hand.body("/v1/tasks/f1")).due_at);
  await hand.press("Move 2");
  await hand.question.locator('[name="by"]').fill("an hour");
  await hand.question.getByRole("button", { name: "Move 2 tasks" }).click();
  await hand.question.getByText("Write a duration such as").waitFor();
  await hand.answer("Move 2 tasks", "2 moved.", { by: "1h30m" });
  assert.equal(Date.parse((await hand.body("/v1/tasks/f1")).due_at), before + 5_400_000);
  await page.getByLabel("Select all that are shown").check();
  await hand.press("Cancel 3");
  await hand.answer("Cancel 3 tasks", "3 tasks cancelled.");
  assert.equal((await hand.body("/v1/groups/find%20me")).counts.cancelled, 3);
}

async function onGroup(hand) {
  const { page } = hand;
  for (let i = 0; i < 12; ++i) await hand.add(`g${i}`, { group: "herd" });
  await hand.go("groups");
  await page.getByLabel("Group").fill("herd");
  await hand.press("Show");
  await hand.press("Move all");
  const before = Date.parse((await hand.body("/v1/groups/herd")).earliest_due);
  await hand.answer("Move 12 tasks", "12 tasks moved.", { by: "10m" });
  assert.equal(Date.parse((await hand.body("/v1/groups/herd")).earliest_due), before + 600_000);
  await hand.press("Cancel all");
  await hand.question.getByText("Cancel 12 tasks?").waitFor();
  await hand.question.getByRole("button", { name: "Leave it" }).click();
  assert.equal((await hand.body("/v1/groups/herd")).counts.scheduled, 12);
  await hand.press("Cancel all");
  await hand.answer("Cancel 12 tasks", "12 tasks cancelled.");
  assert.equal((await hand.body("/v1/groups/herd")).counts.cancelled, 12);
}

async function onLanes(hand) {
  const { page } = hand;
  await hand.go("lanes");
  await hand.press("New lane");
  await hand.answer("Make it", "It is there.", { name: "night", weight: "3" });
  const row = page.getByRole("row", { name: /^night/ });
  await row.getByRole("button", { name: "Edit" }).click();
  await hand.answer("Save", "Saved", { weight: "5", reserved: "0.1" });
  const lane = await hand.body("/v1/lanes/night");
  assert.deepEqual([lane.weight, lane.reserved], [5, 0.1]);
  await row.getByRole("button", { name: "Edit" }).click();
  await hand.question.locator('[name="reserved"]').fill("0.9");
  await hand.question.getByRole("button", { name: "Save" }).click();
  await hand.question.getByRole("alert").waitFor(); // too much, with those that are there
  await page.keyboard.press("Escape");
  await row.getByRole("button", { name: "Delete" }).click();
  await hand.answer("Delete", "Deleted.");
  assert.equal((await hand.server.call("GET", "/v1/lanes/night")).status, 404);
}

const dead = async (hand) => (await hand.body("/v1/stats")).counts.dead;

async function onDead(hand) {
  const { page } = hand;
  await until("the letters to die", async () => (await dead(hand)) >= 13);
  await hand.go("dead?target=loyalty");
  await page.getByText("answered 410").waitFor();
  await hand.press("Unfold");
  await page.getByLabel("Select points-1").check();
  await page.getByLabel("Select points-2").check();
  await hand.press("Redrive 2");
  await hand.answer("Redrive 2", "2 redriven.");
  for (const id of ["points-1", "points-2"]) {
    await until(`${id} to die again`, async () => {
      const task = await hand.body(`/v1/tasks/${id}`);
      return task.redriven_at && task.state === "dead";
    });
  }
  await hand.press("Reload");
  await page.getByLabel("Select points-3").check();
  await hand.press("Delete 1");
  await hand.answer("Delete 1", "1 deleted.");
  await hand.press("Redrive all that match");
  await hand.answer("Redrive 8", "8 dead letters redriven.");
  await until("them to die again", async () => (await hand.body("/v1/dead?target=loyalty")).tasks.length === 8);
  await hand.press("Reload");
  await hand.press("Delete all that match");
  await hand.answer("Delete 8", "8 dead letters purged.");
  await page.getByText("No dead letter is like that.").waitFor();
  const [one] = (await hand.body("/v1/dead?target=crm&limit=1")).tasks;
  await hand.go(`task/${one.id}`);
  await hand.press("Delete");
  await hand.answer("Delete", "Deleted.");
  assert.equal((await hand.server.call("GET", `/v1/dead/${one.id}`)).status, 404);
}

async function onTargetsEnd(hand) {
  await hand.add("last");
  await hand.go("targets/t");
  await until("it to be counted", async () => (await hand.body("/v1/targets/t")).waiting === 1);
  await hand.page.getByText("Unfinished tasks").waitFor();
  await hand.press("Delete");
  await hand.answer("Delete, and let 1 task die", "Deleted.");
  assert.equal((await hand.server.call("GET", "/v1/targets/t")).status, 404);
}

/// What was done above on many tasks is told, newest first.
async function onAudit(hand) {
  await hand.go("audit");
  await hand.page.getByRole("row").filter({ hasText: "herd" }).filter({ hasText: "12 cancelled" }).waitFor();
}

export async function checkActions(browser, server, receiver, { open, close, checkAccess }) {
  const page = await open(browser, server.url, "targets");
  page.setDefaultTimeout(15_000);
  const hand = new Hand(page, server);
  await hand.press("New target");
  await checkAccess(page, "a question");
  await page.keyboard.press("Escape");
  for (const act of [onTargets, onTask, onFind, onGroup, onLanes, onDead, onTargetsEnd, onAudit]) await act(hand, receiver);
  await close(page);
}
