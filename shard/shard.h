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
// is applied
// (`Entry::busy`, `Group::busy`). So each record in the log is a fact, `apply` decides nothing, and
// recovery is `apply` over the same records: one code path. Cancelled-is-cancelled follows: a
// Cancel in the log means that no Fire of that content can come after it.
//
// Firing. A due task waits in its target's queue until the target has a free slot; it can be
// cancelled up to that moment. Then a Fire record is committed, and only its `committed` emits the
// push. What was overdue by more than a second when it left the wheel (downtime, a stepped clock)
// goes to a second queue, oldest first, which is paced, so that a backlog makes nothing punctual
// late.
//
// Shares. A push that nobody answers holds its slot until its time-out, and slots cannot be taken
// back. So a target whose last push was answered may take one more only while more are free than it
// holds (the dynamic threshold of Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2),
// 1998): one alone gets half of all slots, n greedy ones get 1/(n+1) each, and as many stay free
// for who comes next. A target that has not answered gets a quarter of that, and leaves a quarter
// of the slots to those that answer; half of this quarter is open to the only push of a target, so
// that it can show that it answers. A target that leaves several pushes in a row unanswered is held
// to half as many under way with each further one, down to eight, until it answers.
//
// Cleaning. The log's oldest batches are handed back (`restate`); the next batch begins with a Keep
// for each task in them that still exists and then trims them. Keeps come first in a batch and only
// while nothing is under way, so they say exactly what memory says.
//
// Concurrency: none. Limitations: one shard in a process; 2^31 tasks.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "shard/command.h"
#include "shard/hold.h"
#include "shard/operations.h"
#include "shard/record.h"
#include "wheel/arena.h"
#include "wheel/groups.h"
#include "wheel/ref_set.h"
#include "wheel/retained.h"
#include "wheel/task_index.h"
#include "wheel/wheel.h"

namespace carillon {

struct ShardOptions {
  Millis retain_finished{std::chrono::hours(1)};
  std::uint64_t retained_max = 1'000'000;   // finished tasks, but dead letters
  std::uint64_t pending_max = 200'000'000;  // tasks not finished, and dead letters
  std::uint64_t tasks_max = UINT64_MAX;     // all of them: retained ones give way to pending ones
  std::uint64_t in_flight_max = 20'000;     // pushes under way at once, to all targets
  std::uint32_t url_concurrency = 64;       // of each origin that tasks name by URL
  std::uint32_t catch_up_per_second = 20'000;  // overdue tasks fired per target; 0: no limit
};

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
  /// A hint, between two batches: about so many tasks there will be when all is replayed.
  void expect(std::uint64_t tasks) { index_.reserve(tasks); }
  /// Time begins. What was firing when the last process ended is fired again.
  void start(WallTime now);

  // --- Events.
  /// A hint: a command about this task will come within microseconds.
  void prefetch(const Fingerprint& task) const { index_.prefetch(task); }
  void submit(Command command, Ticket ticket);
  /// Each in turn, with consecutive tickets from `first` on.
  void submit(std::span<Command> commands, Ticket first);
  /// How the push of `number` went: state delivered, retrying (due at `retry_at`) or dead. A note
  /// without an error is not kept. `throttle`: the receiver said "not now".
  void outcome(const Fingerprint& task, TaskNumber number, State state, WallTime retry_at,
               Note note, const std::optional<Throttle>& throttle = std::nullopt);
  /// The time; a `now` before the last one is a clock set back. Does a bounded amount of work: call
  /// it again when `next_wakeup` says so, which may be at once.
  void tick(WallTime now);
  /// Whether finished tasks are forgotten as soon as may be, because there is too little space for
  /// their contents.
  void retain_none(bool none) { retain_none_ = none; }
  /// No further task is fired (for a stop).
  void stop_firing() { firing_stopped_ = true; }

