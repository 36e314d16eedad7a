// The shard: the state machine that owns the tasks. Everything Carillon promises is decided here.
//
// Operation. Events go in: `submit` (a client's command), `outcome` (how a push went), `tick` (the
// time), `committed` (the log has it). Effects come out of `effects()`: answers, pushes to start,
// contents to fetch. In between there is no clock, thread, lock, socket, file or random number, so
// a seed replays it.
//
//   submit ──▶ decide against memory ──▶ open batch ──seal──▶ log ──committed──▶ apply ──▶ effects
//                       │                                                         ▲
//                       └── a record about the same task is under way: wait ──────┘
//
// Decide, then record, then apply. A command is decided against what is durable, and at most one
// record about a task is ever on its way to the log: whatever else wants that task waits until it
// is applied (`Entry::busy`, `Group::busy`). So each record in the log is a fact, `apply` decides
// nothing, and recovery is `apply` over the same records: one code path. Cancelled is cancelled: a
// Cancel in the log means that no Fire of that content can come after it.
//
// Firing. A due task waits at its target (shard/target_queues.h) and can be cancelled until it is
// taken from there. Then a Fire record is committed, and only its `committed` emits the push.
//
// Cleaning. The log's oldest batches are handed back (`restate`); the next batch begins with a Keep
// for each task in them that still exists, and they are trimmed. Keeps come first in a batch and
// only while nothing is under way, so they say exactly what memory says.
//
// Where things are: shard_decide.cc decides, shard_apply.cc applies, shard_entry.cc has what an
// entry goes through, shard_fire.cc what time does, shard_merge.cc who is pushed with whom,
// shard_retention.cc what becomes of finished tasks, shard_log.cc batches and cleaning,
// shard_targets.cc and shard_lanes.cc changes of targets and lanes; target_queues.h what is due and
// may go, lane_shares.h how lanes share it, rate.h rates, hold.h holds, open_batch.h what is
// decided.
//
// Concurrency: none. Limitations: one shard in a process; 2^31 tasks.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "shard/command.h"
#include "shard/open_batch.h"
#include "shard/operations.h"
#include "shard/record.h"
#include "shard/target_queues.h"
#include "wheel/arena.h"
#include "wheel/groups.h"
#include "wheel/merges.h"
#include "wheel/ref_set.h"
#include "wheel/retained.h"
#include "wheel/task_index.h"
#include "wheel/wheel.h"

namespace carillon {

// Origins of URLs come with the tasks of clients, named targets by an operator's hand: a crowd of
// the one leaves room for the other. Both are fewer than an entry can name, for replacements that
// are under way bring theirs when they are applied.
inline constexpr std::size_t kOriginsAdmitted = kQueuesMax / 2;
inline constexpr std::size_t kTargetsAdmitted = kOriginsAdmitted + (std::size_t{1} << 16);

struct ShardOptions : TargetLimits {
  Millis retain_finished{std::chrono::hours(1)};
  std::uint64_t retained_max = 1'000'000;   // finished tasks, but dead letters
  std::uint64_t pending_max = 200'000'000;  // tasks not finished, and dead letters
  std::uint64_t tasks_max = UINT64_MAX;     // all of them: retained ones give way to pending ones
};

/// What becomes of tasks that are found firing at the start.
enum class Interrupted : std::uint8_t { ends, stays };

/// What a listing that is under way is told (shard/listing.h).
struct ShardChanges {
  std::vector<EntryRef> placed;  // on the wheel, since it last looked
  bool moved_many = false;       // without a word about each: look at all once more
};

class Shard {
 public:
  explicit Shard(ShardOptions options);
  ~Shard() = default;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // --- Recovery: every batch of the log in order, then start.
  void replay(const Batch& batch);
  /// The same of what another owner commits while this shard waits to take over: what that one
  /// forgets, it deletes itself.
  void follow(const Batch& batch);
  /// A hint, between two batches: about so many tasks there will be when all is replayed.
  void expect(std::uint64_t tasks) { index_.reserve(tasks); }
  /// Time begins. What was firing when the last process ended is fired again; where it `stays`,
  /// not before `end_interrupted`.
  void start(WallTime now, Interrupted firing = Interrupted::ends);
  /// What was found firing at the start and still is, is due again.
  void end_interrupted();

