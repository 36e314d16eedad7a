// The engine: one shard, driven.
//
// Operation: the shard (shard/shard.h) is a pure state machine; the engine is all that it must not
// be. It hands it commands and the time, gives its batches to the log one at a time (what comes
// while one is being committed is gathered for the next), resumes callers whose records are
// durable, fetches contents shortly before they are due, and pushes what was fired.
//
// Concurrency: everything on one event loop's thread. Members that answer later are coroutines on
// that loop; the views in their arguments must stay valid until they return.
//
// Errors are those of docs/api.md, by slug; api/problem.h knows their status codes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "base/histogram.h"
#include "base/result.h"
#include "base/time.h"
#include "delivery/delivery.h"
#include "delivery/target.h"
#include "engine/allowance.h"
#include "net/url_policy.h"
#include "shard/shard.h"
#include "storage/log.h"
#include "wheel/task.h"

namespace carillon {

template <typename T>
using Async = boost::asio::awaitable<T>;

/// How a task stood when a command on it was refused (task_firing, task_finished).
struct Standing {
  State state = State::scheduled;
  std::uint32_t attempt = 0;
  WallTime at{};  // when it entered that state; for firing, when the attempt began
};
struct Refusal : Error {
  Refusal() = default;
  Refusal(Error error, std::optional<Standing> how = std::nullopt)  // NOLINT: an Error is a Refusal
      : Error(std::move(error)), standing(how) {}
  std::optional<Standing> standing;
};
[[noreturn]] void throw_exception_from_error(const Refusal& error,
                                             const boost::source_location& where);
template <typename T = void>
using Answer = boost::system::result<T, Refusal>;

/// All that is known of one task.
struct TaskView {
  State state = State::scheduled;
  WallTime due_at{};                        // as asked
  std::optional<WallTime> next_attempt_at;  // scheduled: the due; retrying: the next attempt
  std::optional<WallTime> finished_at;
  std::uint32_t attempt = 0;
  Note note;  // of the last push; note.attempt 0: none yet
  /// Views into `row`, or into the request that brought it.
  TaskContent content;
  std::shared_ptr<const std::string> row;
};

struct AddRequest {
  TaskContent
      content;  // created_at and webhook_id are filled in by the engine; id too, where empty
  std::optional<WallTime> due_at;  // exactly one of
  std::optional<Millis> delay;     // the two
  IfExists if_exists = IfExists::reject;
};
/// An add that is good in itself. Whether its id is free is decided when it is submitted.
struct PlannedAdd {
  command::Add command;
  TaskView created;     // the task as it stands once it is created; views as the request's
  std::string made_id;  // holds the id that is viewed, where the engine made it
};
enum class Added { created, same, kept, replaced };
struct AddAnswer {
  Added how = Added::created;
  std::optional<TaskView> task;  // as it stands now; not of one that was created
};

/// Absent: unchanged. An empty group, lane or an empty optional inside: removed.
struct ChangeRequest {
  std::optional<WallTime> due_at;
  std::optional<Millis> delay;
  struct Body {
    std::string_view bytes;
    std::string_view content_type;
    bool is_json = false;
  };
  std::optional<Body> body;
  std::optional<std::vector<Header>> headers;
  std::optional<std::string_view> target;
  std::optional<std::string_view> group;
  std::optional<std::string_view> lane;
  std::optional<std::optional<Millis>> expire_after;
  std::optional<std::optional<RetryChoice>> retry;
};

struct CancelAnswer {
  std::uint32_t attempts = 0;
  bool firing = false;  // an attempt is under way, and is its last
};

struct TaskFilter {
  std::optional<std::string> group{};
  std::optional<std::string> target{};
  std::optional<State> state{};
  std::optional<WallTime> due_from{};  // inclusive
  std::optional<WallTime> due_to{};    // exclusive
  std::optional<std::string> lane{};
};
struct Page {
  std::vector<TaskView> tasks;  // in due order; without body and headers
  std::string next_cursor;      // empty: this was the last
  Allowance::Share held;        // to keep until what is made of it is sent
};

/// How far an export is. It begins empty; what is in it belongs to the engine.
struct Export {
  std::uint32_t position = 0;
  std::vector<Statement> rest;  // found, but not read yet
  Allowance::Share held;        // resize it to what is made of a piece until that is sent
};

struct GroupView {
  std::array<std::uint64_t, kStates> counts{};
  std::optional<WallTime> earliest_due;  // of those that wait
  std::optional<WallTime> latest_due;
};
struct GroupCancelAnswer {
  std::uint64_t cancelled = 0;
  std::uint64_t firing = 0;
};

/// What a target becomes, given what it is (null: there is none).
using TargetChange = std::function<Result<TargetSettings>(const TargetSettings* before)>;

struct TargetCounts {
  std::uint64_t waiting = 0;    // tasks not finished that name it
  std::uint64_t backlog = 0;    // of these, due and not fired yet
  std::uint64_t in_flight = 0;  // pushes under way
  struct Held {
    WallTime until{};  // past: one probe at a time goes out
    WallTime since{};
    HoldReason reason{};
  };
  std::optional<Held> held{};
};
struct TargetView : TargetCounts {
  TargetSettings settings;
};

/// What a target answered to a push that tries it.
struct TestPush {
  std::uint32_t status = 0;  // 0: no answer came
  bool delivered = false;
  std::string error;  // empty where it was delivered
  std::string body;   // of the answer, its beginning
  Millis duration{};
};

struct Stats {
  std::array<std::uint64_t, kStates> counts{};
  std::uint64_t backlog = 0;
  std::optional<Millis> oldest_overdue;
  Histogram lateness;  // push start minus due, since the start
  LogStats log;
  DeliveryStats delivery;
  std::uint64_t memory_tasks_bytes = 0;  // arena, index, groups
  std::uint64_t memory_content_bytes = 0;
  std::uint64_t memory_resident_bytes = 0;
  Sequence last_sequence = 0;
  std::uint64_t pending_max = 0;   // tasks not finished, and dead letters
  std::uint64_t retained_max = 0;  // finished ones but dead letters
  WallTime now{};
};

struct ForecastBucket {
  WallTime from{};
  std::uint64_t tasks = 0;
};

struct EngineOptions {
  ShardOptions shard;
  Millis horizon = std::chrono::days(30);
  std::uint64_t pending_bytes_max = std::uint64_t{64}
                                    << 20;  // waiting for storage; over it: overloaded
  std::uint64_t content_cache_bytes = std::uint64_t{64} << 20;
  std::uint64_t push_bytes_max = std::uint64_t{16} << 20;    // contents that are being pushed
  std::uint64_t page_bytes_max = std::uint64_t{32} << 20;    // pages of lists on their way out
  std::uint64_t export_bytes_max = std::uint64_t{48} << 20;  // pieces of exports, likewise
  /// The log is cleaned when it is larger than twice what restating everything takes plus this.
  std::uint64_t log_slack_bytes = std::uint64_t{64} << 20;
  TargetSettings url_defaults;  // for tasks that name a URL
  /// Told of each hold that begins, changes or, where `held` is empty, ends. May be empty.
  std::function<void(const std::string& target, const std::optional<TargetView::Held>& held)>
      on_hold;
};

/// What the engine counts, for metrics; monotonic since the start.
struct EngineCounters {
  std::uint64_t added = 0, replaced = 0, changed = 0, cancelled = 0, fired = 0, delivered = 0,
                retried = 0, died = 0, expired = 0, redriven = 0, clock_steps = 0,
                refused_overloaded = 0, refused_full = 0, refused_no_space = 0, throttled = 0,
                holds = 0, repeated = 0, operations = 0;
  Histogram commit_time;
  Histogram lateness;
};

class Engine {
 public:
  /// `clock`, `log`, `delivery` and `urls` must outlive it.
  Engine(boost::asio::io_context& loop, Clock& clock, Log& log, Delivery& delivery, UrlPolicy& urls,
         EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Replays the log; blocks. Error slug `storage`. `progress` as Log::read.
  [[nodiscard]] Result<> recover(const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  /// Begins to fire. After `recover`.
  void start();
  /// Fires nothing new and refuses commands; returns when pushes under way are over and their
  /// outcomes durable, or after `deadline`.
  [[nodiscard]] Async<void> drain(Millis deadline);

  /// The log takes nothing any more: fires nothing and refuses commands until the process ends.
  void storage_failed();

  /// Empty when ready; else why not: "recovering", "draining", "storage failed".
  [[nodiscard]] std::string not_ready_because() const;
  /// The disk is nearly full: adds and new contents are refused, and nothing else.
  [[nodiscard]] bool short_of_space() const;

  /// What adding the task comes to, without adding it. So an answer can be made of it while all
  /// that it came from is at hand, and nothing of that need outlive the commit.
  [[nodiscard]] Result<PlannedAdd> plan(AddRequest request);
  [[nodiscard]] Async<Answer<AddAnswer>> add(command::Add add);
  /// As if added one by one, in order, but in one commit.
  [[nodiscard]] Async<std::vector<Answer<Added>>> add_batch(std::vector<Command> adds);
  [[nodiscard]] Async<Answer<TaskView>> get(std::string_view id);
  [[nodiscard]] Async<Answer<TaskView>> change(std::string_view id, ChangeRequest request);
  /// `retries`: also of a task that is firing, whose attempt becomes its last.
  [[nodiscard]] Async<Answer<CancelAnswer>> cancel(std::string_view id, bool retries = false);
  [[nodiscard]] Async<std::vector<Answer<CancelAnswer>>> cancel_batch(
      std::vector<std::string_view> ids, bool retries = false);
  /// Makes a waiting task due now.
  [[nodiscard]] Async<Answer<TaskView>> push_now(std::string_view id);
  /// `cursor` empty: from the start. Error slug bad_cursor.
  [[nodiscard]] Async<Answer<Page>> list(TaskFilter filter, std::string cursor, std::size_t limit);

  [[nodiscard]] Async<Answer<GroupView>> group(std::string_view name);
  // An `operation`, where it is not empty, is the client's name for the call: the same again within
  // a day is answered as the first time, and not done again. Error slug: operation_reused.
  [[nodiscard]] Async<Answer<GroupCancelAnswer>> cancel_group(std::string_view name,
                                                              std::string_view operation = {});
  /// All or none: error slug beyond_horizon.
  [[nodiscard]] Async<Answer<std::uint64_t>> shift_group(std::string_view name, Millis by,
                                                         std::string_view operation = {});

  /// Makes of the target of that name what `change` makes of it. True: made; false: changed.
  [[nodiscard]] Async<Answer<bool>> change_target(std::string name, TargetChange change);
  [[nodiscard]] Async<Answer<>> delete_target(std::string_view name, bool force);
  [[nodiscard]] Async<Answer<>> pause_target(std::string_view name, bool paused);
  /// Pushes a task to it that is stored nowhere, whether or not it is paused.
  [[nodiscard]] Async<Answer<TestPush>> test_target(std::string_view name);
  [[nodiscard]] Answer<TargetView> target(std::string_view name) const;
  /// At most `limit` of them by name, those whose names come after `after`.
  [[nodiscard]] std::vector<TargetView> targets(std::string_view after, std::size_t limit) const;
  [[nodiscard]] std::size_t target_count() const;
  /// Of all whose names come after `after` together.
  [[nodiscard]] TargetCounts target_counts(std::string_view after) const;

  /// A dead letter back to its target with a fresh allowance of attempts, pushed now.
  [[nodiscard]] Async<Answer<TaskView>> redrive(std::string_view id,
                                                std::string_view operation = {});
  [[nodiscard]] Async<Answer<>> remove_dead(std::string_view id);
  /// All dead letters that match (state is ignored); how many.
  [[nodiscard]] Async<Answer<std::uint64_t>> redrive_all(TaskFilter filter,
                                                         std::string operation = {});
  [[nodiscard]] Async<Answer<std::uint64_t>> purge_dead(TaskFilter filter);

  [[nodiscard]] Stats stats() const;
  [[nodiscard]] const EngineCounters& counters() const;
  [[nodiscard]] std::vector<WheelLevel> wheel() const;
  [[nodiscard]] WallTime now() const;
  /// Tasks that wait (for `target`, where given), counted by when they are pushed next, in [from,
  /// to), buckets of `bucket`, empty ones left out.
  [[nodiscard]] Async<std::vector<ForecastBucket>> forecast(Millis bucket, WallTime from,
                                                            WallTime to,
                                                            std::optional<std::string> target = {});
  [[nodiscard]] Async<Result<>> checkpoint(std::string dir);

  /// The pending tasks, some at a call, in no order; empty at the end. Every task that is pending
  /// throughout is in it once.
  [[nodiscard]] Async<std::vector<TaskView>> export_next(Export& its);

  /// Manual clock only: moves it and answers when all that became due was handed to delivery in due
  /// order (or waits for its target).
  [[nodiscard]] Async<WallTime> advance_clock(Millis by);
  [[nodiscard]] bool clock_is_manual() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carillon
