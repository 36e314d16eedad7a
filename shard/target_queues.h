// Targets, and what is due for each: which task may be fired next.
//
// A due task waits in a queue, that of its target and its lane, until it may be pushed; until that
// moment it can be cancelled. What a queue waits for is the line in which it stands, and it always
// stands in exactly one:
//
//     nothing         it is empty, or its target may have no further push of that lane for now:
//                     paused, held, out of what its rate lets begin, the slots are taken or set
//                     aside, or what is due waits a moment for more to be pushed with. Whatever
//                     changes that moves it on, if need be a look at the time when it changes.
//     allowance       what it has is overdue, which is paced; looked at again every 10 ms
//     room            its target takes more, but too few slots are free in all
//     room_answering  the same, of a target whose last push was answered
//     turn            it is served when it is its lane's turn: up to 256 tasks, then the lane's
//                     others have theirs. Each lane has such a line.
//     behind          the same, but at its target another lane is next
//
// Lanes. The slots and the rate of a target and those of the server are shared alike
// (shard/lane_shares.h): of the queues of a target one is next, and of the lanes that have such a
// queue, one. What is behind goes only where all slots that are free are set aside for its lane.
//
// Rates. A target's and the server's (shard/rate.h) count tasks whose push begins: `begin` is told
// when it is decided, `started` when it is durable and the push starts.
//
// Batches. Where a target takes several tasks in one push, a slot is that of a push, and tasks of
// the same queue join it (shard/batched_pushes.h). Rates and lanes count each of them. A task that
// may be merged (wheel/merges.h) begins such a push also where the target batches nothing; there
// only what the shard takes along joins it.
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
// that it can show that it answers. What is set aside for a lane is divided between the lane's
// targets by the same rule, so that others' crowds leave it its room. A target that leaves several
// pushes in a row unanswered is held to half as many under way with each further one, down to
// eight, until it answers. Each push that ends has the first queue in either line for room looked
// at again.
//
// Operation:
//   queues.enqueue(ref);                                    // it is due
//   while ((ref = queues.next()) != kNoEntry) {             // off its queue
//     if (may_still_be_pushed(ref)) queues.begin(ref);      // its slot is taken from now on
//   }
//   push = queues.started(queue, now);                      // its push starts
//   queues.end(queue, number, push, answered, trouble);     // its slot is free
//
// Concurrency: none; pure. Time comes by `tick`.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "shard/batched_pushes.h"
#include "shard/hold.h"
#include "shard/lanes.h"
#include "shard/pace.h"
#include "shard/rate.h"
#include "shard/record.h"
#include "shard/waiting.h"
#include "wheel/arena.h"

namespace carillon {

/// What bounds the pushes of a shard.
struct TargetLimits {
  std::uint64_t in_flight_max = 20'000;        // pushes under way at once, to all targets
  std::uint32_t pushes_per_second = 0;         // tasks that begin, to all targets; 0: no limit
  std::uint32_t url_concurrency = 64;          // of each origin that tasks name by URL
  std::uint32_t catch_up_per_second = 20'000;  // overdue tasks fired per target; 0: no limit
};

inline constexpr std::uint32_t kTargetsMax = kQueuesMax;  // each has a queue at the least

/// What there is to know of a target.
struct TargetState {
  record::TargetPut settings;  // of an origin: the key and the concurrency
  Hold hold;
  Rate rate;
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
  /// How long it has been paused in all.
  [[nodiscard]] Millis paused_for(WallTime now) const {
    const Millis so_far = settings.paused ? now - settings.paused_since : Millis(0);
    return settings.paused_for + std::max(so_far, Millis(0));
  }
};

class TargetQueues {
 public:
  /// What the end of a push did to its target's hold.
  enum class HoldChange : std::uint8_t { none, held, released };

  /// `arena` and `lists` must outlive it.
  TargetQueues(Arena& arena, Lists& lists, const TargetLimits& limits);
  /// From now on. `url_concurrency` counts for origins that are new.
  void set_limits(const TargetLimits& limits);

