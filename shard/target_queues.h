// Targets, and what is due for each: which task may be fired next.
//
// A due task waits in its target's queue until the target may have one more push under way; until
// that moment it can be cancelled. What a queue waits for is the line in which it stands, and it
// always stands in exactly one:
//
//     nothing         it is empty, or its target may have no further push for now: paused, held,
//                     or as many are under way as it takes. Whatever changes that moves it on.
//     turn            it is served next: up to 256 tasks, then the others have their turn
//     allowance       what it has is overdue, which is paced; looked at again every 10 ms
//     room            its target takes more, but too few slots are free in all
//     room_answering  the same, of a target whose last push was answered
//
// Overdue. What left the wheel more than a second late (downtime, a stepped clock) has a list of
// its own in the queue, oldest first. It comes behind what is punctual and is paced, so that a
// backlog makes nothing punctual late.
//
// Shares. A push that nobody answers holds its slot until its time-out, and slots cannot be taken
// back. So a target whose last push was answered may take one more only while more are free than it
// holds (the dynamic threshold of Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2),
// 1998): one alone gets half of all slots, n greedy ones get 1/(n+1) each, and as many stay free
// for who comes next. A target that has not answered gets a quarter of that, and leaves a quarter
// of the slots to those that answer; half of this quarter is open to the only push of a target, so
// that it can show that it answers. A target that leaves several pushes in a row unanswered is held
// to half as many under way with each further one, down to eight, until it answers. Each push that
// ends has the first queue in either line for room looked at again.
//
// Operation:
//   queues.enqueue(ref);                                    // it is due
//   while ((ref = queues.next()) != kNoEntry) {             // off its queue
//     if (may_still_be_pushed(ref)) queues.begin(ref);      // its slot is taken from now on
//   }
//   queues.end(target, number, answered, throttle);         // its slot is free
//
// Concurrency: none; pure. Time comes by `tick`.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "shard/hold.h"
#include "shard/record.h"
#include "wheel/arena.h"

namespace carillon {

/// What bounds the pushes of a shard.
struct TargetLimits {
  std::uint64_t in_flight_max = 20'000;        // pushes under way at once, to all targets
  std::uint32_t url_concurrency = 64;          // of each origin that tasks name by URL
  std::uint32_t catch_up_per_second = 20'000;  // overdue tasks fired per target; 0: no limit
};

/// What there is to know of a target.
struct TargetState {
  record::TargetPut settings;  // of an origin: the key and the concurrency
  Hold hold;
  bool is_url = false;
  bool deleted = false;          // or never put: its tasks go to the dead letters
  std::uint32_t users = 0;       // tasks that name it
  std::uint32_t unfinished = 0;  // of these, not finished
  std::uint32_t queued = 0;      // of these, due and waiting for a slot
  std::uint32_t in_flight = 0;
  std::uint32_t unanswered = 0;  // of its pushes the last so many ended without an answer
  bool answers = false;          // the last one that ended was answered

  /// How many pushes it may have under way: `concurrency`, and fewer the longer nobody answers.
  [[nodiscard]] std::uint32_t window() const;
};

class TargetQueues {
 public:
  /// What the end of a push did to its target's hold.
  enum class HoldChange : std::uint8_t { none, held, released };

  /// `arena` and `lists` must outlive it.
  TargetQueues(Arena& arena, Lists& lists, const TargetLimits& limits);

  // --- Targets. An entry names its target by the index.
  /// kTargetsMax: there is none.
  [[nodiscard]] std::uint32_t find(const TargetKey& key) const;
  [[nodiscard]] const TargetState& operator[](std::uint32_t index) const {
    return *targets_[index];
  }
  /// How many there are, named ones and origins.
  [[nodiscard]] std::size_t size() const { return by_key_.size(); }
  /// Those with a name that stand, by name.
  [[nodiscard]] std::vector<const TargetState*> named() const;

  /// One more task names that target, which is made where there is none; its index.
  [[nodiscard]] std::uint32_t add_user(const TargetKey& key, bool is_url, bool unfinished);
  /// Of its users one that was not finished is.
  void finish_user(std::uint32_t index) {
    CARILLON_CHECK(targets_[index]->unfinished > 0);
    --targets_[index]->unfinished;
  }
  /// A task that named it is gone. An origin goes with its last user, and so does a named target
  /// that was deleted.
  void remove_user(std::uint32_t index, bool unfinished) {
    if (unfinished) finish_user(index);
    CARILLON_CHECK(targets_[index]->users > 0);
    if (--targets_[index]->users == 0) drop_if_unused(*targets_[index]);
  }

