// The engine: the tasks' service of one shard of this node.
//
// Operation: it puts the parts together, and each call goes to the part whose work it is. The shard
// is driven, and its tasks pushed, by what needs no event loop (engine/local_shard.h); around it
// stand coroutines that make requests into commands (engine/commands.h, dead_letters.h,
// target_changes.h) and answer questions (engine/queries.h, lists.h).
//
// Over a log that another node may come to own, questions are answered from what was true within
// the last second, or since they were asked. Where the shard has another owner they are answered
// `moved`; those without an error in their answer, as far as this node knew.
//
// Concurrency: what the service answers is for any thread: its members go through the gate
// (engine/gate.h). Its life and all that is behind the gate are on one loop's thread.
//
// Discarding. Whoever waits for an answer of an engine that may be discarded, or has an export of
// it, keeps it alive, so that when the last one lets go only the log and the sink still have
// something to call back: that is dropped. The engine is destroyed on the loop's thread, and before
// its log.
//
// Errors are those of docs/api.md, by slug.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "engine/allowance.h"
#include "engine/async.h"
#include "engine/clock_mover.h"
#include "engine/commands.h"
#include "engine/dead_letters.h"
#include "engine/gate.h"
#include "engine/lane_changes.h"
#include "engine/lists.h"
#include "engine/local_shard.h"
#include "engine/options.h"
#include "engine/planner.h"
#include "engine/queries.h"
#include "engine/refusals.h"
#include "engine/requests.h"
#include "engine/signal.h"
#include "engine/target_changes.h"
#include "engine/task_service.h"
#include "engine/tick_timer.h"
#include "net/url_policy.h"