  // --- Lanes.
  [[nodiscard]] const Lanes& lanes() const { return lanes_; }
  /// A lane is made or changed.
  void put(const record::LanePut& settings);
  /// It will be deleted: no task comes to it any more.
  void mark_leaving(LaneNumber lane) { lanes_[lane].leaving = true; }
  void remove(const record::LaneDelete& removal) { lanes_.remove(removal.number); }

  // --- Targets.
  /// kTargetsMax: there is none.
  [[nodiscard]] std::uint32_t find(const TargetKey& key) const;
  [[nodiscard]] const TargetState& operator[](std::uint32_t index) const { return targets_[index]; }
  /// Those with a name that stand, by name.
  [[nodiscard]] std::vector<const TargetState*> named() const;

  // --- Queues. An entry names its queue, and so its target and its lane, by the index.
  /// How many there are: one for each target, named or an origin, and one for each further lane of
  /// its tasks.
  [[nodiscard]] std::size_t size() const { return queues_.size() - in_line(Line::unused).size(); }
  /// Whether a task of that target and that lane would need a further one.
  [[nodiscard]] bool needs_queue(const TargetKey& key, LaneNumber lane) const;
  /// The index of the queue's target.
  [[nodiscard]] std::uint32_t target_of(std::uint32_t queue) const {
    return queues_[queue]->target;
  }
  [[nodiscard]] LaneNumber lane_of(std::uint32_t queue) const { return queues_[queue]->lane; }

  /// One more task names that target and is in that lane; their queue is made where there is none.
  /// Its index.
  [[nodiscard]] std::uint32_t add_user(const TargetKey& key, bool is_url, LaneNumber lane,
                                       bool unfinished);
  /// Of the queue's tasks one that was not finished is.
  void finish_user(std::uint32_t queue);
  /// A task of that queue is gone. An origin goes with its last one, and so does a named target
  /// that was deleted.
  void remove_user(std::uint32_t queue, bool unfinished);

  /// A target is made or changed; true: it stood already.
  bool put(const record::TargetPut& settings);
  /// It will be deleted: what is fired from now on is for a deleted target. Its hold ends at once,
  /// so that no record restates it behind the deletion.
  void mark_deleted(std::uint32_t index) {
    targets_[index].deleted = true;
    targets_[index].hold.release();
    review(targets_[index]);
  }
  /// It is deleted. No-op where there is none.
  void remove(const TargetKey& key);

  /// As the log says; during a replay.
  void restore_hold(const record::TargetHold& hold, WallTime at);
  void release_hold(std::uint32_t index);
  /// As another shard of the cluster says. True: it is held longer than before.
  [[nodiscard]] bool adopt_hold(std::uint32_t index, const record::TargetHold& hold);

  // --- What is due.
  /// The entry, which is on no list, is due: it waits from now on at its target.
  void enqueue(EntryRef ref);
  /// It waits no longer.
  void remove(EntryRef ref);
  /// The next task that may be fired, taken off its queue; kNoEntry: none for now.
  [[nodiscard]] EntryRef next();
  /// `next` would look at a queue.
  [[nodiscard]] bool has_next() const;

  // --- Pushes.
  /// A push of that task will start, or it joins the one that is open: its slot is taken.
  /// `mergeable`: others may join it, also where the target batches nothing.
  void begin(EntryRef ref, bool mergeable = false);
  /// Whether one more task of that queue, whether it is due or not, may join the open push.
  [[nodiscard]] bool may_join(std::uint32_t queue) const;
  /// Whether that one, which has the same queue, joins it now, before its turn has come.
  [[nodiscard]] bool may_go_along(EntryRef ref);
  /// One of that queue starts now, in the order of `begin`. Which push it is a part of.
  PushNumber started(std::uint32_t queue, WallTime now);
  /// A push of that task of that queue is over, or its part of one. `trouble`: what it says against
  /// the target.
  [[nodiscard]] HoldChange end(std::uint32_t queue, TaskNumber number, PushNumber push,
                               bool answered, const std::optional<Trouble>& trouble);
  /// What begins from now on is in another commit.
  void close_push() { pushes_.close(); }