  // --- Events.
  /// A hint: a command about this task will come within microseconds.
  void prefetch(const Fingerprint& task) const { index_.prefetch(task); }
  void submit(Command command, Ticket ticket);
  /// Each in turn, with consecutive tickets from `first` on.
  void submit(std::span<Command> commands, Ticket first);
  /// How that push went: state delivered, retrying (due at `retry_at`) or dead. Of a note without
  /// an error only its status and `took` are kept. `trouble`: what the push says against its
  /// target; of one of several tasks each of them says it.
  void outcome(const Fired& fired, State state, WallTime retry_at, Note note,
               const std::optional<Trouble>& trouble = std::nullopt);
  /// The time; a `now` before the last one is a clock set back. Does a bounded amount of work: call
  /// it again when `next_wakeup` says so, which may be at once.
  void tick(WallTime now);
  /// Whether finished tasks are forgotten as soon as may be, because there is too little space for
  /// their contents.
  void retain_none(bool none) { retain_none_ = none; }
  /// What bounds the pushes, from now on.
  void set_limits(const TargetLimits& limits) { targets_.set_limits(limits); }
  /// No further task is fired (for a stop).
  void stop_firing() { firing_stopped_ = true; }

  // --- The log.
  /// Something waits to be committed that somebody waits for.
  [[nodiscard]] bool wants_commit() const;
  [[nodiscard]] std::uint64_t open_bytes() const { return open_.bytes(); }
  [[nodiscard]] std::size_t open_records() const { return open_.records().size(); }
  /// Of the batch under way: whom each of its records answers, 0 for nobody.
  [[nodiscard]] std::span<const Ticket> sealed_tickets() const { return sealed_tickets_; }
  /// Of what is open: whom records answer that tell of what is done already.
  [[nodiscard]] std::vector<Ticket> half_done_tickets() const;
  /// The batch to append next, of at most `bytes_max` but for one record; what is beyond stays
  /// open, in order. Nothing may be under way. Reuses `spare`'s memory.
  [[nodiscard]] Batch seal(WallTime now, Batch spare = {},
                           std::uint64_t bytes_max = OpenBatch::kNoLimit);
  /// The sealed batch is durable, at that time: what is fired starts.
  void committed(const Batch& batch, WallTime now);
  /// The log's oldest batches, to be restated with the next seal and trimmed once what is open now
  /// is sealed, too. What is restated is one batch, whatever limit `seal` is given.
  void restate(const std::vector<Batch>& oldest);

  // --- Effects: take what is there and clear it.
  [[nodiscard]] Effects& effects() { return effects_; }
  /// When to call `tick` next; empty: only after another event.
  [[nodiscard]] std::optional<WallTime> next_wakeup() const;
  /// Work that `tick` would do right now is left over.
  [[nodiscard]] bool has_work() const;
  [[nodiscard]] std::optional<WallTime> next_due() const { return wheel_.next_due(); }

  // --- Questions. All answer for what is durable.
  [[nodiscard]] std::optional<Statement> find(const Fingerprint& task);
  /// The newest dead letter with that fingerprint.
  [[nodiscard]] std::optional<Statement> find_dead(const Fingerprint& task);
  /// What a task waits for that waits; empty: it does not.
  [[nodiscard]] std::optional<Waiting> waiting(const Fingerprint& task);
  /// Entries are at positions [0, positions()); `at` is empty where there is none.
  [[nodiscard]] std::uint32_t positions() const { return arena_.end(); }
  [[nodiscard]] std::optional<Statement> at(std::uint32_t position);
  /// When the task there is pushed next, if it waits (for that target, in that lane).
  [[nodiscard]] std::optional<WallTime> next_push(std::uint32_t position,
                                                  const std::optional<TargetKey>& target,
                                                  std::optional<LaneNumber> lane);
  /// The first position from `position` on where a task is that may have finished, or positions().
  [[nodiscard]] std::uint32_t next_finished(std::uint32_t position) const {
    return std::min(strays_.next(position), arena_.end());
  }