namespace carillon {

class Engine final : public TaskService {
 public:
  /// `clock`, `log`, `sink` and `urls` must outlive it.
  Engine(boost::asio::io_context& loop, Clock& clock, Log& log, Sink& sink, UrlPolicy& urls,
         EngineOptions options);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // --- Its life.
  /// Replays the log; blocks. The latest time that it says, or error slug `storage`. `progress` as
  /// Log::read. On any thread, before all else.
  [[nodiscard]] Result<WallTime> recover(
      const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  /// What the owner of a shared log has committed, in order. After `recover`, before `start`.
  void follow(const std::vector<Batch>& batches);
  /// Begins to fire. After `recover`. `firing_stays`: see ShardDriver::start.
  void start(Millis firing_stays = Millis(0)) { local_.driver().start(firing_stays); }
  /// Fires nothing new and refuses commands; returns when pushes under way are over and their
  /// outcomes durable, or after `deadline`.
  [[nodiscard]] Async<void> drain(Millis deadline);
  /// Gives a shared log up: fires nothing new, and who asks for something hears `moved`. Returns
  /// when pushes under way are over, or after `deadline`, and all is durable: true. False: another
  /// node owns the shard already.
  [[nodiscard]] Async<bool> hand_over(Millis deadline);
  /// The log takes nothing any more: fires nothing and refuses commands until the process ends.
  void storage_failed() { local_.driver().storage_failed(); }
  // --- On the loop's thread.
  /// What bounds the pushes, from now on.
  void set_limits(const TargetLimits& limits);
  /// Another shard says that the target is held until then, by this node's clock.
  void hold_target(std::string_view name, HoldReason reason, WallTime until);
  [[nodiscard]] const LocalShard& local() const { return local_; }
  [[nodiscard]] Stats stats_now() const;
  [[nodiscard]] EngineCounters counters_now() const;

  // --- What the service answers.
  [[nodiscard]] std::string not_ready_because() const override {
    return local_.driver().not_ready_because();
  }
  [[nodiscard]] Async<bool> short_of_space() override;
  [[nodiscard]] Result<PlannedAdd> plan(AddRequest request) const override {
    return planner_.plan(std::move(request));
  }
  [[nodiscard]] Async<Answer<AddAnswer>> add(NewTask task) override;
  [[nodiscard]] Async<std::vector<Answer<Added>>> add_batch(std::vector<NewTask> tasks) override;
  [[nodiscard]] Async<Answer<TaskView>> get(std::string_view id) override;
  [[nodiscard]] Async<Answer<Explanation>> explain(std::string_view id) override;
  [[nodiscard]] Async<Answer<TaskView>> change(std::string_view id, ChangeRequest request) override;
  [[nodiscard]] Async<Answer<CancelAnswer>> cancel(std::string_view id, bool retries) override;
  [[nodiscard]] Async<std::vector<Answer<CancelAnswer>>> cancel_batch(
      std::vector<std::string_view> ids, bool retries) override;
  [[nodiscard]] Async<Answer<TaskView>> push_now(std::string_view id) override;
  [[nodiscard]] Async<Answer<Page>> list(TaskFilter filter, std::string cursor,
                                         std::size_t limit) override;
  [[nodiscard]] std::unique_ptr<Export> export_pending() override {
    return lists_.export_pending();
  }
  [[nodiscard]] Async<Answer<GroupView>> group(std::string_view name) override;
  [[nodiscard]] Async<Answer<GroupCancelAnswer>> cancel_group(std::string_view name,
                                                              std::string_view operation) override;
  [[nodiscard]] Async<Answer<std::uint64_t>> shift_group(std::string_view name, Millis by,
                                                         std::string_view operation,
                                                         ShiftStep step) override;
  [[nodiscard]] Async<Answer<PutAnswer<TargetView>>> change_target(std::string name,
                                                                   TargetChange change) override;
  [[nodiscard]] Async<Answer<>> delete_target(std::string_view name, bool force) override;
  [[nodiscard]] Async<Answer<TargetView>> pause_target(std::string_view name, bool paused) override;
  [[nodiscard]] Async<Answer<TestPush>> test_target(std::string_view name) override;
  [[nodiscard]] Async<Answer<TargetView>> target(std::string_view name) override;
  [[nodiscard]] Async<std::vector<TargetView>> targets(std::string_view after,
                                                       std::size_t limit) override;
  [[nodiscard]] Async<TargetCounts> target_counts(std::string_view after) override;
  [[nodiscard]] Async<Answer<PutAnswer<LaneView>>> put_lane(std::string name,
                                                            LaneSettings settings) override;
  [[nodiscard]] Async<Answer<>> delete_lane(std::string name) override;
  [[nodiscard]] Async<std::vector<LaneView>> lanes() override;
  [[nodiscard]] Async<Answer<TaskView>> redrive(std::string_view id,
                                                std::string_view operation) override;
  [[nodiscard]] Async<Answer<>> remove_dead(std::string_view id) override;
  [[nodiscard]] Async<Answer<std::uint64_t>> redrive_all(TaskFilter filter,
                                                         std::string operation) override;
  [[nodiscard]] Async<Answer<std::uint64_t>> purge_dead(TaskFilter filter) override;
  [[nodiscard]] Async<Stats> stats() override;
  [[nodiscard]] Async<EngineCounters> counters() override;
  [[nodiscard]] Async<Answer<std::vector<WheelLevel>>> wheel() override;
  [[nodiscard]] WallTime now() const override { return local_.clock().wall(); }
  [[nodiscard]] Async<Answer<std::vector<ForecastBucket>>> forecast(Millis bucket, WallTime from,
                                                                    WallTime to,
                                                                    TaskFilter of) override;
  [[nodiscard]] Async<Result<>> checkpoint(std::string dir) override;
  [[nodiscard]] Async<WallTime> advance_clock(Millis by) override;
  [[nodiscard]] bool clock_is_manual() const override { return manual_clock_ != nullptr; }

 private:
  [[nodiscard]] LocalShard::Place place(boost::asio::io_context& loop, Clock& clock, Log& log,
                                        Sink& sink);
  void time_came(std::optional<Millis> step);
  void serve_due();
  void fenced();
  template <typename Make>
  [[nodiscard]] std::invoke_result_t<Make> question(Make make);
  template <typename Make>
  [[nodiscard]] std::invoke_result_t<Make> once_confirmed(Make make);

  ManualClock* manual_clock_;
  /// Gone when this is: a turn that comes late looks here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  TickTimer timer_;
  Gate gate_;
  Signal changed_;
  Signal drained_;
  LocalShard local_;
  // Gone before the shard, so that nobody goes on because one who waited for it has given up.
  Allowance turns_;    // of long looks
  Allowance changes_;  // of targets and lanes, one at a time
  Planner planner_;
  Refusals refusals_;
  Queries queries_;
  TaskLists lists_;
  Commands commands_;
  DeadLetters dead_letters_;
  TargetChanges target_changes_;
  LaneChanges lane_changes_;
  ClockMover clock_mover_;
};

}  // namespace carillon
