// What a task waits for, and what happened to it.

import { count, span } from "../format.js";
import { Apart, Called, Facts, Name, Panel, Time, html, useCall } from "../parts.js";
import { segment } from "../server.js";

const EVERY_MS = 2000;

const WAITS_FOR = {
  due: "It is not due yet",
  retry: "Its next attempt is not due yet",
  target_paused: "Its target is paused",
  target_held: "Its target is held",
  target_concurrency: "Its target has as many pushes as it may have",
  target_rate: "Its target's rate",
  lane: "It is the turn of other lanes",
  capacity: "The server pushes as much as it may",
  catch_up: "It is overdue, and such tasks are paced",
  batch: "It waits a moment for others that are pushed with it",
  merge: "It is pushed together with another task",
  commit: "It is being made durable",
};

/// Why it is not pushed yet, and when to expect it.
export function Waiting({ id }) {
  const its = useCall(`/v1/tasks/${segment(id)}/explain`, EVERY_MS);
  return html`<${Panel} title="Why not yet"><${Called} its=${its}>${(why) => html`<${Facts} rows=${[
    ["Waits for", WAITS_FOR[why.waiting_for] ?? why.waiting_for],
    ["That is", why.detail],
    [
      "Expected",
      why.waiting_for &&
        (why.expected_at
          ? html`<${Time} at=${why.expected_at} fine /> <${Apart} at=${why.expected_at} />`
          : "nobody can tell"),
    ],
    ["Ahead of it", why.ahead > 0 && count(why.ahead, "task")],
  ]} />`}<//><//>`;
}

const WORDS = {
  created: "Created",
  changed: "Changed",
  moved: "Moved",
  redriven: "Redriven",
  group_shift: "Its group was shifted",
  group_cancel: "Its group was cancelled",
  delivered: "Delivered",
  dead: "Became a dead letter",
  expired: "Expired",
  cancelled: "Cancelled",
};

/// How it is marked: as a task in that state is.
function markOf(event) {
  if (event.event === "attempt") return event.outcome === "failed" ? "retrying" : "delivered";
  return event.event === "group_cancel" ? "cancelled" : event.event;
}

function Said({ event }) {
  switch (event.event) {
    case "attempt":
      return html`${event.error && html`<${Name}>${event.error}<//>, `}${event.status && !event.error && `status ${event.status}, `}${`started ${span(event.lateness_ms)} late, took ${span(event.duration_ms)}`}${event.retry_at && html`; again ${span(event.pause_ms)} later`}`;
    case "moved":
      return html`${event.from && html`from <${Time} at=${event.from} fine /> `}to <${Time} at=${event.due_at} fine />`;
    case "group_shift":
    case "group_cancel":
      return event.who && html`by <${Name}>${event.who}<//>`;
    case "dead":
      return event.error && html`<${Name}>${event.error}<//>`;
    default:
      return event.due_at && html`due <${Time} at=${event.due_at} fine />`;
  }
}

export function Timeline({ id }) {
  const its = useCall(`/v1/tasks/${segment(id)}/timeline`, EVERY_MS);
  return html`<${Panel} title="Timeline"><${Called} its=${its}>${({ events }) => html`<ol class="timeline">${events.map(
    (event, i) => html`<li key=${i}>
      <${Time} at=${event.at} fine />
      <span class="state" data-state=${markOf(event)}>${WORDS[event.event] ?? `Attempt ${event.attempt}`}</span>
      <span><${Said} event=${event} /></span>
    </li>`,
  )}</ol>`}<//><//>`;
}