  /// A target is made or changed; true: it stood already.
  bool put(const record::TargetPut& settings);
  /// It will be deleted: what is fired from now on is for a deleted target.
  void mark_deleted(std::uint32_t index) {
    targets_[index]->deleted = true;
    review(*targets_[index]);
  }
  /// It is deleted. No-op where there is none.
  void remove(const TargetKey& key);

  /// As the log says; during a replay.
  void restore_hold(const record::TargetHold& hold, WallTime at);
  void release_hold(std::uint32_t index);

  // --- Queues.
  /// The entry, which is on no list, is due: it waits from now on at its target.
  void enqueue(EntryRef ref);
  /// It waits no longer.
  void remove(EntryRef ref);
  /// The next task that may be fired, taken off its queue; kNoEntry: none for now.
  [[nodiscard]] EntryRef next();
  /// `next` would look at a queue.
  [[nodiscard]] bool has_next() const;

  // --- Pushes.
  /// A push of that task begins.
  void begin(EntryRef ref);
  /// A push of that task to the target at `index` is over. `throttle`: the receiver said "not now".
  [[nodiscard]] HoldChange end(std::uint32_t index, TaskNumber number, bool answered,
                               const std::optional<Throttle>& throttle);

  // --- Time.
  /// After a replay.
  void start(WallTime now);
  void tick(WallTime now);
  /// The clock was set back: what is due no longer, taken off its queue.
  [[nodiscard]] std::vector<EntryRef> set_back(WallTime now);
  /// When to `tick`, unless something else happens before.
  [[nodiscard]] std::optional<WallTime> next_wakeup() const;

  [[nodiscard]] std::uint64_t queued() const { return queued_; }
  [[nodiscard]] std::uint64_t in_flight() const { return in_flight_; }
  /// The earliest due at the head of a queue.
  [[nodiscard]] std::optional<WallTime> oldest() const;
  [[nodiscard]] std::uint64_t bytes() const;
  /// Ends the process if an invariant is broken. For tests.
  void check_invariants();

 private:
  /// What a queue waits for; `unused`: there is no such target.
  enum class Line : std::uint8_t { unused, nothing, turn, allowance, room, room_answering };
  static constexpr std::size_t kLines = 6;

  struct Queue {
    ListId punctual = 0;  // due tasks, in due order
    ListId overdue = 0;   // the same, that left the wheel more than a second late
    Line line = Line::unused;
    std::uint32_t turn_left = 0;  // so many more tasks until others have their turn
  };
  struct Target : TargetState {
    std::uint32_t index = 0;
    Queue queue;
    std::uint32_t allowance = 0;  // overdue tasks that may be fired
    WallTime allowed_at{};        // when that was last filled
  };
  using Targets = std::list<Target>;
  struct KeyHash {
    std::size_t operator()(const TargetKey& key) const { return key.low; }
  };

  [[nodiscard]] std::uint32_t find_or_make(const TargetKey& key, bool is_url);
  [[nodiscard]] std::uint32_t make(const TargetKey& key, bool is_url);
  void drop_if_unused(Target& target);

  [[nodiscard]] bool has_slot(const Target& target) const;
  [[nodiscard]] bool has_room(const Target& target) const;
  [[nodiscard]] bool has_allowance(Target& target);
  [[nodiscard]] Line line_for(Target& target);
  [[nodiscard]] Targets& in_line(Line line) { return lines_[static_cast<std::size_t>(line)]; }
  [[nodiscard]] const Targets& in_line(Line line) const {
    return lines_[static_cast<std::size_t>(line)];
  }
  void line_up(Target& target, Line line);
  void review(Target& target);
  void look_for_room();
  [[nodiscard]] EntryRef take(Target& target);

  Arena& arena_;
  Lists& lists_;
  const TargetLimits limits_;
  WallTime now_{};
  std::array<Targets, kLines> lines_;       // each target is in one, and goes to the next
  std::vector<Targets::iterator> targets_;  // by index
  std::unordered_map<TargetKey, std::uint32_t, KeyHash> by_key_;
  std::uint32_t last_ = kTargetsMax;  // that was asked for; kTargetsMax: none
  /// When a hold ends, or was to end: then the target is looked at again.
  std::set<std::pair<WallTime, std::uint32_t>> hold_ends_;
  std::uint64_t queued_ = 0;
  std::uint64_t in_flight_ = 0;
};

}  // namespace carillon