  [[nodiscard]] const std::array<std::uint64_t, kStates>& counts() const { return counts_; }
  /// What counts against `pending_max`: tasks not finished, with those proposed, and dead letters,
  /// which never leave unasked.
  [[nodiscard]] std::uint64_t pending() const {
    return unfinished_ + counts_[static_cast<std::size_t>(State::dead)];
  }
  [[nodiscard]] const Group* group(const GroupKey& key) const;
  /// The due of the group's member at `index` (below members.size()), if it waits.
  [[nodiscard]] std::optional<WallTime> member_due(const Group& group, std::size_t index);
  /// Null: there is none.
  [[nodiscard]] const TargetState* target(const TargetKey& key) const {
    const std::uint32_t index = targets_.find(key);
    return index == kTargetsMax ? nullptr : &targets_[index];
  }
  [[nodiscard]] std::vector<const TargetState*> named_targets() const { return targets_.named(); }
  [[nodiscard]] const Lanes& lanes() const { return targets_.lanes(); }
  /// Named operations that are remembered at `now`.
  [[nodiscard]] std::vector<record::Operation> operations(WallTime now) const {
    return operations_.all(now);
  }
  /// Due tasks that wait for their target.
  [[nodiscard]] std::uint64_t backlog() const { return targets_.queued(); }
  /// The earliest due among the heads of the targets' queues.
  [[nodiscard]] std::optional<WallTime> oldest_queued() const { return targets_.oldest(); }
  [[nodiscard]] std::uint64_t in_flight() const { return targets_.in_flight(); }
  /// What was done under that key within a day; null: nothing.
  [[nodiscard]] const record::Operation* operation(const Hash128& key) const {
    return operations_.find(key, now_);
  }
  [[nodiscard]] std::uint64_t operations() const { return operations_.size(); }
  /// How often a due task came out in each state since the start: pushed, or not any more. Retrying
  /// ones come out again.
  [[nodiscard]] const std::array<std::uint64_t, kStates>& ended() const { return ended_counts_; }
  [[nodiscard]] Sequence last_sequence() const { return last_sequence_; }
  [[nodiscard]] std::vector<WheelLevel> wheel_levels() const { return wheel_.levels(); }
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::uint64_t tasks() const { return arena_.used(); }

  /// Ends the process if an invariant is broken; visits everything. For tests.
  void check_invariants();

 private:
  friend class Listing;
  /// What few tasks have.
  struct Extra {
    WallTime asked_due{};
    WallTime redriven_at{};   // 0: never
    Millis expire_after{-1};  // negative: never
    bool dies_late = false;
    bool retries_cancelled = false;
    friend bool operator==(const Extra&, const Extra&) = default;
  };
  /// How a push went, as `outcome` was told.
  struct Ended {
    Fingerprint task;
    TaskNumber number = 0;
    State state = State::delivered;
    WallTime retry_at{};
    Note note;
  };
  /// The log's oldest batches, on their way out.
  struct Cleaning {
    std::vector<std::pair<Fingerprint, TaskNumber>> tasks;  // to be restated
    std::vector<TargetKey> targets;                         // likewise
    std::vector<Hash128> operations;                        // likewise
    std::vector<LaneNumber> lanes;                          // likewise
    Sequence restate_upto = 0;  // what is before it is to be restated; 0: nothing
    Sequence trim_upto = 0;     // what is before it is restated and to be trimmed; 0: nothing
    Sequence trim_after = 0;    // once that sequence is sealed
  };

  // shard.cc
  void submit_one(Command& command, Ticket ticket);
  void propose_outcome(const Fingerprint& task, TaskNumber number, State state,
                       WallTime retry_at = {}, DeliveringPush push = {});
  void reply(Ticket ticket, Verdict verdict);
  /// `ref`, if any, is of `task`.
  void reply(Ticket ticket, Verdict verdict, EntryRef ref, const Fingerprint& task);