  // --- The log.
  /// Something waits to be committed that somebody waits for.
  [[nodiscard]] bool wants_commit() const;
  [[nodiscard]] std::uint64_t open_bytes() const { return open_.bytes; }
  [[nodiscard]] std::size_t open_records() const { return open_.records.size(); }
  /// The batch to append next. Nothing may be under way. Reuses `spare`'s memory.
  [[nodiscard]] Batch seal(WallTime now, Batch spare = {});
  /// The sealed batch is durable.
  void committed(const Batch& batch);
  /// The log's oldest batches, to be restated and trimmed with the next seal.
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
  /// Entries are at positions [0, positions()); `at` is empty where there is none.
  [[nodiscard]] std::uint32_t positions() const { return arena_.end(); }
  [[nodiscard]] std::optional<Statement> at(std::uint32_t position);
  /// When the task there is pushed next, if it waits (for that target).
  [[nodiscard]] std::optional<WallTime> next_push(std::uint32_t position,
                                                  const std::optional<TargetKey>& target);
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
  struct TargetState {
    record::TargetPut settings;
    bool is_url = false;
    bool deleted = false;
    std::uint64_t unfinished = 0;  // tasks not finished that name it
    std::uint64_t queued = 0;      // of these, due and waiting for a slot
    std::uint32_t in_flight = 0;
    std::uint32_t unanswered = 0;  // of its pushes the last so many ended without an answer
    bool answers = false;          // the last one that ended was answered
    /// How many pushes it may have under way: `concurrency`, and fewer the longer nobody answers.
    [[nodiscard]] std::uint32_t window() const;
    Hold hold;
  };
  [[nodiscard]] const TargetState* target(const TargetKey& key) const;
  [[nodiscard]] std::vector<const TargetState*> named_targets() const;
  /// Due tasks that wait for their target.
  [[nodiscard]] std::uint64_t backlog() const { return backlog_; }
  /// The earliest due among the heads of the targets' queues.
  [[nodiscard]] std::optional<WallTime> oldest_queued() const;
  [[nodiscard]] std::uint64_t in_flight() const { return in_flight_; }
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
  struct Target : TargetState {
    TargetKey key;
    std::uint32_t users = 0;  // entries that name it, whatever their state
    ListId punctual = 0;      // due tasks, in due order
    ListId overdue = 0;       // the same, that left the wheel more than a second late
    bool runnable = false;    // is in runnable_
    bool paced = false;       // is in paced_
    bool crowded = false;     // is in crowded_
    WallTime paced_at{};      // when `allowance` was last filled
    std::uint32_t allowance = 0;
  };
  /// What few tasks have.
  struct Extra {
    WallTime asked_due{};
    WallTime redriven_at{};   // 0: never
    Millis expire_after{-1};  // negative: never
    bool retries_cancelled = false;
    friend bool operator==(const Extra&, const Extra&) = default;
  };
  struct OpenBatch {
    std::vector<Record> records;
    std::vector<Ticket> tickets;       // one for each record
    std::vector<ContentRow> contents;  // number: index into records until sealed
    std::vector<NoteRow> notes;
    std::vector<NoteRow> put_notes;  // number: as for contents
    std::vector<TaskNumber> forgotten;
    std::uint64_t bytes = 0;
  };
  /// How a push went, as `outcome` was told.
  struct Ended {
    Fingerprint task;
    TaskNumber number = 0;
    State state = State::delivered;
    WallTime retry_at{};
    Note note;
  };
  struct KeyHash {
    std::size_t operator()(const Hash128& key) const { return key.low; }
  };

  /// Calls `visit` for each of `all`, records or commands, with its index. Nearly every one is
  /// about a task whose memory is in no cache, so that is brought there for some at a time.
  template <typename All, typename Visit>
  void for_each_prefetched(All all, const Visit& visit);

