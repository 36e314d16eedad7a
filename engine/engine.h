// The engine: one shard at work, and everything that can be asked of it.
//
// Operation: it puts the parts together, and each call goes to the part whose work it is. The shard
// is driven, and its tasks pushed, by what needs no event loop (engine/local_shard.h); around it
// stand coroutines that make requests into commands (engine/commands.h, dead_letters.h, targets.h)
// and answer questions (engine/queries.h, lists.h).
//
// Concurrency: everything on one event loop's thread. Members that answer later are coroutines on
// that loop; the views in their arguments must stay valid until they return.
//
// Errors are those of docs/api.md, by slug.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "engine/allowance.h"
#include "engine/async.h"
#include "engine/clock_mover.h"
#include "engine/commands.h"
#include "engine/dead_letters.h"
#include "engine/lists.h"
#include "engine/local_shard.h"
#include "engine/options.h"
#include "engine/planner.h"
#include "engine/queries.h"
#include "engine/refusals.h"
#include "engine/requests.h"
#include "engine/signal.h"
#include "engine/targets.h"
#include "engine/tick_timer.h"
#include "net/url_policy.h"

namespace carillon {

class Engine {
 public:
  /// `clock`, `log`, `sink` and `urls` must outlive it.
  Engine(boost::asio::io_context& loop, Clock& clock, Log& log, Sink& sink, UrlPolicy& urls,
         EngineOptions options);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // --- Its life.
  /// Replays the log; blocks. Error slug `storage`. `progress` as Log::read.
  [[nodiscard]] Result<> recover(const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  /// Begins to fire. After `recover`.
  void start() { local_.driver().start(); }
  /// Fires nothing new and refuses commands; returns when pushes under way are over and their
  /// outcomes durable, or after `deadline`.
  [[nodiscard]] Async<void> drain(Millis deadline);
  /// The log takes nothing any more: fires nothing and refuses commands until the process ends.
  void storage_failed() { local_.driver().storage_failed(); }
  /// Empty when ready; else why not: "recovering", "draining", "storage failed".
  [[nodiscard]] std::string not_ready_because() const {
    return local_.driver().not_ready_because();
  }
  /// The disk is nearly full: adds and new contents are refused, and nothing else.
  [[nodiscard]] bool short_of_space() const { return local_.log().stats().short_of_space; }

  // --- Tasks.
  /// What adding the task comes to, without adding it. So an answer can be made of it while all
  /// that it came from is at hand, and nothing of that need outlive the commit.
  [[nodiscard]] Result<PlannedAdd> plan(AddRequest request) {
    return planner_.plan(std::move(request));
  }
  [[nodiscard]] Async<Answer<AddAnswer>> add(command::Add add) {
    return commands_.add(std::move(add));
  }
  /// As if added one by one, in order, but in one commit.
  [[nodiscard]] Async<std::vector<Answer<Added>>> add_batch(std::vector<Command> adds) {
    return commands_.add_batch(std::move(adds));
  }
  [[nodiscard]] Async<Answer<TaskView>> get(std::string_view id) { return queries_.get(id); }
  [[nodiscard]] Async<Answer<TaskView>> change(std::string_view id, ChangeRequest request) {
    return commands_.change(id, std::move(request));
  }
  /// `retries`: also of a task that is firing, whose attempt becomes its last.
  [[nodiscard]] Async<Answer<CancelAnswer>> cancel(std::string_view id, bool retries = false) {
    return commands_.cancel(id, retries);
  }
  [[nodiscard]] Async<std::vector<Answer<CancelAnswer>>> cancel_batch(
      std::vector<std::string_view> ids, bool retries = false) {
    return commands_.cancel_batch(std::move(ids), retries);
  }
  /// Makes a waiting task due now.
  [[nodiscard]] Async<Answer<TaskView>> push_now(std::string_view id) {
    return commands_.push_now(id);
  }
  /// `cursor` empty: from the start. Error slug bad_cursor.
  [[nodiscard]] Async<Answer<Page>> list(TaskFilter filter, std::string cursor, std::size_t limit) {
    return lists_.list(std::move(filter), std::move(cursor), limit);
  }

  // --- Groups. An `operation`, where it is not empty, is the client's name for the call: the same
  // again within a day is answered as the first time, and not done again. Error slug:
  // operation_reused.
  [[nodiscard]] Async<Answer<GroupView>> group(std::string_view name) {
    return queries_.group(name);
  }
  [[nodiscard]] Async<Answer<GroupCancelAnswer>> cancel_group(std::string_view name,
                                                              std::string_view operation = {}) {
    return commands_.cancel_group(name, operation);
  }
  /// All or none: error slug beyond_horizon.
  [[nodiscard]] Async<Answer<std::uint64_t>> shift_group(std::string_view name, Millis by,
                                                         std::string_view operation = {}) {
    return commands_.shift_group(name, by, operation);
  }

  // --- Targets.
  /// Makes of the target of that name what `change` makes of it. True: made; false: changed.
  [[nodiscard]] Async<Answer<bool>> change_target(std::string name, TargetChange change) {
    return target_changes_.change(std::move(name), std::move(change));
  }
  [[nodiscard]] Async<Answer<>> delete_target(std::string_view name, bool force) {
    return target_changes_.remove(name, force);
  }
  [[nodiscard]] Async<Answer<>> pause_target(std::string_view name, bool paused) {
    return target_changes_.pause(name, paused);
  }
  /// Pushes a task to it that is stored nowhere, whether or not it is paused.
  [[nodiscard]] Async<Answer<TestPush>> test_target(std::string_view name) {
    return target_changes_.test(name);
  }
  [[nodiscard]] Answer<TargetView> target(std::string_view name) const;
  /// At most `limit` of them by name, those whose names come after `after`.
  [[nodiscard]] std::vector<TargetView> targets(std::string_view after, std::size_t limit) const {
    return local_.targets().views(after, limit);
  }
  [[nodiscard]] std::size_t target_count() const { return local_.targets().size(); }
  /// Of all whose names come after `after` together.
  [[nodiscard]] TargetCounts target_counts(std::string_view after) const {
    return local_.targets().counts(after);
  }

  // --- Dead letters.
  /// A dead letter back to its target with a fresh allowance of attempts, pushed now.
  [[nodiscard]] Async<Answer<TaskView>> redrive(std::string_view id,
                                                std::string_view operation = {}) {
    return dead_letters_.redrive(id, operation);
  }
  [[nodiscard]] Async<Answer<>> remove_dead(std::string_view id) {
    return dead_letters_.remove(id);
  }
  /// All dead letters that match (state is ignored); how many.
  [[nodiscard]] Async<Answer<std::uint64_t>> redrive_all(TaskFilter filter,
                                                         std::string operation = {}) {
    return dead_letters_.redrive_all(std::move(filter), std::move(operation));
  }
  [[nodiscard]] Async<Answer<std::uint64_t>> purge_dead(TaskFilter filter) {
    return dead_letters_.purge(std::move(filter));
  }

  // --- The whole.
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] EngineCounters counters() const;
  [[nodiscard]] std::vector<WheelLevel> wheel() const { return local_.shard().wheel_levels(); }
  [[nodiscard]] WallTime now() const { return local_.clock().wall(); }
  /// Tasks that wait (for `target`, where given), counted by when they are pushed next, in [from,
  /// to), buckets of `bucket`, empty ones left out.
  [[nodiscard]] Async<std::vector<ForecastBucket>> forecast(
      Millis bucket, WallTime from, WallTime to, std::optional<std::string> target = {}) {
    return lists_.forecast(bucket, from, to, std::move(target));
  }
  [[nodiscard]] Async<Result<>> checkpoint(std::string dir) {
    return carillon::checkpoint(local_.log(), std::move(dir));
  }
  /// The pending tasks, some at a call, in no order; empty at the end. Every task that is pending
  /// throughout is in it once.
  [[nodiscard]] Async<std::vector<TaskView>> export_next(Export& its) {
    return lists_.export_next(its);
  }

  /// Manual clock only: moves it and answers when all that became due was handed to delivery in due
  /// order (or waits for its target).
  [[nodiscard]] Async<WallTime> advance_clock(Millis by);
  [[nodiscard]] bool clock_is_manual() const { return manual_clock_ != nullptr; }

 private:
  [[nodiscard]] LocalShard::Place place(boost::asio::io_context& loop, Clock& clock, Log& log,
                                        Sink& sink);
  void time_came(std::optional<Millis> step);

  ManualClock* manual_clock_;
  /// Gone when this is: a turn that comes late looks here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  TickTimer timer_;
  Signal changed_;
  Allowance turns_;  // of long looks
  LocalShard local_;
  Planner planner_;
  Refusals refusals_;
  Queries queries_;
  TaskLists lists_;
  Commands commands_;
  DeadLetters dead_letters_;
  Targets target_changes_;
  ClockMover clock_mover_;
};

}  // namespace carillon