  // shard_decide.cc. False: the command must wait; it was not consumed.
  bool decide(command::Add& add, Ticket ticket);
  bool decide(command::Change& change, Ticket ticket);
  bool decide(command::Move& move, Ticket ticket);
  bool decide(command::Cancel& cancel, Ticket ticket);
  bool decide(command::RemoveDead& remove, Ticket ticket);
  bool decide(command::GroupCancel& cancel, Ticket ticket);
  bool decide(command::GroupShift& shift, Ticket ticket);
  bool decide(command::Operation& operation, Ticket ticket);
  bool decide_existing(command::Add& add, EntryRef old, Ticket ticket);
  bool decide_redrive(command::Change& change, EntryRef newest, Ticket ticket);
  bool decide_change(command::Change& change, EntryRef ref, Ticket ticket);
  bool decide_outcome(Ended& ended, EntryRef ref);
  [[nodiscard]] bool answer_operation(const OperationName& name, Ticket ticket);
  [[nodiscard]] WallTime latest_due(std::uint32_t group);
  [[nodiscard]] std::optional<Verdict> refusal(EntryRef ref) const;
  [[nodiscard]] bool busy(EntryRef ref) const;
  [[nodiscard]] std::optional<Verdict> address_refusal(const Statement& task, bool key_allowed,
                                                       bool keeps_merge = false) const;
  void make_target_room(const Statement& task);
  void propose_replacement(const Statement& task, TaskNumber previous, std::string&& content,
                           const Note* note, Ticket ticket);
  void give_back(command::Add& add, Verdict verdict, EntryRef old, Ticket ticket);

  // shard_apply.cc: facts.
  void apply(const Batch& batch, std::span<const Ticket> tickets);
  void apply(const record::Put& put, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::Keep& keep, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::Move& move, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::Cancel& cancel, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::Fire& fire, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::Outcome& outcome, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::Remove& remove, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::GroupCancel& cancel, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::GroupShift& shift, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::CancelRetries& cancel, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::Operation& operation, Sequence sequence, WallTime at, Ticket ticket);
  void operate(const GroupKey& key, GroupOperation operation, const OperationName& name,
               Ticket ticket);
  void retry_later(EntryRef ref, WallTime retry_at);
  void go_on_with_waiting();

  // shard_lanes.cc
  bool decide(command::LanePut& put, Ticket ticket);
  bool decide(command::LaneDelete& removal, Ticket ticket);
  void apply(const record::LanePut& put, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::LaneDelete& removal, Sequence sequence, WallTime at, Ticket ticket);

  // shard_targets.cc
  bool decide(command::TargetPut& put, Ticket ticket);
  bool decide(command::TargetDelete& removal, Ticket ticket);
  bool decide(command::TargetRelease& release, Ticket ticket);
  bool decide(command::TargetHold& hold, Ticket ticket);
  void apply(const record::TargetPut& put, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::TargetDelete& removal, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::TargetHold& hold, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::TargetRelease& release, Sequence sequence, WallTime at, Ticket ticket);

  // shard_entry.cc: one entry's life.
  [[nodiscard]] EntryRef find_entry(const Fingerprint& task);
  [[nodiscard]] EntryRef find_number(const Fingerprint& task, TaskNumber number);
  [[nodiscard]] EntryRef make_entry(const Statement& task);
  void state_entry(EntryRef ref, const Statement& task, TaskNumber number);
  [[nodiscard]] Statement statement_of(EntryRef ref) const {
    return statement_of(ref, index_.id(ref));
  }
  [[nodiscard]] Statement statement_of(EntryRef ref, const Fingerprint& task) const;
  [[nodiscard]] const TargetState& target_of(EntryRef ref) const {
    return targets_[targets_.target_of(arena_[ref].queue)];
  }
  [[nodiscard]] WallTime asked_due(EntryRef ref) const;
  [[nodiscard]] Extra extra_of(EntryRef ref) const;
  void set_extra(EntryRef ref, const Extra& extra);
  void drop_extra(EntryRef ref);
  bool settle(EntryRef ref);
  void place(EntryRef ref);
  void note_placed(EntryRef ref);
  void note_moved_many();
  [[nodiscard]] bool is_stray(EntryRef ref) const;
  void detach(EntryRef ref);
  void finish(EntryRef ref, State state, WallTime at, bool counted = false,
              DeliveringPush push = {});
  [[nodiscard]] bool is_full() const { return pending() >= options_.pending_max; }
  void forget(EntryRef ref, bool forget_rows = true);
  void count(EntryRef ref, State from, State to);
  void uncount(EntryRef ref);