  // shard.cc: deciding commands. False: the command must wait; it was not consumed.
  bool decide(command::Add& add, Ticket ticket);
  bool decide(command::Change& change, Ticket ticket);
  bool decide(command::Move& move, Ticket ticket);
  bool decide(command::Cancel& cancel, Ticket ticket);
  bool decide(command::RemoveDead& remove, Ticket ticket);
  bool decide(command::GroupCancel& cancel, Ticket ticket);
  bool decide(command::GroupShift& shift, Ticket ticket);
  bool decide(command::Operation& operation, Ticket ticket);
  bool decide(command::TargetPut& put, Ticket ticket);
  bool decide(command::TargetDelete& removal, Ticket ticket);
  bool decide(command::TargetRelease& release, Ticket ticket);
  bool decide_existing(command::Add& add, EntryRef old, Ticket ticket);
  bool decide_redrive(command::Change& change, EntryRef newest, Ticket ticket);
  bool decide_change(command::Change& change, EntryRef ref, Ticket ticket);
  bool decide_outcome(Ended& ended, EntryRef ref);
  [[nodiscard]] bool answer_operation(const OperationName& name, Ticket ticket);
  [[nodiscard]] WallTime latest_due(std::uint32_t group);
  void submit_one(Command& command, Ticket ticket);
  void propose(Record record, Ticket ticket);
  void propose_outcome(const Fingerprint& task, TaskNumber number, State state,
                       WallTime retry_at = {});
  void propose_put(Statement& task, TaskNumber previous, std::string& content, Ticket ticket,
                   const Note* note = nullptr);
  void restate_into(Batch& batch);
  void reply(Ticket ticket, Verdict verdict);
  /// `ref`, if any, is of `task`.
  void reply(Ticket ticket, Verdict verdict, EntryRef ref, const Fingerprint& task);
  [[nodiscard]] std::optional<Verdict> refusal(EntryRef ref) const;
  [[nodiscard]] bool busy(EntryRef ref) const;
  [[nodiscard]] std::optional<Verdict> target_refusal(const Statement& task) const;
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
  void apply(const record::TargetPut& put, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::TargetDelete& removal, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::CancelRetries& cancel, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::Operation& operation, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::TargetHold& hold, Sequence sequence, WallTime at, Ticket ticket);
  void apply(const record::TargetRelease& release, Sequence sequence, WallTime at, Ticket ticket);
  void operate(const GroupKey& key, GroupOperation operation, const OperationName& name,
               Ticket ticket);
  void retry_later(EntryRef ref, WallTime retry_at);
  void go_on_with_waiting();

  // shard_entry.cc: one entry's life.
  [[nodiscard]] EntryRef find_entry(const Fingerprint& task);
  [[nodiscard]] EntryRef find_number(const Fingerprint& task, TaskNumber number);
  [[nodiscard]] EntryRef make_entry(const Statement& task);
  void state_entry(EntryRef ref, const Statement& task, TaskNumber number);
  [[nodiscard]] Statement statement_of(EntryRef ref) const {
    return statement_of(ref, index_.id(ref));
  }
  [[nodiscard]] Statement statement_of(EntryRef ref, const Fingerprint& task) const;
  [[nodiscard]] WallTime asked_due(EntryRef ref) const;
  [[nodiscard]] Extra extra_of(EntryRef ref) const;
  void set_extra(EntryRef ref, const Extra& extra);
  void drop_extra(EntryRef ref);
  bool settle(EntryRef ref);
  [[nodiscard]] bool still_due(EntryRef ref);
  void place(EntryRef ref);
  void note_placed(EntryRef ref);
  void note_moved_many();
  [[nodiscard]] bool is_stray(EntryRef ref) const;
  void detach(EntryRef ref);
  void finish(EntryRef ref, State state, WallTime at, bool counted = false);
  [[nodiscard]] bool is_full() const { return pending() >= options_.pending_max; }
  [[nodiscard]] std::uint64_t retained_max() const;
  void make_room();
  void retain(EntryRef ref);
  [[nodiscard]] bool is_retained(const Retained::Record& its) const;
  [[nodiscard]] bool forget_oldest(WallTime finished_before, bool forget_rows);
  void order_retained();
  void bound_replayed();
  void forget(EntryRef ref, bool forget_rows = true);
  void count(EntryRef ref, State from, State to);
  void uncount(EntryRef ref);

  // shard_fire.cc: time.
  void end_interrupted(std::vector<std::pair<WallTime, EntryRef>> interrupted);
  void turn_wheel(WallTime now);
  void route_due(std::uint32_t budget);
  void enqueue(EntryRef ref);
  void pump(std::uint32_t budget);
  std::uint32_t pump_target(std::uint32_t index, std::uint32_t budget);
  [[nodiscard]] EntryRef take_queued(Target& target);
  [[nodiscard]] bool may_catch_up(Target& target);
  void fire(EntryRef ref);
  [[nodiscard]] bool may_fire() const {
    return !firing_stopped_ && in_flight_ < options_.in_flight_max;
  }
  [[nodiscard]] bool too_late(EntryRef ref) const;
  [[nodiscard]] bool has_slot(const Target& target) const;
  [[nodiscard]] bool has_room(const Target& target) const;
  void look_for_room();
  [[nodiscard]] bool is_crowded() const { return !crowded_[0].empty() || !crowded_[1].empty(); }
  void free_slot(std::uint32_t index, bool answered);
  void make_runnable(std::uint32_t index);
  void look_at_holds();
  void note_hold(std::uint32_t index);
  void sweep(std::uint32_t budget);
  void finish_sweep(std::uint32_t index);
  bool sweep_group(std::uint32_t index, std::uint32_t& budget);
  void forget_old(std::uint32_t budget);
  void clock_set_back(WallTime now);

