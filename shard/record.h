// The records of the log: facts, in the one order that decides everything.
//
// A record says what has happened, never what somebody would like: the shard decides before it
// appends, so applying a record, live or on recovery, decides nothing and cannot fail. A record
// about a task carries its fingerprint and the number of the content it means; if no such task is
// there, the record is void (its task was finished and forgotten, or restated further on).
//
// A batch is what one commit makes durable together: records with consecutive sequences, the
// contents and notes they bring, the rows nobody needs any more, and how far the log may be
// trimmed.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wheel/task.h"

namespace carillon {

/// A task as it stands, whole. `Put` brings a new one (its number is the record's own sequence) or,
/// with `previous` set, replaces or changes the one that had that number. `Keep` restates one that
/// exists, so that the log before it can be trimmed.
struct Statement {
  Fingerprint task;
  TaskNumber number = 0;
  WallTime due{};        // when it is pushed next; when it was due, once finished
  WallTime asked_due{};  // the due that was asked for; differs from `due` while it is retrying, and
                         // after a redrive
  TargetKey target;
  bool target_is_url = false;
  GroupKey group;
  LaneNumber lane = kDefaultLane;  // of a finished one it says nothing
  std::optional<Millis> expire_after;
  bool dies_late = false;  // once that is over it is a dead letter, and not expired
  MergeRule merge;         // of a finished one it says nothing
  std::uint32_t attempt = 0;
  State state = State::scheduled;
  bool retries_cancelled = false;  // it is firing, and that attempt is its last
  WallTime finished_at{};          // meaningful where finished(state)
  DeliveringPush push{};           // of a delivered one
  WallTime redriven_at{};          // of a dead letter that was sent again; 0: never
  friend bool operator==(const Statement&, const Statement&) = default;
};

/// An operation that its client named, so that it can be sent again without being done again.
struct OperationName {
  Hash128 key;                  // of call, resource and the client's name for it; all zero: none
  std::uint64_t arguments = 0;  // a digest of them: the same name with others is a mistake
  [[nodiscard]] bool given() const { return key != Hash128{}; }
  friend bool operator==(const OperationName&, const OperationName&) = default;
};

/// Why nothing is pushed to a target for a while.
enum class HoldReason : std::uint8_t {
  too_many_requests,  // it answered 429
  unavailable,        // it answered 503 with Retry-After
  failing,            // so many pushes in a row failed as its breaker allows
};
inline constexpr int kHoldReasons = 3;
inline constexpr std::string_view kHoldReasonNames[kHoldReasons] = {"too_many_requests",
                                                                    "unavailable", "failing"};
[[nodiscard]] constexpr std::string_view name_of(HoldReason reason) {
  return kHoldReasonNames[static_cast<int>(reason)];
}

namespace record {

struct Put {
  Statement task;
  TaskNumber previous = 0;
  friend bool operator==(const Put&, const Put&) = default;
};
struct Keep {
  Statement task;
  friend bool operator==(const Keep&, const Keep&) = default;
};
/// A waiting task got another due and is scheduled again.
struct Move {
  Fingerprint task;
  TaskNumber number = 0;
  WallTime due{};
  friend bool operator==(const Move&, const Move&) = default;
};
struct Cancel {
  Fingerprint task;
  TaskNumber number = 0;
  friend bool operator==(const Cancel&, const Cancel&) = default;
};
/// The attempt that is under way is the task's last.
struct CancelRetries {
  Fingerprint task;
  TaskNumber number = 0;
  friend bool operator==(const CancelRetries&, const CancelRetries&) = default;
};
/// Its next attempt begins. Durable before the push starts.
struct Fire {
  Fingerprint task;
  TaskNumber number = 0;
  friend bool operator==(const Fire&, const Fire&) = default;
};
/// How a firing task came out, or why one that was due was not fired: delivered, retrying (due
/// again at `retry_at`), dead, expired, or cancelled where its retries were.
struct Outcome {
  Fingerprint task;
  TaskNumber number = 0;
  State state = State::delivered;
  WallTime retry_at{};    // where state is retrying
  DeliveringPush push{};  // where it is delivered
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
/// A dead letter was deleted.
struct Remove {
  Fingerprint task;
  TaskNumber number = 0;
  friend bool operator==(const Remove&, const Remove&) = default;
};
/// Every task of the group that waits at this point of the log is cancelled, and the retries of
/// those that are firing.
struct GroupCancel {
  GroupKey group;
  OperationName operation{};
  friend bool operator==(const GroupCancel&, const GroupCancel&) = default;
};
/// Every task of the group that waits at this point of the log moves by `by`, but not before the
/// batch's own time unless it was due before that already.
struct GroupShift {
  GroupKey group;
  Millis by{};
  OperationName operation{};
  friend bool operator==(const GroupShift&, const GroupShift&) = default;
};
/// A named target was made or changed. `settings` is opaque here (delivery/target.h encodes it).
struct TargetPut {
  TargetKey key;
  std::string name;
  std::uint32_t concurrency = 0;
  bool paused = false;
  std::string settings;
  RateLimit rate{};
  std::uint32_t batch_tasks = 0;  // so many go in one push; 0: each alone
  Millis batch_wait{};            // for which the first waits for others
  bool takes_one = false;         // no push may carry several, so none are merged
  // The shard says these two, whoever asks for the record.
  Millis paused_for{};      // in all, before `paused_since`
  WallTime paused_since{};  // where it is paused
  friend bool operator==(const TargetPut&, const TargetPut&) = default;
};
/// A named target was deleted; tasks that still name it go to the dead letters when due.
struct TargetDelete {
  TargetKey key;
  friend bool operator==(const TargetDelete&, const TargetDelete&) = default;
};

/// A named operation was carried out, and this was its answer. Also restates what a group's record
/// says of its own.
struct Operation {
  OperationName name;
  WallTime at{};
  std::uint64_t count = 0;
  std::uint64_t firing = 0;
  friend bool operator==(const Operation&, const Operation&) = default;
};
/// Nothing is pushed to a named target before `until`, but for what was on its way already.
struct TargetHold {
  TargetKey key;
  HoldReason reason = HoldReason::too_many_requests;
  WallTime since{};
  WallTime until{};
  std::uint32_t doublings = 0;  // how often in a row it was held without being told how long
  friend bool operator==(const TargetHold&, const TargetHold&) = default;
};
/// Its hold is over.
struct TargetRelease {
  TargetKey key;
  friend bool operator==(const TargetRelease&, const TargetRelease&) = default;
};
/// A lane was made or changed. What `weight` and `reserved` mean: shard/lane_shares.h.
struct LanePut {
  LaneNumber number = kDefaultLane;
  std::string name;
  std::uint32_t weight = 1;
  std::uint32_t reserved = 0;
  friend bool operator==(const LanePut&, const LanePut&) = default;
};
/// A lane was deleted; no task that is not finished was in it.
struct LaneDelete {
  LaneNumber number = kDefaultLane;
  friend bool operator==(const LaneDelete&, const LaneDelete&) = default;
};

}  // namespace record

using Record =
    std::variant<record::Put, record::Keep, record::Move, record::Cancel, record::Fire,
                 record::Outcome, record::Remove, record::GroupCancel, record::GroupShift,
                 record::TargetPut, record::TargetDelete, record::CancelRetries, record::Operation,
                 record::TargetHold, record::TargetRelease, record::LanePut, record::LaneDelete>;

struct ContentRow {
  TaskNumber number = 0;
  std::string bytes;  // as storage/content.h encodes it
};
struct NoteRow {
  TaskNumber number = 0;
  Note note;
};

struct Batch {
  Sequence first = 0;  // sequence of records[0]
  WallTime at{};       // wall time when it was sealed; the time of all that it says
  std::vector<Record> records;
  std::vector<ContentRow> contents;
  std::vector<NoteRow> notes;
  std::vector<TaskNumber> forgotten;  // delete these contents and notes
  Sequence trim_before = 0;           // drop every batch whose `first` is lower; 0: none

  [[nodiscard]] Sequence last() const { return first + records.size() - 1; }
  [[nodiscard]] bool empty() const {
    return records.empty() && forgotten.empty() && trim_before == 0;
  }
};

}  // namespace carillon