  // shard_retention.cc: finished tasks.
  [[nodiscard]] std::uint64_t retained_max() const;
  void make_room();
  void retain(EntryRef ref);
  [[nodiscard]] bool is_retained(const Retained::Record& its) const;
  [[nodiscard]] bool forget_oldest(WallTime finished_before, bool forget_rows);
  void order_retained();
  void bound_replayed();
  void forget_old(std::uint32_t budget);

  // shard_fire.cc: time.
  void turn_wheel(WallTime now);
  void route_due(std::uint32_t budget);
  void fire_due(std::uint32_t budget);
  [[nodiscard]] std::uint32_t fire(EntryRef ref);
  void begin_push(EntryRef ref);
  [[nodiscard]] bool still_due(EntryRef ref);
  [[nodiscard]] WallTime expires_at(EntryRef ref) const;
  void sweep(std::uint32_t budget);
  void finish_sweep(std::uint32_t index);
  bool sweep_group(std::uint32_t index, std::uint32_t& budget);
  void clock_set_back(WallTime now);

  // shard_merge.cc
  [[nodiscard]] bool takes_along(EntryRef first, EntryRef other) const;
  std::size_t find_mergeable(EntryRef ref);
  [[nodiscard]] std::uint32_t fire_merged(EntryRef first);
  [[nodiscard]] std::optional<WallTime> merged_at(EntryRef ref);

  // shard_log.cc
  void take_leftover_rows(std::vector<TaskNumber>& rows);
  void restate_into(Batch& batch);

  const ShardOptions options_;

  // Entries, and what is known of them besides.
  Arena arena_;
  Lists lists_;
  Wheel wheel_;
  TaskIndex index_;
  Groups groups_;
  Merges merges_;
  std::vector<EntryRef> mergeable_;   // with the task that is looked at
  std::deque<std::uint32_t> sweeps_;  // groups whose members have to follow an operation
  std::unordered_map<EntryRef, Extra> extras_;
  /// What the wheel does not have at the due that was asked for: queued, firing, finished, or
  /// waiting for another moment. For listings.
  RefSet strays_;
  std::vector<std::weak_ptr<ShardChanges>> watchers_;  // the listings that are under way
  Retained retained_;                                  // finished ones, but dead letters
  std::vector<TaskNumber> leftover_rows_;  // of tasks that a replay forgot; deleted bit by bit
  std::array<std::uint64_t, kStates> counts_{};
  std::uint64_t unfinished_ = 0;  // with those proposed
  std::array<std::uint64_t, kStates> ended_counts_{};
  std::vector<EntryRef> imminent_;  // of one tick

  TargetQueues targets_;
  Operations operations_;
  std::vector<Hash128>
      unanswered_;  // done during a replay, whose answers the log does not have yet

  // The log.
  OpenBatch open_;
  std::vector<Ticket> sealed_tickets_;
  std::vector<std::pair<Command, Ticket>> waiting_;  // for the task or group they are about
  std::vector<Ended> ended_;                         // likewise
  Cleaning cleaning_;
  Sequence last_sequence_ = 0;
  bool under_way_ = false;
  bool lane_changes_ = false;  // the record of that is on its way to the log

  WallTime now_{};
  WallTime durable_at_{};                         // when the last batch became it
  WallTime earliest_replayed_ = WallTime::max();  // no task that waits at the start is due before
  /// A push that was under way when the last process ended.
  struct InterruptedPush {
    WallTime due{};
    Fingerprint task;
    TaskNumber number = 0;
    std::uint32_t attempt = 0;
  };
  std::vector<InterruptedPush> interrupted_;  // oldest first, until they end
  std::size_t ending_ = 0;  // of these so many; until that is durable the wheel stands still
  bool started_ = false;
  bool firing_stopped_ = false;
  std::uint32_t forgotten_for_targets_ = 0;  // since the last tick
  bool retain_none_ = false;
  Effects effects_;
};

}  // namespace carillon