  // shard_entry.cc, too: targets.
  [[nodiscard]] std::uint32_t find_target(const TargetKey& key) const;
  [[nodiscard]] std::uint32_t find_or_make_target(const TargetKey& key, bool is_url);
  [[nodiscard]] std::uint32_t look_up_target(const TargetKey& key, bool is_url);
  void drop_target_if_unused(std::uint32_t index);

  ShardOptions options_;
  Arena arena_;
  Lists lists_;
  Wheel wheel_;
  TaskIndex index_;
  Groups groups_;
  std::unordered_map<EntryRef, Extra> extras_;
  /// What the wheel does not have at the due that was asked for: queued, firing, finished, or
  /// waiting for another moment. For listings.
  RefSet strays_;
  std::vector<std::weak_ptr<ShardChanges>> watchers_;  // the listings that are under way
  std::deque<Target> targets_;
  std::vector<std::uint32_t> free_targets_;
  std::uint32_t last_target_ = kTargetsMax;  // that was asked for; kTargetsMax: none
  std::unordered_map<TargetKey, std::uint32_t, KeyHash> target_by_key_;
  std::array<std::uint64_t, kStates> counts_{};
  std::uint64_t unfinished_ = 0;  // with those proposed
  std::uint64_t backlog_ = 0;
  std::uint64_t in_flight_ = 0;
  std::array<std::uint64_t, kStates> ended_counts_{};

  Retained retained_;  // but dead letters
  std::vector<TaskNumber>
      leftover_rows_;  // of tasks that a replay forgot; to be deleted bit by bit
  std::deque<std::uint32_t> runnable_;
  std::vector<std::uint32_t> paced_;  // targets that wait for their allowance
  // Targets that wait until fewer pushes are under way in all; second those that answer.
  std::array<std::deque<std::uint32_t>, 2> crowded_;
  std::deque<std::uint32_t> sweeps_;                        // groups
  std::set<std::pair<WallTime, std::uint32_t>> hold_ends_;  // targets to look at again then
  Operations operations_;

  OpenBatch open_;
  std::vector<Ticket> sealed_tickets_;
  std::vector<std::pair<Command, Ticket>> waiting_;  // for the task or group they are about
  std::vector<Ended> ended_;                         // likewise
  std::vector<std::pair<Fingerprint, TaskNumber>> restate_;
  std::vector<TargetKey> restate_targets_;
  std::vector<Hash128> restate_operations_;
  Sequence restate_upto_ = 0;  // trim what is before it; 0: nothing to restate
  Sequence last_sequence_ = 0;
  WallTime now_{};
  WallTime earliest_replayed_ = WallTime::max();  // no task that waits at the start is due before
  bool started_ = false;
  bool under_way_ = false;
  bool firing_stopped_ = false;
  bool retain_none_ = false;
  bool interrupted_ = false;  // what was firing when the last process ended is not due again yet
  Effects effects_;
};

template <typename All, typename Visit>
void Shard::for_each_prefetched(All all, const Visit& visit) {
  // Some dozens at once, so that their page walks and reads overlap; the table a chunk before the
  // entries that it leads to.
  constexpr std::size_t kChunk = 64;
  const auto task_of = [](const auto& what) -> const Fingerprint* {
    if constexpr (requires { what.task.task; }) {
      return &what.task.task;
    } else if constexpr (requires { what.task; }) {
      return &what.task;
    } else {
      return nullptr;
    }
  };
  const auto prefetch = [&](std::size_t begin, auto bring) {
    for (std::size_t i = begin; i < std::min(all.size(), begin + kChunk); ++i) {
      if (const Fingerprint* task = std::visit(task_of, all[i])) (index_.*bring)(*task);
    }
  };
  prefetch(0, &TaskIndex::prefetch);
  for (std::size_t begin = 0; begin < all.size(); begin += kChunk) {
    prefetch(begin + kChunk, &TaskIndex::prefetch);
    prefetch(begin, &TaskIndex::prefetch_entry);
    const std::size_t end = std::min(all.size(), begin + kChunk);
    for (std::size_t i = begin; i < end; ++i) visit(all[i], i);
  }
}

}  // namespace carillon
