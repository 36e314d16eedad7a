// What is asked of the tasks' service, and what it answers.
//
// Views in a request must stay valid until its answer is there. Errors are those of docs/api.md, by
// slug; what status each has, the API knows.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/histogram.h"
#include "base/result.h"
#include "base/time.h"
#include "delivery/sink.h"
#include "delivery/target.h"
#include "engine/allowance.h"
#include "shard/list_key.h"
#include "shard/record.h"
#include "shard/waiting.h"
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
  Note note;              // of the last push that failed; note.attempt 0: none yet
  DeliveringPush push{};  // of a delivered one
  /// Views into `row`, or into the request that brought it.
  TaskContent content;
  std::shared_ptr<const std::string> row;
};

/// Why a task has not been pushed yet.
struct Explanation {
  State state = State::scheduled;
  std::uint32_t attempt = 0;
  std::optional<Waiting> waiting;  // where it waits
};

struct AddRequest {
  TaskContent
      content;  // created_at and webhook_id are filled in by the engine; id too, where empty
  std::optional<WallTime> due_at;  // exactly one of
  std::optional<Millis> delay;     // the two
  IfExists if_exists = IfExists::reject;
};
/// A task that can be added. What is in it, and whether its id is free, is the service's business.
struct NewTask {
  Statement task;
  IfExists if_exists = IfExists::reject;
  std::string lane;     // by name; empty: the default one
  std::string key;      // for the target to allow; empty: none
  std::string content;  // as it is stored
  // Of a cluster's task, on its way to its shard:
  std::optional<Millis> delay;  // that was asked for, and which `task.due` comes of
  std::uint32_t shard = 0;
};
/// An add that is good in itself.
struct PlannedAdd {
  NewTask task;
  TaskView created;     // the task as it stands once it is created; views as the request's
  std::string made_id;  // holds the id that is viewed, where the service made it
};
enum class Added { created, same, kept, replaced };
struct AddAnswer {
  Added how = Added::created;
  /// As it stands now. Of one that was created only where that is not what was planned.
  std::optional<TaskView> task;
};

/// Absent: unchanged. An empty group, lane, key or an empty optional inside: removed.
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
  std::optional<std::string_view> key;
  std::optional<std::optional<Millis>> expire_after;
  std::optional<bool> dies_late;
  std::optional<std::optional<Millis>> merge_within;
  std::optional<std::optional<RetryChoice>> retry;
};

struct CancelAnswer {
  std::uint32_t attempts = 0;
  bool firing = false;  // an attempt is under way, and is its last
};

/// The shards of a cluster that did not answer, so that what is told lacks theirs.
using SilentShards = std::vector<std::uint32_t>;

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
  std::vector<ListKey> keys;    // the places of these
  std::string next_cursor;      // empty: this was the last
  SilentShards silent;
  Allowance::Share held;  // to keep until what is made of it is sent
};

/// The pending tasks, some at a call. Each that is pending throughout comes once. After an error
/// nothing more does.
class Export {
 public:
  Export() = default;
  virtual ~Export() = default;
  Export(const Export&) = delete;
  Export& operator=(const Export&) = delete;
  /// The next of them, in no order; empty at the end.
  [[nodiscard]] virtual Async<Answer<std::vector<TaskView>>> next() = 0;

  Allowance::Share held;  // resize it to what is made of a piece until that is sent
};

struct GroupView {
  std::array<std::uint64_t, kStates> counts{};
  std::optional<WallTime> earliest_due;  // of those that wait
  std::optional<WallTime> latest_due;
};
/// A group may be in several shards of a cluster, and none of them is to move it where one refuses.
enum class ShiftStep : std::uint8_t {
  whole,
  ask,        // only whether it would be refused
  carry_out,  // without asking again
};
struct GroupCancelAnswer {
  std::uint64_t cancelled = 0;
  std::uint64_t firing = 0;
};

/// What a lane is set to; shard/lane_shares.h says what they do.
struct LaneSettings {
  std::uint32_t weight = 1;
  std::uint32_t reserved = 0;  // thousandths
  friend bool operator==(const LaneSettings&, const LaneSettings&) = default;
};
/// What `reserved` is in thousandths, rounded, of a number from 0 to 0.9. Error slug: bad_value.
[[nodiscard]] Result<std::uint32_t> reserved_thousandths(double reserved);
struct LaneView {
  std::string name;
  LaneSettings settings;
  std::uint64_t waiting = 0;    // tasks not finished that are in it
  std::uint64_t backlog = 0;    // of these, due and not fired yet
  std::uint64_t in_flight = 0;  // pushes under way
  Histogram lateness;           // as Stats::lateness
  SilentShards silent;
};

/// A target or a lane as it stands once it was put.
template <typename View>
struct PutAnswer {
  View view;
  bool made = false;  // else changed
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
  SilentShards silent{};
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
  std::vector<LaneView> lanes;
  SilentShards silent;
};

struct ForecastBucket {
  WallTime from{};
  std::uint64_t tasks = 0;
};

/// What the engine counts, for metrics; monotonic since the start.
struct EngineCounters {
  std::uint64_t added = 0, replaced = 0, changed = 0, cancelled = 0, fired = 0, delivered = 0,
                retried = 0, died = 0, expired = 0, redriven = 0, clock_steps = 0,
                refused_overloaded = 0, refused_full = 0, refused_no_space = 0, throttled = 0,
                repeated = 0, operations = 0;
  std::array<std::uint64_t, kHoldReasons> holds{};  // targets held, or held longer, by the reason
  Histogram commit_time;
  Histogram lateness;
  std::map<LaneNumber, Histogram> lane_lateness;  // of each lane of which a task was pushed
};

}  // namespace carillon
