#include <algorithm>
#include <optional>

#include "api/api.h"
#include "api/handlers.h"
#include "api/trace_context.h"
#include "base/json.h"
#include "http/uri.h"

namespace carillon {
namespace {

void answer_task(Call& call, const TaskView& task) {
  JsonWriter json(call.response.body);
  append_task(json, task, TaskDetail::full, call.secrets(Role::write));
}

Result<std::optional<State>> state_of(const Query& query) {
  const auto text = query.get("state");
  if (!text) return std::optional<State>();
  const auto* found = std::ranges::find(kStateNames, *text);
  if (found == std::end(kStateNames))
    return Error{"bad_parameter",
                 "wanted scheduled, firing, retrying, delivered, dead, expired or cancelled",
                 "state"};
  return std::optional(static_cast<State>(found - std::begin(kStateNames)));
}

/// The add that the request asks for; the response is what it will be if the task is created.
Result<NewTask> plan_task(Call& call) {
  std::optional<PlannedAdd> planned;
  const auto parsed = call.scratch->reader.parse(
      call.request.body, [&](simdjson::ondemand::value value) -> Result<> {
        auto task = parse_task(value, *call.scratch);
        if (!task) return task.error();
        keep_trace(call.traceparent(), call.request.tracestate, task->content.headers);
        auto plan = call.tasks.plan(std::move(*task));
        if (!plan) return plan.error();
        planned.emplace(std::move(*plan));
        return {};
      });
  if (!parsed) return parsed.error();
  say_created(call.response, "/v1/tasks/", planned->created.content.id);
  answer_task(call, planned->created);
  return std::move(planned->task);
}

/// For a person.
std::string detail_of(const Waiting& waiting) {
  std::string hold;
  if (waiting.hold_reason) hold = " (" + std::string(name_of(*waiting.hold_reason)) + ")";
  switch (waiting.what) {
    case WaitsFor::due:
      return "it is not due yet";
    case WaitsFor::retry:
      return "its last attempt failed; it is tried again";
    case WaitsFor::target_paused:
      return "its target is paused";
    case WaitsFor::target_held:
      return waiting.until ? "its target is held" + hold + "; then one task at a time tries it"
                           : "its target was held" + hold + " and is tried again, a few at a time";
    case WaitsFor::target_concurrency:
      return "as many pushes to its target are under way as may be";
    case WaitsFor::target_rate:
      return "more tasks wait than the rate of its target lets begin";
    case WaitsFor::lane:
      return "it is the turn of other lanes, or what is free is set aside for them";
    case WaitsFor::capacity:
      return "as many pushes are under way, or begin in a second, as the server may make";
    case WaitsFor::catch_up:
      return "it is overdue, and such tasks are paced";
    case WaitsFor::batch:
      return "it waits a moment for others that are pushed with it";
    case WaitsFor::merge:
      return "it is pushed together with another task, which is due before it";
    case WaitsFor::commit:
      break;
  }
  return "what was decided about it is being made durable";
}

}  // namespace

void say_created(HttpResponse& response, std::string_view path, std::string_view name) {
  response.status = 201;
  response.headers.append("location: ").append(path);
  append_path_segment(response.headers, name);
  response.headers += "\r\n";
}

Async<Answer<>> create_task(Call& call) {
  auto add = plan_task(call);
  if (!add) co_return add.error();
  // Nothing that it holds is needed while the commit is under way, and the next request finds it
  // in the processor's cache.
  JsonScratch::give_back(std::move(call.scratch));
  if (call.span != nullptr) call.span->commit_begins();
  const auto added = co_await call.tasks.add(std::move(*add));
  if (call.span != nullptr && added) call.span->commit_ends();
  // Where it is created with a due of its own, that was set by another node's clock.
  if (added && added->how == Added::created && !added->task) co_return Answer<>();
  call.response.reset();
  if (!added) co_return added.error();
  if (added->how == Added::created)
    say_created(call.response, "/v1/tasks/", added->task->content.id);
  answer_task(call, *added->task);
  co_return Answer<>();
}

Async<Answer<>> get_task(Call& call) {
  const auto task = co_await call.tasks.get(call.name);
  if (!task) co_return task.error();
  answer_task(call, *task);
  co_return Answer<>();
}

Async<Answer<>> explain_task(Call& call) {
  const auto why = co_await call.tasks.explain(call.name);
  if (!why) co_return why.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("state").string(name_of(why->state));
  if (why->waiting) {
    const Waiting& waiting = *why->waiting;
    json.key("waiting_for").string(name_of(waiting.what));
    json.key("detail").string(detail_of(waiting));
    if (waiting.until) json.key("expected_at").moment(*waiting.until);
    json.key("ahead").unsigned_integer(waiting.ahead);
  } else {
    json.key("detail").string(why->state == State::firing
                                  ? "attempt " + std::to_string(why->attempt) + " is under way"
                                  : "nothing: it is " + std::string(name_of(why->state)));
  }
  json.end_object();
  co_return Answer<>();
}

Async<Answer<>> change_task(Call& call) {
  ChangeRequest request;
  const auto parsed = call.scratch->reader.parse(call.request.body,
                                                 [&](simdjson::ondemand::value value) -> Result<> {
                                                   auto change = parse_change(value, *call.scratch);
                                                   if (!change) return change.error();
                                                   request = std::move(*change);
                                                   return {};
                                                 });
  if (!parsed) co_return parsed.error();
  const auto task = co_await call.tasks.change(call.name, std::move(request));
  if (!task) co_return task.error();
  answer_task(call, *task);
  co_return Answer<>();
}

void append_cancelled(JsonWriter& json, const CancelAnswer& cancelled) {
  json.key("state").string(name_of(cancelled.firing ? State::firing : State::cancelled));
  json.key("attempts").unsigned_integer(cancelled.attempts);
  if (cancelled.firing) json.key("retries").string("cancelled");
}

Async<Answer<>> cancel_task(Call& call) {
  const auto retries = call.query.get("retries");
  if (retries && *retries != "cancel")
    co_return Error{"bad_parameter", "`retries` must be cancel.", "retries"};
  const auto cancelled = co_await call.tasks.cancel(call.name, retries.has_value());
  if (!cancelled) co_return cancelled.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("id").string(call.name);
  append_cancelled(json, *cancelled);
  json.end_object();
  co_return Answer<>();
}

Async<Answer<>> push_task(Call& call) {
  const auto task = co_await call.tasks.push_now(call.name);
  if (!task) co_return task.error();
  answer_task(call, *task);
  co_return Answer<>();
}

Async<Answer<>> list_tasks(Call& call) {
  const auto state = state_of(call.query);
  if (!state) co_return state.error();
  TaskFilter filter;
  filter.state = *state;
  co_return co_await answer_page(call, std::move(filter));
}

Async<Answer<>> answer_page(Call& call, TaskFilter filter) {
  constexpr std::size_t kLimit = 100;
  constexpr std::size_t kLimitMax = 1000;
  const auto from = call.query.moment("due_from");
  if (!from) co_return from.error();
  const auto to = call.query.moment("due_to");
  if (!to) co_return to.error();
  const auto limit = call.query.integer("limit", kLimit, 1, kLimitMax);
  if (!limit) co_return limit.error();
  filter.due_from = *from;
  filter.due_to = *to;
  if (const auto group = call.query.get("group")) filter.group = std::string(*group);
  if (const auto target = call.query.get("target")) filter.target = std::string(*target);
  if (const auto lane = call.query.get("lane")) filter.lane = std::string(*lane);
  auto page = co_await call.tasks.list(std::move(filter),
                                       std::string(call.query.get("cursor").value_or("")), *limit);
  if (!page) co_return page.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("tasks").begin_array();
  for (const TaskView& task : page->tasks)
    append_task(json, task, TaskDetail::listed, call.secrets(Role::write));
  json.end_array();
  if (!page->next_cursor.empty()) json.key("next_cursor").string(page->next_cursor);
  append_silent(json, page->silent);
  json.end_object();
  page->held.resize(call.response.body.capacity());
  call.response.held = std::make_shared<Allowance::Share>(std::move(page->held));
  co_return Answer<>();
}

}  // namespace carillon
