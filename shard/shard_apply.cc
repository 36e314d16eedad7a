// Applying facts: what is in the log has happened, live or on recovery alike.

#include <algorithm>

#include "shard/prefetched.h"
#include "shard/shard.h"

namespace carillon {
namespace {

/// By how long before a batch was sealed a finished task must have been past its retention for its
/// rows to have been deleted for certain with that batch or an earlier one.
constexpr Millis kForgottenForCertain = std::chrono::seconds(60);
constexpr std::uint64_t kRetainedToBound = 65'536;  // more than may be kept, at the least

}  // namespace

void Shard::apply(const Batch& batch, std::span<const Ticket> tickets) {
  for_each_prefetched(index_, std::span(batch.records), [&](const Record& record, std::size_t i) {
    const Ticket ticket = tickets.empty() ? 0 : tickets[i];
    std::visit([&](const auto& fact) { apply(fact, batch.first + i, batch.at, ticket); }, record);
  });
}

void Shard::replay(const Batch& batch) {
  CARILLON_CHECK(!started_ && batch.first > last_sequence_);
  apply(batch, {});
  if (!batch.records.empty()) last_sequence_ = batch.last();
  now_ = std::max(now_, batch.at);
  const WallTime before = batch.at - options_.retain_finished - kForgottenForCertain;
  while (forget_oldest(before, /*forget_rows=*/false)) {
  }
  // Ordering them takes a look at each, so it is done when they are half as many again.
  const std::uint64_t most = retained_max();
  if (retained_.there() > most + most / 2 + kRetainedToBound) bound_replayed();
}

void Shard::committed(const Batch& batch, WallTime now) {
  CARILLON_CHECK(under_way_);
  under_way_ = false;
  durable_at_ = now;
  apply(batch, sealed_tickets_);
  if (!waiting_.empty() || !ended_.empty()) go_on_with_waiting();
}

/// What had to wait for the records that are applied now.
void Shard::go_on_with_waiting() {
  std::vector<std::pair<Command, Ticket>> again;
  again.swap(waiting_);
  std::vector<Ended> ended;
  ended.swap(ended_);
  for (Ended& its : ended) {
    if (!decide_outcome(its, find_number(its.task, its.number))) ended_.push_back(std::move(its));
  }
  for (auto& [command, ticket] : again) submit(std::move(command), ticket);
}

void Shard::apply(const record::Put& put, Sequence sequence, WallTime, Ticket ticket) {
  if (put.previous != 0) {
    const EntryRef old = find_number(put.task.task, put.previous);
    if (old != kNoEntry) forget(old, /*forget_rows=*/false);
  }
  // Live, the decision has made the entry.
  EntryRef ref = started_ && put.previous == 0 ? find_number(put.task.task, 0) : kNoEntry;
  if (ref == kNoEntry) {
    const EntryRef finished_one = find_entry(put.task.task);
    if (finished_one != kNoEntry && arena_[finished_one].current() != State::dead) {
      forget(finished_one, /*forget_rows=*/false);
    }
    ref = make_entry(put.task);
  }
  state_entry(ref, put.task, sequence);
  // The decision counted it already.
  if (started_ && put.previous != 0) {
    targets_.remove_user(static_cast<std::uint32_t>(arena_[ref].queue), /*unfinished=*/true);
  }
  reply(ticket, put.previous == 0 ? Verdict::done : Verdict::replaced, ref, put.task.task);
}

void Shard::apply(const record::Keep& keep, Sequence, WallTime, Ticket) {
  if (started_) return;
  const EntryRef old = find_number(keep.task.task, keep.task.number);
  if (old != kNoEntry) forget(old, /*forget_rows=*/false);
  state_entry(make_entry(keep.task), keep.task, keep.task.number);
}

void Shard::apply(const record::Move& move, Sequence, WallTime, Ticket ticket) {
  const EntryRef ref = find_number(move.task, move.number);
  if (ref == kNoEntry) return;
  Entry& entry = arena_[ref];
  entry.busy = 0;
  detach(ref);
  count(ref, entry.current(), State::scheduled);
  entry.state = static_cast<std::uint8_t>(State::scheduled) & 7;
  Extra extra = extra_of(ref);
  extra.asked_due = move.due;
  entry.set_due(move.due);
  set_extra(ref, extra);
  groups_.note_due(groups_.of(ref), move.due);
  groups_.note_moved(ref);
  place(ref);
  reply(ticket, Verdict::done, ref, move.task);
}

void Shard::apply(const record::Cancel& cancel, Sequence, WallTime at, Ticket ticket) {
  const EntryRef ref = find_number(cancel.task, cancel.number);
  if (ref == kNoEntry) return;
  reply(ticket, Verdict::done, ref, cancel.task);
  finish(ref, State::cancelled, at);
}

void Shard::apply(const record::CancelRetries& cancel, Sequence, WallTime, Ticket ticket) {
  const EntryRef ref = find_number(cancel.task, cancel.number);
  if (ref == kNoEntry) return;
  arena_[ref].busy = 0;
  Extra extra = extra_of(ref);
  extra.retries_cancelled = true;
  set_extra(ref, extra);
  reply(ticket, Verdict::done, ref, cancel.task);
}

void Shard::apply(const record::Fire& fire, Sequence, WallTime, Ticket) {
  const EntryRef ref = find_number(fire.task, fire.number);
  if (ref == kNoEntry) return;
  Entry& entry = arena_[ref];
  entry.busy = 0;
  count(ref, entry.current(), State::firing);
  entry.state = static_cast<std::uint8_t>(State::firing) & 7;
  entry.attempt = std::min<std::uint32_t>(entry.attempt + 1U, 1023U) & 1023U;
  if (!started_) return;
  const PushNumber push = targets_.started(static_cast<std::uint32_t>(entry.queue), durable_at_);
  const TargetState& target = target_of(ref);
  effects_.fired.push_back(
      {fire.task, fire.number, target.settings.key, targets_.lane_of(entry.queue), entry.due(),
       asked_due(ref), static_cast<std::uint32_t>(entry.attempt), target.hold.is_probe(fire.number),
       expires_at(ref), push != 0 && merges_.has(ref), push});
}

void Shard::apply(const record::Outcome& outcome, Sequence, WallTime at, Ticket) {
  // As long as there is one that was interrupted, no other push has begun.
  if (ending_ > 0) --ending_;
  const EntryRef ref = find_number(outcome.task, outcome.number);
  if (ref == kNoEntry) return;
  arena_[ref].busy = 0;
  if (outcome.state == State::retrying) {
    retry_later(ref, outcome.retry_at);
  } else {
    finish(ref, outcome.state, at, /*counted=*/false, outcome.push);
  }
}

void Shard::retry_later(EntryRef ref, WallTime retry_at) {
  Entry& entry = arena_[ref];
  const Extra extra = extra_of(ref);
  entry.set_due(retry_at);
  set_extra(ref, extra);
  count(ref, entry.current(), State::retrying);
  entry.state = static_cast<std::uint8_t>(State::retrying) & 7;
  place(ref);
}

void Shard::apply(const record::Remove& remove, Sequence, WallTime, Ticket ticket) {
  const EntryRef ref = find_number(remove.task, remove.number);
  if (ref == kNoEntry) return;
  reply(ticket, Verdict::done, ref, remove.task);
  forget(ref, /*forget_rows=*/false);
}

void Shard::apply(const record::GroupCancel& cancel, Sequence, WallTime at, Ticket ticket) {
  operate(cancel.group, {.cancel = true, .by = Millis(0), .at = at}, cancel.operation, ticket);
}

void Shard::apply(const record::GroupShift& shift, Sequence, WallTime at, Ticket ticket) {
  operate(shift.group, {.cancel = false, .by = shift.by, .at = at}, shift.operation, ticket);
}

void Shard::operate(const GroupKey& key, GroupOperation operation, const OperationName& name,
                    Ticket ticket) {
  const std::uint32_t index = groups_.find(key);
  if (index == kNoGroup) {
    // On recovery the group may be restated further on, or gone.
    if (name.given()) operations_.remember({name, operation.at, 0, 0});
    return;
  }
  Group& group = groups_[index];
  std::uint64_t affected = group.counts[static_cast<std::size_t>(State::scheduled)];
  if (operation.cancel) {
    affected += group.counts[static_cast<std::size_t>(State::retrying)];
    constexpr auto kCancelled = static_cast<std::size_t>(State::cancelled);
    for (const State state : {State::scheduled, State::retrying}) {
      std::uint32_t& waiting = group.counts[static_cast<std::size_t>(state)];
      counts_[static_cast<std::size_t>(state)] -= waiting;
      counts_[kCancelled] += waiting;
      group.counts[kCancelled] += waiting;
      waiting = 0;
    }
  }
  const std::uint64_t firing = group.counts[static_cast<std::size_t>(State::firing)];
  if (name.given()) {
    const record::Operation done{name, operation.at, affected, firing};
    operations_.remember(done);
    // Once the log is cleaned a recovery counts other tasks here: the answer is a fact of its own.
    if (started_) {
      open_.append(done, ticket);
    } else {
      unanswered_.push_back(name.key);
    }
  } else if (ticket != 0) {
    reply(ticket, Verdict::done);
    effects_.replies.back().count = affected;
    effects_.replies.back().firing = firing;
  }
  if (!operation.cancel) {
    group.latest_due = std::max(group.latest_due + operation.by, operation.at);
    group.latest_due_is_exact = false;
  }
  if (group.operations.size() == Groups::kOperationsMax) finish_sweep(index);
  group.busy = false;
  group.operations.push_back(operation);
  group.epoch = (group.epoch + 1) & 7;
  group.unswept = static_cast<std::uint32_t>(group.members.size());
  if (!group.sweeping) {
    group.sweeping = true;
    sweeps_.push_back(index);
  }
  note_moved_many();
}

void Shard::apply(const record::Operation& operation, Sequence, WallTime, Ticket ticket) {
  if (!started_) std::erase(unanswered_, operation.name.key);
  // Live, memory knows it already, but for that of a command of its own.
  if (!started_ || operations_.find(operation.name.key, operation.at) == nullptr) {
    operations_.remember(operation);
  }
  if (ticket == 0) return;
  reply(ticket, Verdict::done);
  effects_.replies.back().count = operation.count;
  effects_.replies.back().firing = operation.firing;
}

}  // namespace carillon