  // --- Time.
  /// After a replay.
  void start(WallTime now);
  void tick(WallTime now);
  /// The clock was set back: what is due no longer, taken off its queue.
  [[nodiscard]] std::vector<EntryRef> set_back(WallTime now);
  /// When to `tick`, unless something else happens before.
  [[nodiscard]] std::optional<WallTime> next_wakeup() const;

  /// What a task that is queued waits for. Looks at those before it, of which it counts 20,000 at
  /// most.
  [[nodiscard]] Waiting waiting(EntryRef ref);

  [[nodiscard]] std::uint64_t queued() const { return queued_; }
  [[nodiscard]] std::uint64_t in_flight() const { return in_flight_; }
  /// The earliest due at the head of a queue.
  [[nodiscard]] std::optional<WallTime> oldest() const;
  [[nodiscard]] std::uint64_t bytes() const;
  /// Ends the process if an invariant is broken. For tests.
  void check_invariants();

 private:
  /// What a queue waits for; `unused`: there is no such queue. Behind `turn` come the lines of the
  /// lanes: sixteen for a turn, and sixteen behind.
  enum Line : std::uint8_t { unused, nothing, allowance, room, room_answering, turn };
  static constexpr std::size_t kTurn = Line::turn;
  static constexpr std::size_t kBehind = kTurn + kLanesMax;
  static constexpr std::size_t kLines = kBehind + kLanesMax;
  static constexpr std::uint32_t kNoQueue = kQueuesMax;

  struct Queue {
    std::uint32_t index = 0;
    std::uint32_t target = 0;       // its index
    std::uint32_t next = kNoQueue;  // of the same target
    ListId punctual = 0;            // due tasks, in due order
    ListId overdue = 0;             // the same, that left the wheel more than a second late
    std::uint32_t users = 0;
    std::uint32_t queued = 0;
    std::uint16_t turn_left = 0;  // so many more tasks until others have their turn
    LaneNumber lane = kDefaultLane;
    std::uint8_t line = Line::unused;
    WallTime look_at{};  // when its first has waited for others long enough
    LaneShare share;     // of its target's slots
    Pace pace;
  };
  struct Target : TargetState {
    std::uint32_t index = 0;
    std::uint32_t queue = kNoQueue;  // its first
    SharedLimit limit;
    std::uint32_t allowance = 0;  // overdue tasks that may be fired
    WallTime allowed_at{};        // when that was last filled
    WallTime rate_look{};         // when its rate lets more begin; past: no look is planned
  };
  using Queues = std::list<Queue>;
  struct KeyHash {
    std::size_t operator()(const TargetKey& key) const { return key.low; }
  };
  /// The lanes at one limit, and which queue or lane each is.
  struct Claims {
    std::array<LaneClaim, kLanesMax> claims;
    std::array<std::uint32_t, kLanesMax> of{};
    std::size_t count = 0;
    [[nodiscard]] std::span<const LaneClaim> all() const { return {claims.data(), count}; }
    [[nodiscard]] std::size_t find(std::uint32_t wanted) const;
    void add(const LaneState& lane, const LaneShare& share, std::uint32_t its, bool waits);
  };

  [[nodiscard]] std::uint32_t find_or_make(const TargetKey& key, bool is_url);
  [[nodiscard]] std::uint32_t make(const TargetKey& key, bool is_url);
  [[nodiscard]] Queue& queue_of(Target& target, LaneNumber lane);
  Queue& make_queue(Target& target, LaneNumber lane);
  void drop_queue(Queue& queue);
  void drop_if_unused(Target& target);
  /// Calls `visit` with each of its queues.
  template <typename Visit>
  void for_each_queue(const Target& target, Visit&& visit) {
    for (std::uint32_t at = target.queue; at != kNoQueue;) {
      Queue& queue = *queues_[at];
      at = queue.next;
      visit(queue);
    }
  }

