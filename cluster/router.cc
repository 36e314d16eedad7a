#include "cluster/router.h"

#include <algorithm>

#include "base/check.h"
#include "cluster/merge.h"
#include "engine/refusals.h"
#include "storage/content.h"

namespace carillon {
namespace {

/// Until an item of a batch is answered.
Refusal unanswered() {
  return Error{"outcome_unknown", "The shard's answer lacks this item, so it may have been done.",
               ""};
}

/// Says under which id a task is to be sent again: its client may not have chosen it.
Refusal with_id(Refusal why, const NewTask& task) {
  const Result<TaskContent> content = decode_content(task.content);
  if (content && why.slug == "outcome_unknown")
    why.detail.append(" The task's id is `").append(content->id).append("`.");
  return why;
}

/// As it was created with another due than was planned.
TaskView restamped(NewTask&& task, WallTime due) {
  TaskView view;
  view.due_at = due;
  view.next_attempt_at = due;
  view.row = std::make_shared<const std::string>(std::move(task.content));
  Result<TaskContent> content = decode_content(*view.row);
  CARILLON_CHECK(content.has_value());
  view.content = *std::move(content);
  view.content.webhook_id = {};
  return view;
}

}  // namespace

std::string Router::not_ready_because() const {
  return its_.map.not_ready_because();
}

std::vector<Router::LocalService> Router::local_services() const {
  std::vector<LocalService> services;
  for (ShardNumber shard = 0; shard < its_.map.shards(); ++shard) {
    if (auto service = its_.map.local(shard)) services.push_back({shard, std::move(service)});
  }
  return services;
}

Async<bool> Router::short_of_space() {
  for (const LocalService& local : local_services()) {
    if (co_await local.service->short_of_space()) co_return true;
  }
  co_return false;
}

Result<PlannedAdd> Router::plan(AddRequest request) const {
  Result<PlannedAdd> planned = its_.planner.plan(std::move(request));
  if (planned) planned->task.shard = shard_of_task(planned->created.content.id);
  return planned;
}

Async<Answer<AddAnswer>> Router::add(NewTask task) {
  // Here nothing has to be stamped anew, and no more is done than a copy.
  if (const std::shared_ptr<TaskService> local = its_.map.local(task.shard)) {
    Answer<AddAnswer> added = co_await local->add(task);
    if (added) co_return added;
    if (!Reach::is_not_done(added.error())) co_return with_id(std::move(added).error(), task);
  }
  shard_call::Add call{std::move(task)};
  Answer<shard_call::AddTold> told = co_await reach_.ask(call.task.shard, call);
  if (!told) co_return with_id(std::move(told).error(), call.task);
  AddAnswer added = std::move(told->answer);
  if (added.how == Added::created && told->due != call.task.task.due)
    added.task = restamped(std::move(call.task), told->due);
  co_return added;
}

template <typename Call>
Async<typename Call::Told> Router::ask_parts(std::vector<Call> parts,
                                             std::vector<std::vector<std::size_t>> places,
                                             std::size_t count) {
  typename Call::Told answers(count, unanswered());
  std::vector<Async<void>> works;
  for (ShardNumber shard = 0; shard < parts.size(); ++shard) {
    if (places[shard].empty()) continue;
    works.push_back(
        reach_.ask_part(shard, std::move(parts[shard]), std::move(places[shard]), answers));
  }
  co_await together(std::move(works));
  co_return answers;
}

Async<std::vector<Answer<Added>>> Router::add_batch(std::vector<NewTask> tasks) {
  std::vector<shard_call::AddBatch> parts(its_.map.shards());
  std::vector<std::vector<std::size_t>> places(parts.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const ShardNumber shard = tasks[i].shard;
    parts[shard].items.push_back(std::move(tasks[i]));
    places[shard].push_back(i);
  }
  return ask_parts(std::move(parts), std::move(places), tasks.size());
}

Async<std::vector<Answer<CancelAnswer>>> Router::cancel_batch(std::vector<std::string_view> ids,
                                                              bool retries) {
  std::vector<shard_call::CancelBatch> parts(its_.map.shards());
  std::vector<std::vector<std::size_t>> places(parts.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const ShardNumber shard = shard_of_task(ids[i]);
    parts[shard].retries = retries;
    parts[shard].items.push_back(ids[i]);
    places[shard].push_back(i);
  }
  return ask_parts(std::move(parts), std::move(places), ids.size());
}

Async<Answer<TaskView>> Router::get(std::string_view id) {
  const shard_call::Get call{id};
  co_return co_await reach_.ask(shard_of_task(id), call);
}

Async<Answer<Explanation>> Router::explain(std::string_view id) {
  const shard_call::Explain call{id};
  co_return co_await reach_.ask(shard_of_task(id), call);
}

Async<Answer<TaskView>> Router::change(std::string_view id, ChangeRequest request) {
  const shard_call::Change call{id, std::move(request)};
  co_return co_await reach_.ask(shard_of_task(id), call);
}

Async<Answer<CancelAnswer>> Router::cancel(std::string_view id, bool retries) {
  const shard_call::Cancel call{id, retries};
  co_return co_await reach_.ask(shard_of_task(id), call);
}

Async<Answer<TaskView>> Router::push_now(std::string_view id) {
  const shard_call::PushNow call{id};
  co_return co_await reach_.ask(shard_of_task(id), call);
}

Async<Answer<>> Router::remove_dead(std::string_view id) {
  const shard_call::RemoveDead call{id};
  co_return co_await reach_.ask(shard_of_task(id), call);
}

// --- The whole.

Async<Stats> Router::stats() {
  const shard_call::Stats call;
  auto answers = co_await reach_.ask_all(call, kShortPatience);
  std::vector<ShardStats> told;
  SilentShards silent;
  for (ShardNumber shard = 0; shard < answers.size(); ++shard) {
    if (answers[shard]) {
      told.push_back({*std::move(answers[shard]), node_of(shard)});
    } else {
      silent.push_back(shard);
    }
  }
  Stats stats = merge_stats(told, now());
  stats.silent = std::move(silent);
  co_return stats;
}

/// Its owner's name; that of this node is empty.
std::string Router::node_of(ShardNumber shard) const {
  if (its_.map.local(shard)) return {};
  const std::optional<NodeAddress> owner = its_.map.owner(shard);
  return owner ? owner->node : std::string();
}

Async<EngineCounters> Router::counters() {
  EngineCounters sum;
  for (const LocalService& local : local_services()) {
    const EngineCounters counters = co_await local.service->counters();
    add_counters(sum, counters);
  }
  co_return sum;
}

namespace {

/// What all of them told; a part would be a lie.
template <typename Told>
Answer<std::vector<Told>> all_or_none(std::vector<Answer<Told>> answers) {
  std::vector<Told> told;
  for (Answer<Told>& answer : answers) {
    if (!answer) return std::move(answer).error();
    told.push_back(*std::move(answer));
  }
  return told;
}

}  // namespace

Async<Answer<std::vector<WheelLevel>>> Router::wheel() {
  const shard_call::Wheel call;
  const auto told = all_or_none(co_await reach_.ask_all(call, kPatience));
  if (!told) co_return told.error();
  co_return merge_wheels(*told);
}

Async<Answer<std::vector<ForecastBucket>>> Router::forecast(Millis bucket, WallTime from,
                                                            WallTime to, TaskFilter of) {
  const shard_call::Forecast call{bucket, from, to, std::move(of)};
  const auto told = all_or_none(co_await reach_.ask_all(call, kPatience));
  if (!told) co_return told.error();
  co_return merge_forecasts(*told);
}

Async<Result<>> Router::checkpoint(std::string /*dir*/) {
  co_return Error{"checkpoint_failed",
                  "A node of a cluster makes no checkpoints: its data is in the cluster's streams. "
                  "GET /v1/export gives every pending task.",
                  ""};
}

Async<WallTime> Router::advance_clock(Millis /*by*/) {
  CARILLON_CHECK(false);  // nobody asks: the clock is not manual
}

}  // namespace carillon
