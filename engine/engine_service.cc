// What the engine answers as a tasks' service: each call goes through the gate to the part whose
// work it is.
#include <utility>

#include "base/check.h"
#include "engine/engine.h"

namespace carillon {
namespace {

/// An answer that is there at once, as a coroutine.
template <typename T>
Async<T> answered(T value) {
  co_return value;
}

template <typename T>
constexpr bool kIsAnswer = false;
template <typename T>
constexpr bool kIsAnswer<Answer<T>> = true;

}  // namespace

/// What only looks.
template <typename Make>
std::invoke_result_t<Make> Engine::question(Make make) {
  return gate_.pass([this, make = std::move(make)]() mutable {
    return local_.driver().is_fresh() ? make() : once_confirmed(std::move(make));
  });
}

template <typename Make>
std::invoke_result_t<Make> Engine::once_confirmed(Make make) {
  std::optional<Error> why = co_await confirm(local_.driver());
  if constexpr (kIsAnswer<typename std::invoke_result_t<Make>::value_type>) {
    if (why) co_return Refusal(*std::move(why));
  }
  co_return co_await make();
}

Async<bool> Engine::short_of_space() {
  return gate_.pass([this] { return answered(local_.log().stats().short_of_space); });
}

Async<Answer<AddAnswer>> Engine::add(NewTask task) {
  return gate_.pass(
      [this, task = std::move(task)]() mutable { return commands_.add(std::move(task)); });
}

Async<std::vector<Answer<Added>>> Engine::add_batch(std::vector<NewTask> tasks) {
  return gate_.pass(
      [this, tasks = std::move(tasks)]() mutable { return commands_.add_batch(std::move(tasks)); });
}

Async<Answer<TaskView>> Engine::get(std::string_view id) {
  return question([this, id] { return queries_.get(id); });
}

Async<Answer<Explanation>> Engine::explain(std::string_view id) {
  return question([this, id] { return answered(queries_.explain(id)); });
}

Async<Answer<TaskView>> Engine::change(std::string_view id, ChangeRequest request) {
  return gate_.pass([this, id, request = std::move(request)]() mutable {
    return commands_.change(id, std::move(request));
  });
}

Async<Answer<CancelAnswer>> Engine::cancel(std::string_view id, bool retries) {
  return gate_.pass([this, id, retries] { return commands_.cancel(id, retries); });
}

Async<std::vector<Answer<CancelAnswer>>> Engine::cancel_batch(std::vector<std::string_view> ids,
                                                              bool retries) {
  return gate_.pass([this, ids = std::move(ids), retries]() mutable {
    return commands_.cancel_batch(std::move(ids), retries);
  });
}

Async<Answer<TaskView>> Engine::push_now(std::string_view id) {
  return gate_.pass([this, id] { return commands_.push_now(id); });
}

Async<Answer<Page>> Engine::list(TaskFilter filter, std::string cursor, std::size_t limit) {
  return question([this, filter = std::move(filter), cursor = std::move(cursor), limit]() mutable {
    return lists_.list(std::move(filter), std::move(cursor), limit);
  });
}

Async<Answer<GroupView>> Engine::group(std::string_view name) {
  return question([this, name] { return queries_.group(name); });
}

Async<Answer<GroupCancelAnswer>> Engine::cancel_group(std::string_view name,
                                                      std::string_view operation) {
  return gate_.pass([this, name, operation] { return commands_.cancel_group(name, operation); });
}

Async<Answer<std::uint64_t>> Engine::shift_group(std::string_view name, Millis by,
                                                 std::string_view operation, ShiftStep step) {
  return gate_.pass([this, name, by, operation, step] {
    return commands_.shift_group(name, by, operation, step);
  });
}

Async<Answer<PutAnswer<TargetView>>> Engine::change_target(std::string name, TargetChange change) {
  return gate_.pass([this, name = std::move(name), change = std::move(change)]() mutable {
    return target_changes_.change(std::move(name), std::move(change));
  });
}

Async<Answer<>> Engine::delete_target(std::string_view name, bool force) {
  return gate_.pass([this, name, force] { return target_changes_.remove(name, force); });
}

Async<Answer<TargetView>> Engine::pause_target(std::string_view name, bool paused) {
  return gate_.pass([this, name, paused] { return target_changes_.pause(name, paused); });
}

Async<Answer<TestPush>> Engine::test_target(std::string_view name) {
  return gate_.pass([this, name] { return target_changes_.test(name); });
}

Async<Answer<TargetView>> Engine::target(std::string_view name) {
  return question([this, name] {
    std::optional<TargetView> view = local_.targets().view(name);
    return answered(view ? Answer<TargetView>(*std::move(view)) : Refusal(not_found("target")));
  });
}

Async<std::vector<TargetView>> Engine::targets(std::string_view after, std::size_t limit) {
  return question([this, after, limit] { return answered(local_.targets().views(after, limit)); });
}

Async<TargetCounts> Engine::target_counts(std::string_view after) {
  return question([this, after] { return answered(local_.targets().counts(after)); });
}

Async<Answer<PutAnswer<LaneView>>> Engine::put_lane(std::string name, LaneSettings settings) {
  return gate_.pass([this, name = std::move(name), settings]() mutable {
    return lane_changes_.put(std::move(name), settings);
  });
}

Async<Answer<>> Engine::delete_lane(std::string name) {
  return gate_.pass(
      [this, name = std::move(name)]() mutable { return lane_changes_.remove(std::move(name)); });
}

Async<std::vector<LaneView>> Engine::lanes() {
  return question([this] { return answered(lane_changes_.views()); });
}

Async<Answer<TaskView>> Engine::redrive(std::string_view id, std::string_view operation) {
  return gate_.pass([this, id, operation] { return dead_letters_.redrive(id, operation); });
}

Async<Answer<>> Engine::remove_dead(std::string_view id) {
  return gate_.pass([this, id] { return dead_letters_.remove(id); });
}

Async<Answer<std::uint64_t>> Engine::redrive_all(TaskFilter filter, std::string operation) {
  return gate_.pass([this, filter = std::move(filter), operation = std::move(operation)]() mutable {
    return dead_letters_.redrive_all(std::move(filter), std::move(operation));
  });
}

Async<Answer<std::uint64_t>> Engine::purge_dead(TaskFilter filter) {
  return gate_.pass([this, filter = std::move(filter)]() mutable {
    return dead_letters_.purge(std::move(filter));
  });
}

Async<Stats> Engine::stats() {
  return question([this] { return answered(stats_now()); });
}

Async<EngineCounters> Engine::counters() {
  return question([this] { return answered(counters_now()); });
}

Async<Answer<std::vector<WheelLevel>>> Engine::wheel() {
  return question(
      [this] { return answered(Answer<std::vector<WheelLevel>>(local_.shard().wheel_levels())); });
}

Async<Answer<std::vector<ForecastBucket>>> Engine::forecast(Millis bucket, WallTime from,
                                                            WallTime to, TaskFilter of) {
  return question([this, bucket, from, to, of = std::move(of)]() mutable {
    return lists_.forecast(bucket, from, to, std::move(of));
  });
}

Async<Result<>> Engine::checkpoint(std::string dir) {
  return gate_.pass([this, dir = std::move(dir)]() mutable {
    return carillon::checkpoint(local_.log(), std::move(dir));
  });
}

Async<WallTime> Engine::advance_clock(Millis by) {
  CARILLON_CHECK(manual_clock_ != nullptr);
  return gate_.pass([this, by] { return clock_mover_.advance(*manual_clock_, by); });
}

}  // namespace carillon
