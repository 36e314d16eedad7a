// The tasks' service: everything that can be asked about tasks, whoever answers.
//
// The API knows this and nothing behind it: no shard, no log, no command. One local shard
// implements it (engine/engine.h); what leads each request to the shard that owns its task can do
// so too.
//
// Operation: an add is planned first, and added then. So its answer can be written while all that
// it came from is at hand, and nothing of that need outlive the commit.
//
// Concurrency: any thread. Members that answer later are coroutines on the caller's loop; the views
// in their arguments must stay valid until they return, and callbacks are called on a thread of the
// service meanwhile.
//
// Errors are those of docs/api.md, by slug.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/requests.h"
#include "wheel/wheel.h"

namespace carillon {

class TaskService {
 public:
  virtual ~TaskService() = default;

  /// Empty when ready; else why not, as ShardDriver::not_ready_because.
  [[nodiscard]] virtual std::string not_ready_because() const = 0;
  /// The disk is nearly full: adds and new contents are refused, and nothing else.
  [[nodiscard]] virtual Async<bool> short_of_space() = 0;

  // --- Tasks.
  /// What adding the task comes to, without adding it.
  [[nodiscard]] virtual Result<PlannedAdd> plan(AddRequest request) const = 0;
  [[nodiscard]] virtual Async<Answer<AddAnswer>> add(NewTask task) = 0;
  /// As if added one by one, in order, but in few commits.
  [[nodiscard]] virtual Async<std::vector<Answer<Added>>> add_batch(std::vector<NewTask> tasks) = 0;
  [[nodiscard]] virtual Async<Answer<TaskView>> get(std::string_view id) = 0;
  [[nodiscard]] virtual Async<Answer<Explanation>> explain(std::string_view id) = 0;
  [[nodiscard]] virtual Async<Answer<TaskView>> change(std::string_view id,
                                                       ChangeRequest request) = 0;
  /// `retries`: also of a task that is firing, whose attempt becomes its last.
  [[nodiscard]] virtual Async<Answer<CancelAnswer>> cancel(std::string_view id, bool retries) = 0;
  [[nodiscard]] virtual Async<std::vector<Answer<CancelAnswer>>> cancel_batch(
      std::vector<std::string_view> ids, bool retries) = 0;
  /// Makes a waiting task due now.
  [[nodiscard]] virtual Async<Answer<TaskView>> push_now(std::string_view id) = 0;
  /// `cursor` empty: from the start. Error slug bad_cursor.
  [[nodiscard]] virtual Async<Answer<Page>> list(TaskFilter filter, std::string cursor,
                                                 std::size_t limit) = 0;
  /// Every task that is pending throughout is in it once.
  [[nodiscard]] virtual std::unique_ptr<Export> export_pending() = 0;

  // --- Groups. An `operation`, where it is not empty, is the client's name for the call: the same
  // again within a day is answered as the first time, and not done again. Error slug:
  // operation_reused.
  [[nodiscard]] virtual Async<Answer<GroupView>> group(std::string_view name) = 0;
  [[nodiscard]] virtual Async<Answer<GroupCancelAnswer>> cancel_group(
      std::string_view name, std::string_view operation) = 0;
  /// All or none: error slug beyond_horizon.
  [[nodiscard]] virtual Async<Answer<std::uint64_t>> shift_group(std::string_view name, Millis by,
                                                                 std::string_view operation,
                                                                 ShiftStep step) = 0;

  // --- Targets.
  /// Makes of the target of that name what `change` makes of it.
  [[nodiscard]] virtual Async<Answer<PutAnswer<TargetView>>> change_target(std::string name,
                                                                           TargetChange change) = 0;
  [[nodiscard]] virtual Async<Answer<>> delete_target(std::string_view name, bool force) = 0;
  [[nodiscard]] virtual Async<Answer<TargetView>> pause_target(std::string_view name,
                                                               bool paused) = 0;
  /// Pushes a task to it that is stored nowhere, whether or not it is paused.
  [[nodiscard]] virtual Async<Answer<TestPush>> test_target(std::string_view name) = 0;
  [[nodiscard]] virtual Async<Answer<TargetView>> target(std::string_view name) = 0;
  /// At most `limit` of them by name, those whose names come after `after`.
  [[nodiscard]] virtual Async<std::vector<TargetView>> targets(std::string_view after,
                                                               std::size_t limit) = 0;
  /// Of all whose names come after `after` together.
  [[nodiscard]] virtual Async<TargetCounts> target_counts(std::string_view after) = 0;

  // --- Lanes.
  [[nodiscard]] virtual Async<Answer<PutAnswer<LaneView>>> put_lane(std::string name,
                                                                    LaneSettings settings) = 0;
  [[nodiscard]] virtual Async<Answer<>> delete_lane(std::string name) = 0;
  [[nodiscard]] virtual Async<std::vector<LaneView>> lanes() = 0;

  // --- Dead letters. An `operation` is as for groups.
  /// Back to its target with a fresh allowance of attempts, pushed now.
  [[nodiscard]] virtual Async<Answer<TaskView>> redrive(std::string_view id,
                                                        std::string_view operation) = 0;
  [[nodiscard]] virtual Async<Answer<>> remove_dead(std::string_view id) = 0;
  /// All that match (state is ignored); how many.
  [[nodiscard]] virtual Async<Answer<std::uint64_t>> redrive_all(TaskFilter filter,
                                                                 std::string operation) = 0;
  [[nodiscard]] virtual Async<Answer<std::uint64_t>> purge_dead(TaskFilter filter) = 0;

  // --- The whole.
  [[nodiscard]] virtual Async<Stats> stats() = 0;
  [[nodiscard]] virtual Async<EngineCounters> counters() = 0;
  [[nodiscard]] virtual Async<Answer<std::vector<WheelLevel>>> wheel() = 0;
  [[nodiscard]] virtual WallTime now() const = 0;
  /// Tasks that wait (of the target and lane of `of`, where given), counted by when they are pushed
  /// next, in [from, to), buckets of `bucket`, empty ones left out.
  [[nodiscard]] virtual Async<Answer<std::vector<ForecastBucket>>> forecast(Millis bucket,
                                                                            WallTime from,
                                                                            WallTime to,
                                                                            TaskFilter of) = 0;
  [[nodiscard]] virtual Async<Result<>> checkpoint(std::string dir) = 0;

  /// Manual clock only: moves it and answers when all that became due was handed to delivery in due
  /// order (or waits for its target).
  [[nodiscard]] virtual Async<WallTime> advance_clock(Millis by) = 0;
  [[nodiscard]] virtual bool clock_is_manual() const = 0;
};

}  // namespace carillon
