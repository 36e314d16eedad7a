// What goes into a shard and what comes out of it: commands, their replies, pushes to start.
//
// A command is what somebody would like; the shard decides, and what it decides is a record
// (shard/record.h). Effects are gathered by the shard and carried out by who drives it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "shard/record.h"

namespace carillon {

/// Whom to answer; chosen by the caller, 0: nobody.
using Ticket = std::uint64_t;

namespace command {

struct Add {
  Statement task;  // fingerprint, due, target, group, expire_after
  IfExists if_exists = IfExists::reject;
  std::string content;
  bool key_allowed = true;  // by its target; else it is refused where the key would count
};
/// New content for a task whose present content is number `expected`; `task` as for Add.
struct Change {
  Statement task;
  TaskNumber expected = 0;
  bool due_given = false;  // else the task keeps its due
  /// Takes a dead letter instead of a waiting task, gives it back its attempts, and leaves the due
  /// that was asked for as it is; `task.due` is when.
  bool redrive = false;
  std::string content;
  std::shared_ptr<const Note> note;  // of the content before it, to be kept; may be null
  OperationName operation{};         // of a redrive
  bool key_allowed = true;           // as for Add
};
struct Move {
  Fingerprint task;
  WallTime due{};
};
struct Cancel {
  Fingerprint task;
  bool retries = false;  // of a firing one: makes the attempt under way its last
};
/// Deletes a dead letter; `number` 0: the newest with that fingerprint.
struct RemoveDead {
  Fingerprint task;
  TaskNumber number = 0;
};
using record::GroupCancel;
/// Refused where a task would be due after `latest`.
struct GroupShift {
  GroupKey group;
  Millis by{};
  OperationName operation{};
  WallTime latest = WallTime::max();
  bool only_asks = false;  // whether it would be refused; nothing moves
};
using record::Operation;  // was carried out, by more than one command
using record::TargetPut;
using record::TargetRelease;
/// Pushes of another shard to that target were in trouble; only until when, and why, count.
using record::TargetHold;
struct TargetDelete {
  TargetKey key;
  bool force = false;
};
/// The shard gives a new lane its number.
struct LanePut {
  std::string name;
  std::uint32_t weight = 1;
  std::uint32_t reserved = 0;
};
struct LaneDelete {
  std::string name;
};

}  // namespace command

using Command =
    std::variant<command::Add, command::Change, command::Move, command::Cancel, command::RemoveDead,
                 command::GroupCancel, command::GroupShift, command::Operation, command::TargetPut,
                 command::TargetDelete, command::TargetRelease, command::TargetHold,
                 command::LanePut, command::LaneDelete>;

enum class Verdict : std::uint8_t {
  done,             // as asked, and durable
  same,             // Add: the same task is there already; said by who compared the contents
  kept,             // Add: if_exists left the old one
  replaced,         // Add: if_exists replaced the old one
  task_exists,      // Add: another task has the id
  task_firing,      //
  task_finished,    //
  not_found,        // no such task, dead letter, group or target
  content_moved,    // Change: the content is no longer number `expected`; look again
  unknown_target,   // Add, Change: no target of that name
  unknown_lane,     // Add, Change: no such lane
  unmergeable,      // Add, Change: its target takes one task in a push
  key_not_allowed,  // Add, Change: by its target
  target_in_use,    // TargetDelete without force
  lane_in_use,      // LaneDelete; or it is the default one
  too_many_targets,
  too_many_lanes,
  too_much_reserved,  // LanePut: more than nine tenths of a limit would be set aside
  full,
  repeated,             // a named operation that was carried out before: nothing more was done
  operation_reused,     // another operation had that name
  too_many_operations,  // as many are remembered as may be
  beyond_horizon,       // GroupShift: a task would be due too late
  // Said by the shard's driver, where the shard has another owner, or its log does not answer.
  moved,            // not done
  log_away,         // not done
  outcome_unknown,  // perhaps done: it was on its way to the log
};

struct Reply {
  Ticket ticket = 0;
  Verdict verdict = Verdict::done;
  Statement task;            // where one is concerned: as it stands now
  std::uint64_t count = 0;   // group cancelled, shifted; tasks that name a target or a lane
  std::uint64_t firing = 0;  // group cancel: of the group's tasks, with an attempt under way
  /// An Add's that asked to be rejected or to keep what there is, back again where something was
  /// there: whether it is the same once more, the contents tell, which the shard does not hold.
  std::string content;
  bool same_due = false;  // that Add asked for the due that stands
};

/// Tells pushes under way that carry several tasks apart; 0: it carries one alone.
using PushNumber = std::uint32_t;

/// A push to start, or a task's part of one.
struct Fired {
  Fingerprint task;
  TaskNumber number = 0;
  TargetKey target;
  LaneNumber lane = kDefaultLane;
  WallTime due{};  // when this attempt was due
  WallTime asked_due{};
  std::uint32_t attempt = 0;
  bool is_probe = false;  // it tries a target that is held
  WallTime expires_at = WallTime::max();
  bool is_merged = false;  // it is pushed with others of its part, if there are any
  PushNumber push = 0;
};

struct Effects {
  std::vector<Reply> replies;
  std::vector<Fired> fired;
  std::vector<TaskNumber> imminent;  // contents that will be wanted within half a second
  std::vector<TargetKey> targets;    // made, changed or deleted
  std::vector<TargetKey> holds;      // targets whose hold began, changed or ended
  [[nodiscard]] bool empty() const {
    return replies.empty() && fired.empty() && imminent.empty() && targets.empty() && holds.empty();
  }
};

}  // namespace carillon