  // target_lines.cc: what a queue waits for, and who is next.
  [[nodiscard]] bool has_slot(const Target& target) const;
  [[nodiscard]] bool has_token(Target& target);
  [[nodiscard]] bool gathers(const Target& target, Queue& queue);
  [[nodiscard]] bool next_may_join() const;
  [[nodiscard]] bool has_room(const Target& target, const Queue& queue) const;
  [[nodiscard]] bool has_allowance(Target& target);
  /// Whether its rate lets fewer begin than wait, so that lanes take turns.
  [[nodiscard]] bool is_throttled(const Target& target) const {
    return target.rate.limits() && target.rate.allowed(now_) <= target.queued;
  }
  [[nodiscard]] bool is_throttled() const {
    return rate_.limits() && rate_.allowed(now_) <= queued_;
  }
  /// Whether the server's rate lets one more begin.
  [[nodiscard]] bool has_token() const { return !rate_.limits() || rate_.allowed(now_) > 0; }
  /// Whether the server takes one more push.
  [[nodiscard]] bool has_capacity() const {
    return in_flight_ < limits_.in_flight_max && has_token();
  }
  /// More than one lane has tasks for it.
  [[nodiscard]] bool is_shared(const Target& target) const {
    return queues_[target.queue]->next != kNoQueue;
  }
  [[nodiscard]] bool one_lane() const { return (lanes_in_use_ & (lanes_in_use_ - 1)) == 0; }
  [[nodiscard]] Claims claims_at(Target& target);
  [[nodiscard]] Claims claims_of_lanes(bool behind_too) const;
  [[nodiscard]] std::size_t line_for(Target& target, Queue& queue, bool is_next);
  /// Calls `visit` with each queue of the target and the line in which it is to stand.
  template <typename Visit>
  void for_each_line(Target& target, Visit&& visit);
  [[nodiscard]] Queues& in_line(std::size_t line) { return lines_[line]; }
  [[nodiscard]] const Queues& in_line(std::size_t line) const { return lines_[line]; }
  void line_up(Queue& queue, std::size_t line);
  void stand(Queue& queue, std::size_t line);
  void review(Target& target);
  void look_for_room();
  [[nodiscard]] std::size_t next_line() const;
  [[nodiscard]] EntryRef take(Queue& queue);
  [[nodiscard]] WaitsFor waits_for(Target& target, Queue& queue);
  void take_slot(Target& target, Queue& queue);
  [[nodiscard]] std::uint64_t count_before(EntryRef ref, const Queue& queue) const;
  [[nodiscard]] WallTime rate_reaches(Target& target, const Queue& queue, std::uint64_t ahead);

  Arena& arena_;
  Lists& lists_;
  TargetLimits limits_;
  WallTime now_{};
  Lanes lanes_;
  SharedLimit limit_;                     // of the pushes to all targets
  Rate rate_;                             // of these
  std::uint32_t lanes_in_use_ = 0;        // a bit for each that has tasks that are not finished
  std::array<Queues, kLines> lines_;      // each queue is in one, and goes to the next
  std::vector<Queues::iterator> queues_;  // by index
  std::deque<Target> targets_;            // by index
  std::vector<std::uint32_t> unused_targets_;
  std::unordered_map<TargetKey, std::uint32_t, KeyHash> by_key_;
  std::uint32_t last_ = kTargetsMax;  // that was asked for; kTargetsMax: none
  /// When a hold ends or a rate lets more begin, or was to: then the target is looked at again.
  std::set<std::pair<WallTime, std::uint32_t>> looks_;
  std::uint64_t queued_ = 0;
  std::uint64_t in_flight_ = 0;
  BatchedPushes pushes_;
  /// Whether what joins the open push counts by its lane's weight, as its slot does.
  struct {
    bool here = false;    // at the target
    bool in_all = false;  // at the server
  } joins_by_weight_;
  std::deque<PushNumber> begun_;       // of what will start
  std::uint64_t tasks_under_way_ = 0;  // in pushes
};

}  // namespace carillon
