// What may be asked of a shard that is on another node: the members of TaskService, as values.
//
// Operation: a call holds its arguments, which are its `parts`. `on` carries it out where the shard
// is; wire.h makes bytes of it where it is not. `Told` is what is told where it is not refused. A
// call that writes and whose answer is lost has perhaps been carried out; nothing is lost with the
// answer to another.
//
// Views in a call are as those in the arguments of TaskService.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "engine/task_service.h"

namespace carillon::shard_call {

struct Manner {
  bool writes = false;
  std::chrono::seconds time_limit{};
};
inline constexpr Manner kRead{false, std::chrono::seconds(5)};
inline constexpr Manner kWrite{true, std::chrono::seconds(10)};
// Of what may look at every task of the shard.
inline constexpr Manner kLongRead{false, std::chrono::seconds(60)};
inline constexpr Manner kLongWrite{true, std::chrono::seconds(60)};

/// What cannot be refused, as what can.
template <typename T>
Async<Answer<T>> unrefused(Async<T> telling) {
  T told = co_await std::move(telling);
  co_return Answer<T>(std::move(told));
}

struct AddTold {
  AddAnswer answer;
  WallTime due{};  // of a task that was created, by the clock of its shard's owner
};
struct Add {
  using Told = AddTold;
  static constexpr Manner kManner = kWrite;
  NewTask task;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    Answer<AddAnswer> added = co_await shard.add(task);
    if (!added) co_return std::move(added).error();
    Told told;
    told.answer = *std::move(added);
    told.due = task.task.due;
    co_return told;
  }
  auto parts() { return std::tie(task); }
};
struct AddBatch {
  using Told = std::vector<Answer<Added>>;
  static constexpr Manner kManner = kWrite;
  std::vector<NewTask> items;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return unrefused(shard.add_batch(items));
  }
  auto parts() { return std::tie(items); }
};
struct Get {
  using Told = TaskView;
  static constexpr Manner kManner = kRead;
  std::string_view id;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const { return shard.get(id); }
  auto parts() { return std::tie(id); }
};
struct Explain {
  using Told = Explanation;
  static constexpr Manner kManner = kRead;
  std::string_view id;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const { return shard.explain(id); }
  auto parts() { return std::tie(id); }
};
struct Change {
  using Told = TaskView;
  static constexpr Manner kManner = kWrite;
  std::string_view id;
  ChangeRequest request;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return shard.change(id, request);
  }
  auto parts() { return std::tie(id, request); }
};
struct Cancel {
  using Told = CancelAnswer;
  static constexpr Manner kManner = kWrite;
  std::string_view id;
  bool retries = false;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return shard.cancel(id, retries);
  }
  auto parts() { return std::tie(id, retries); }
};
struct CancelBatch {
  using Told = std::vector<Answer<CancelAnswer>>;
  static constexpr Manner kManner = kWrite;
  std::vector<std::string_view> items;
  bool retries = false;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return unrefused(shard.cancel_batch(items, retries));
  }
  auto parts() { return std::tie(items, retries); }
};
struct PushNow {
  using Told = TaskView;
  static constexpr Manner kManner = kWrite;
  std::string_view id;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const { return shard.push_now(id); }
  auto parts() { return std::tie(id); }
};
struct List {
  using Told = Page;
  static constexpr Manner kManner = kRead;
  TaskFilter filter;
  std::string cursor;
  std::uint64_t limit = 0;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return shard.list(filter, cursor, limit);
  }
  auto parts() { return std::tie(filter, cursor, limit); }
};
struct Group {
  using Told = GroupView;
  static constexpr Manner kManner = kRead;
  std::string_view name;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const { return shard.group(name); }
  auto parts() { return std::tie(name); }
};
struct CancelGroup {
  using Told = GroupCancelAnswer;
  static constexpr Manner kManner = kLongWrite;
  std::string_view name;
  std::string_view operation;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return shard.cancel_group(name, operation);
  }
  auto parts() { return std::tie(name, operation); }
};
struct AskShift {
  using Told = std::uint64_t;
  static constexpr Manner kManner = kLongRead;
  std::string_view name;
  Millis by{};
  std::string_view operation;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return shard.shift_group(name, by, operation, ShiftStep::ask);
  }
  auto parts() { return std::tie(name, by, operation); }
};
struct CarryOutShift {
  using Told = std::uint64_t;
  static constexpr Manner kManner = kLongWrite;
  std::string_view name;
  Millis by{};
  std::string_view operation;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return shard.shift_group(name, by, operation, ShiftStep::carry_out);
  }
  auto parts() { return std::tie(name, by, operation); }
};
struct Redrive {
  using Told = TaskView;
  static constexpr Manner kManner = kWrite;
  std::string_view id;
  std::string_view operation;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return shard.redrive(id, operation);
  }
  auto parts() { return std::tie(id, operation); }
};
struct RemoveDead {
  using Told = void;
  static constexpr Manner kManner = kWrite;
  std::string_view id;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const { return shard.remove_dead(id); }
  auto parts() { return std::tie(id); }
};
struct RedriveAll {
  using Told = std::uint64_t;
  static constexpr Manner kManner = kLongWrite;
  TaskFilter filter;
  std::string operation;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return shard.redrive_all(filter, operation);
  }
  auto parts() { return std::tie(filter, operation); }
};
struct PurgeDead {
  using Told = std::uint64_t;
  static constexpr Manner kManner = kLongWrite;
  TaskFilter filter;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return shard.purge_dead(filter);
  }
  auto parts() { return std::tie(filter); }
};
struct Stats {
  using Told = carillon::Stats;
  static constexpr Manner kManner = kRead;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return unrefused(shard.stats());
  }
  auto parts() { return std::tie(); }
};
struct Wheel {
  using Told = std::vector<WheelLevel>;
  static constexpr Manner kManner = kRead;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const { return shard.wheel(); }
  auto parts() { return std::tie(); }
};
struct Forecast {
  using Told = std::vector<ForecastBucket>;
  static constexpr Manner kManner = kLongRead;
  Millis bucket{};
  WallTime from{};
  WallTime to{};
  TaskFilter of;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return shard.forecast(bucket, from, to, of);
  }
  auto parts() { return std::tie(bucket, from, to, of); }
};
/// How many tasks name them, as far as there are any of these; what they are set to every node
/// knows by itself, and secrets stay where they are.
struct Targets {
  using Told = std::vector<TargetView>;
  static constexpr Manner kManner = kRead;
  std::string_view after;
  std::uint64_t limit = 0;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return unrefused(shard.targets(after, limit));
  }
  auto parts() { return std::tie(after, limit); }
};
/// The same of one.
struct Target {
  using Told = TargetView;
  static constexpr Manner kManner = kRead;
  std::string_view name;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const { return shard.target(name); }
  auto parts() { return std::tie(name); }
};
/// The same of all whose names come after `after`, together.
struct CountTargets {
  using Told = TargetCounts;
  static constexpr Manner kManner = kRead;
  std::string_view after;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return unrefused(shard.target_counts(after));
  }
  auto parts() { return std::tie(after); }
};
/// Ends its hold, if there is one.
struct ResumeTarget {
  using Told = TargetView;
  static constexpr Manner kManner = kWrite;
  std::string_view name;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return shard.pause_target(name, false);
  }
  auto parts() { return std::tie(name); }
};
struct TestTarget {
  using Told = TestPush;
  static constexpr Manner kManner = kLongWrite;
  std::string_view name;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const { return shard.test_target(name); }
  auto parts() { return std::tie(name); }
};
struct Lanes {
  using Told = std::vector<LaneView>;
  static constexpr Manner kManner = kRead;
  [[nodiscard]] Async<Answer<Told>> on(TaskService& shard) const {
    return unrefused(shard.lanes());
  }
  auto parts() { return std::tie(); }
};
struct ExportTold {
  std::uint64_t number = 0;     // of the export
  std::vector<TaskView> tasks;  // empty: that was all
};
/// The next piece of an export, which the node of the shard keeps open under a number. It has no
/// `on`: that is more than a shard knows.
struct ExportSome {
  using Told = ExportTold;
  static constexpr Manner kManner = kLongRead;
  std::uint64_t number = 0;  // 0: begin one
  auto parts() { return std::tie(number); }
};

/// Numbers on the wire are their places here, and are for ever.
using Any = std::variant<Add, AddBatch, Get, Change, Cancel, CancelBatch, PushNow, List, Group,
                         CancelGroup, AskShift, CarryOutShift, Redrive, RemoveDead, RedriveAll,
                         PurgeDead, Stats, Wheel, Forecast, Targets, Target, CountTargets,
                         TestTarget, Lanes, ExportSome, Explain, ResumeTarget>;

}  // namespace carillon::shard_call
