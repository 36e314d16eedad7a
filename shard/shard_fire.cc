// Time: what is due is queued at its target, fired as slots are free, and old things are swept up.

#include <algorithm>

#include "shard/shard.h"

namespace carillon {
namespace {

// Bounds on the work of one tick, so that a loop turn stays well under a millisecond or two.
constexpr std::uint32_t kCascadesPerTick = 4096;
constexpr std::uint32_t kRoutedPerTick = 4096;
constexpr std::uint32_t kFiredPerTick = 2048;
constexpr std::uint32_t kSweptPerTick = 4096;
constexpr std::uint32_t kForgottenPerTick = 1024;

constexpr Millis kForgetInterval{1000};  // finished tasks are forgotten up to this late, together
constexpr const char* kTargetDeleted = "the target was deleted";
constexpr const char* kTooLate = "it was not delivered within expire_after";

}  // namespace

void Shard::start(WallTime now, Interrupted firing) {
  CARILLON_CHECK(!started_);
  index_.trim();
  while (!sweeps_.empty()) {
    const std::uint32_t group = sweeps_.front();
    finish_sweep(group);
    groups_.drop_if_unused(group);
  }
  // The wheel begins before the first due, so that what is overdue leaves it in due order.
  wheel_.start_at(std::min(now, earliest_replayed_ - Millis(1)));
  now_ = now;
  started_ = true;
  for (EntryRef ref = 0; ref < arena_.end(); ++ref) {
    if (!arena_.in_use(ref)) continue;
    const Entry& entry = arena_[ref];
    if (waits(entry.current())) wheel_.insert(ref);
    if (entry.current() == State::firing) {
      interrupted_.push_back(
          {entry.due(), index_.id(ref), entry.number, static_cast<std::uint32_t>(entry.attempt)});
    }
    if (is_stray(ref)) strays_.insert(ref);
  }
  order_retained();
  bound_replayed();
  for (const Hash128& key : std::exchange(unanswered_, {})) {
    if (const auto* done = operations_.find(key, now_)) open_.append(*done, 0);
  }
  std::ranges::sort(interrupted_, {},
                    [](const InterruptedPush& one) { return std::pair(one.due, one.number); });
  if (firing == Interrupted::ends) {
    ending_ = interrupted_.size();
    end_interrupted();
  }
  targets_.start(now);
}

/// Nobody knows how the pushes went that were under way when the last process ended. Their tasks
/// are due again at once, oldest first, or cancelled where those were their last. Where that is at
/// the start the wheel stands still until it is durable, so that they come before what is overdue.
void Shard::end_interrupted() {
  for (const InterruptedPush& push : std::exchange(interrupted_, {})) {
    const EntryRef ref = find_number(push.task, push.number);
    // Its outcome may have become known meanwhile, and the task may be firing anew.
    if (ref == kNoEntry || arena_[ref].current() != State::firing) continue;
    if (arena_[ref].attempt != push.attempt) continue;
    Ended ended{push.task, push.number, State::retrying, push.due, {}};
    if (!decide_outcome(ended, ref)) ended_.push_back(std::move(ended));
  }
}

void Shard::tick(WallTime now) {
  CARILLON_CHECK(started_);
  if (now < now_) clock_set_back(now);
  now_ = now;
  forgotten_for_targets_ = 0;
  targets_.tick(now);
  if (ending_ == 0) turn_wheel(now);
  fire_due(kFiredPerTick);
  sweep(kSweptPerTick);
  forget_old(kForgottenPerTick);
  operations_.forget_old(now);
}

void Shard::turn_wheel(WallTime now) {
  wheel_.advance(now, kCascadesPerTick);
  imminent_.clear();
  wheel_.prepare(kCascadesPerTick, &imminent_);
  for (const EntryRef ref : imminent_) effects_.imminent.push_back(arena_[ref].number);
  route_due(kRoutedPerTick);
}

/// What is no longer due leaves its target's queue for the wheel again.
void Shard::clock_set_back(WallTime now) {
  note_moved_many();
  wheel_.rewind(now);
  for (const EntryRef ref : targets_.set_back(now)) place(ref);
}

/// Of a task just taken off its list: following its group may have cancelled it, or moved it back
/// onto the wheel.
bool Shard::still_due(EntryRef ref) {
  return settle(ref) && !finished(arena_[ref].current()) && arena_[ref].where() == Place::nowhere;
}

void Shard::route_due(std::uint32_t budget) {
  for (; budget > 0; --budget) {
    const EntryRef ref = wheel_.pop_due();
    if (ref == kNoEntry) return;
    if (!still_due(ref)) continue;
    CARILLON_CHECK(arena_[ref].due() <= now_);
    targets_.enqueue(ref);
    strays_.insert(ref);
  }
}

/// Fires what targets have slots for.
void Shard::fire_due(std::uint32_t budget) {
  while (budget > 0 && !firing_stopped_) {
    const EntryRef ref = targets_.next();
    if (ref == kNoEntry) return;
    const std::uint32_t fired = still_due(ref) ? fire(ref) : 1;
    budget -= std::min(budget, fired);
  }
}

/// How many tasks it took a look at, itself included.
std::uint32_t Shard::fire(EntryRef ref) {
  Entry& entry = arena_[ref];
  // What is on its way to the log decides about this task and puts it in its place: let go of it.
  if (busy(ref)) return 1;
  CARILLON_CHECK(entry.due() <= now_);
  if (target_of(ref).deleted) {
    entry.busy = 1;
    open_.note(entry.number,
               Note{now_, static_cast<std::uint32_t>(entry.attempt), 0, kTargetDeleted});
    propose_outcome(index_.id(ref), entry.number, State::dead);
  } else if (now_ > expires_at(ref)) {
    entry.busy = 1;
    const bool dies = extras_.at(ref).dies_late;
    if (dies) {
      open_.note(entry.number, Note{now_, static_cast<std::uint32_t>(entry.attempt), 0, kTooLate});
    }
    propose_outcome(index_.id(ref), entry.number, dies ? State::dead : State::expired);
  } else {
    begin_push(ref);
    if (merges_.has(ref)) return 1 + fire_merged(ref);
  }
  return 1;
}

/// Of one that is on no list.
void Shard::begin_push(EntryRef ref) {
  arena_[ref].busy = 1;
  targets_.begin(ref, merges_.has(ref));
  open_.append(record::Fire{index_.id(ref), arena_[ref].number}, 0);
}

/// When its `expire_after` is over.
WallTime Shard::expires_at(EntryRef ref) const {
  if (arena_[ref].has_extra == 0) return WallTime::max();
  const Extra& extra = extras_.at(ref);
  if (extra.expire_after < Millis(0)) return WallTime::max();
  return std::max(extra.asked_due, extra.redriven_at) + extra.expire_after;
}

void Shard::sweep(std::uint32_t budget) {
  while (!sweeps_.empty() && sweep_group(sweeps_.front(), budget)) {
    const std::uint32_t index = sweeps_.front();
    sweeps_.pop_front();
    Group& group = groups_[index];
    group.sweeping = false;
    group.operations.clear();
    groups_.drop_if_unused(index);
  }
}

/// Meets members from the back; true when all were met.
bool Shard::sweep_group(std::uint32_t index, std::uint32_t& budget) {
  Group& group = groups_[index];
  for (; group.unswept > 0; --budget) {
    if (budget == 0) return false;
    --group.unswept;
    if (group.unswept < group.members.size()) settle(group.members[group.unswept]);
  }
  return true;
}

void Shard::finish_sweep(std::uint32_t index) {
  std::uint32_t unlimited = 0xffff'ffff;
  sweep_group(index, unlimited);
  Group& group = groups_[index];
  group.sweeping = false;
  group.operations.clear();
  sweeps_.erase(std::find(sweeps_.begin(), sweeps_.end(), index));
}

bool Shard::has_work() const {
  return (wheel_.has_due() && ending_ == 0) || (targets_.has_next() && !firing_stopped_) ||
         !sweeps_.empty() || retained_.there() > retained_max();
}

std::optional<WallTime> Shard::next_wakeup() const {
  if (has_work()) return now_;
  std::optional<WallTime> next = wheel_.next_wakeup();
  const auto sooner = [&](WallTime moment) { next = std::min(next.value_or(moment), moment); };
  if (const auto at = targets_.next_wakeup()) sooner(*at);
  if (!retained_.empty()) {
    const Retained::Record oldest = retained_.front();
    const Entry& entry = arena_[oldest.where()];
    const WallTime over =
        is_retained(oldest) ? entry.finished_at() + options_.retain_finished : now_;
    sooner(over <= now_ ? now_ + Millis(1) : over + kForgetInterval);
  }
  return next;
}

}  // namespace carillon
