// Time: what is due is queued at its target, fired as slots are free, and old things are swept up.

#include <algorithm>

#include "shard/shard.h"

namespace carillon {
namespace {

// Bounds on the work of one tick, so that a loop turn stays well under a millisecond or two.
constexpr std::uint32_t kCascadesPerTick = 4096;
constexpr std::uint32_t kRoutedPerTick = 4096;
constexpr std::uint32_t kFiredPerTick = 2048;
constexpr std::uint32_t kFiredPerTurn = 256;  // of one target, before the next has its turn
constexpr std::uint32_t kSweptPerTick = 4096;
constexpr std::uint32_t kForgottenPerTick = 1024;

constexpr Millis kOverdue = std::chrono::seconds(1);
constexpr Millis kPaceInterval{10};  // how often a paced target is looked at again
constexpr Millis kForgetInterval{
    1000};  // finished tasks are forgotten up to this late, many at once
constexpr std::uint32_t kUnansweredMax = 3;   // in a row, before a target's window shrinks
constexpr std::uint32_t kWindowMin = 8;       // and so far at the most
constexpr std::uint64_t kAnsweringShare = 4;  // 1/4 of the slots is for targets that answer,
constexpr std::uint64_t kFirstsShare = 8;     // half of that also for any target's only push
constexpr const char* kTargetDeleted = "the target was deleted";

}  // namespace

void Shard::start(WallTime now) {
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
  std::vector<std::pair<WallTime, EntryRef>> interrupted;
  for (EntryRef ref = 0; ref < arena_.end(); ++ref) {
    if (!arena_.in_use(ref)) continue;
    const Entry& entry = arena_[ref];
    if (waits(entry.current())) wheel_.insert(ref);
    if (entry.current() == State::firing) interrupted.emplace_back(entry.due(), ref);
    if (is_stray(ref)) strays_.insert(ref);
  }
  order_retained();
  bound_replayed();
  end_interrupted(std::move(interrupted));
  for (std::uint32_t index = 0; index < targets_.size(); ++index) {
    Target& target = targets_[index];
    if (!target.hold.active()) continue;
    if (target.deleted) {
      target.hold.release();
      drop_target_if_unused(index);
    } else {
      target.hold.clock_set_back(now);  // if it was, while nobody ran or before the crash
      hold_ends_.emplace(target.hold.until(), index);
    }
  }
}

/// Nobody knows how the pushes went that were under way when the last process ended. Their tasks
/// are due again at once, oldest first, or cancelled where those were their last. Until that is
/// durable the wheel stands still, so that they come before what is overdue.
void Shard::end_interrupted(std::vector<std::pair<WallTime, EntryRef>> interrupted) {
  std::ranges::sort(interrupted);
  interrupted_ = !interrupted.empty();
  for (const auto& [due, ref] : interrupted) {
    const bool last = extra_of(ref).retries_cancelled;
    arena_[ref].busy = 1;
    propose_outcome(index_.id(ref), arena_[ref].number, last ? State::cancelled : State::retrying,
                    last ? WallTime{} : due);
  }
}

void Shard::tick(WallTime now) {
  CARILLON_CHECK(started_);
  if (now < now_) clock_set_back(now);
  now_ = now;
  if (!interrupted_) turn_wheel(now);
  look_at_holds();
  for (const std::uint32_t index : std::exchange(paced_, {})) {
    targets_[index].paced = false;
    make_runnable(index);
  }
  pump(kFiredPerTick);
  sweep(kSweptPerTick);
  forget_old(kForgottenPerTick);
  operations_.forget_old(now);
}

void Shard::turn_wheel(WallTime now) {
  wheel_.advance(now, kCascadesPerTick);
  std::vector<EntryRef> imminent;
  wheel_.prepare(kCascadesPerTick, &imminent);
  for (const EntryRef ref : imminent) effects_.imminent.push_back(arena_[ref].number);
  route_due(kRoutedPerTick);
}

/// What is no longer due leaves its target's queue for the wheel again.
void Shard::clock_set_back(WallTime now) {
  note_moved_many();
  wheel_.rewind(now);
  for (std::uint32_t index = 0; index < targets_.size(); ++index) {
    Target& target = targets_[index];
    if (target.hold.active()) {
      target.hold.clock_set_back(now);
      hold_ends_.emplace(target.hold.until(), index);
    }
    target.paced_at = std::min(target.paced_at, now);
    if (target.queued == 0) continue;
    for (const ListId queue : {target.punctual, target.overdue}) {
      for (EntryRef ref = lists_.first(queue); ref != kNoEntry;) {
        const EntryRef next = lists_.after(ref);
        if (arena_[ref].due() > now) place(ref);
        ref = next;
      }
    }
  }
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
    enqueue(ref);
  }
}

void Shard::enqueue(EntryRef ref) {
  const Entry& entry = arena_[ref];
  Target& target = targets_[entry.target];
  const bool overdue = now_ - entry.due() > kOverdue;
  lists_.push_back(overdue ? target.overdue : target.punctual, ref, Place::queue);
  ++target.queued;
  ++backlog_;
  strays_.insert(ref);
  make_runnable(arena_[ref].target);
}

std::uint32_t Shard::TargetState::window() const {
  if (unanswered <= kUnansweredMax) return settings.concurrency;
  const std::uint32_t least = std::min(settings.concurrency, kWindowMin);
  return std::max(settings.concurrency >> std::min(unanswered - kUnansweredMax, 31U), least);
}

/// Whether its own settings let it have one more push under way.
bool Shard::has_slot(const Target& target) const {
  return target.deleted || (!target.settings.paused && target.in_flight < target.window() &&
                            target.hold.admits(now_, target.in_flight));
}

/// Whether what the others need lets it, too.
bool Shard::has_room(const Target& target) const {
  if (target.deleted) return true;
  const std::uint64_t most = options_.in_flight_max;
  const std::uint64_t free = most - std::min(most, in_flight_);
  if (target.answers) return target.in_flight < free;
  if (target.in_flight == 0) return most / kFirstsShare < free;
  return std::uint64_t{4} * target.in_flight + most / kAnsweringShare < free;
}

/// Targets whose hold is over may send a probe.
void Shard::look_at_holds() {
  while (!hold_ends_.empty() && hold_ends_.begin()->first <= now_) {
    const std::uint32_t index = hold_ends_.begin()->second;
    hold_ends_.erase(hold_ends_.begin());
    make_runnable(index);
  }
}

/// The target's hold began, changed or ended.
void Shard::note_hold(std::uint32_t index) {
  effects_.holds.push_back(targets_[index].key);
  const Hold& hold = targets_[index].hold;
  if (hold.active()) hold_ends_.emplace(hold.until(), index);
}

void Shard::make_runnable(std::uint32_t index) {
  Target& target = targets_[index];
  if (target.runnable || target.queued == 0 || !has_slot(target)) return;
  if (has_room(target)) {
    target.runnable = true;
    runnable_.push_back(index);
  } else if (!std::exchange(target.crowded, true)) {
    crowded_[target.answers ? 1 : 0].push_back(index);
  }
}

/// For one target of each kind that waits for room.
void Shard::look_for_room() {
  for (std::deque<std::uint32_t>& waiting : crowded_) {
    while (!waiting.empty()) {
      const std::uint32_t index = waiting.front();
      waiting.pop_front();
      targets_[index].crowded = false;
      if (targets_[index].queued == 0 || !has_slot(targets_[index])) continue;
      make_runnable(index);
      break;
    }
  }
}

/// A push to the target is over.
void Shard::free_slot(std::uint32_t index, bool answered) {
  Target& target = targets_[index];
  --target.in_flight;
  --in_flight_;
  target.answers = answered;
  target.unanswered = answered ? 0 : target.unanswered + 1;
  make_runnable(index);
  look_for_room();
}

void Shard::pump(std::uint32_t budget) {
  while (budget > 0 && may_fire()) {
    // No push is left whose end would have the others look for room.
    while (runnable_.empty() && in_flight_ == 0 && is_crowded()) look_for_room();
    if (runnable_.empty()) return;
    const std::uint32_t index = runnable_.front();
    runnable_.pop_front();
    targets_[index].runnable = false;
    budget -= pump_target(index, std::min(budget, kFiredPerTurn));
  }
}

/// Fires what one target has a slot for; how much of the budget that took.
std::uint32_t Shard::pump_target(std::uint32_t index, std::uint32_t budget) {
  Target& target = targets_[index];
  std::uint32_t used = 0;
  while (used < budget && target.queued > 0 && may_fire() && has_slot(target) && has_room(target)) {
    const EntryRef ref = take_queued(target);
    if (ref == kNoEntry) {
      if (!std::exchange(target.paced, true)) paced_.push_back(index);
      return used;
    }
    ++used;
    fire(ref);
  }
  make_runnable(index);
  return used;
}

EntryRef Shard::take_queued(Target& target) {
  EntryRef ref = lists_.first(target.punctual);
  if (ref == kNoEntry && may_catch_up(target)) ref = lists_.first(target.overdue);
  if (ref != kNoEntry) detach(ref);
  return ref;
}

/// Whether one more overdue task may be fired now. A token bucket that holds a tenth of a second's
/// worth.
bool Shard::may_catch_up(Target& target) {
  const std::int64_t rate = options_.catch_up_per_second;
  if (rate == 0 || target.deleted) return true;
  const std::int64_t most = std::max<std::int64_t>(rate / 10, 1);
  const std::int64_t elapsed_ms =
      std::clamp<std::int64_t>((now_ - target.paced_at).count(), 0, 1000);
  const std::int64_t earned = elapsed_ms * rate / 1000;
  if (earned > 0) {
    target.allowance = static_cast<std::uint32_t>(std::min(most, target.allowance + earned));
    target.paced_at = now_;
  }
  if (target.allowance == 0) return false;
  --target.allowance;
  return true;
}

void Shard::fire(EntryRef ref) {
  if (!still_due(ref)) return;
  Entry& entry = arena_[ref];
  // What is on its way to the log decides about this task and puts it in its place: let go of it.
  if (busy(ref)) return;
  CARILLON_CHECK(entry.due() <= now_);
  Target& target = targets_[entry.target];
  entry.busy = 1;
  if (target.deleted) {
    open_.notes.push_back(
        {entry.number, Note{now_, static_cast<std::uint32_t>(entry.attempt), 0, kTargetDeleted}});
    propose_outcome(index_.id(ref), entry.number, State::dead);
  } else if (too_late(ref)) {
    propose_outcome(index_.id(ref), entry.number, State::expired);
  } else {
    ++target.in_flight;
    ++in_flight_;
    target.hold.fired(entry.number);
    propose(record::Fire{index_.id(ref), entry.number}, 0);
  }
}

/// Whether its `expire_after` is over.
bool Shard::too_late(EntryRef ref) const {
  if (arena_[ref].has_extra == 0) return false;
  const Extra& extra = extras_.at(ref);
  return extra.expire_after >= Millis(0) &&
         now_ > std::max(extra.asked_due, extra.redriven_at) + extra.expire_after;
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

void Shard::forget_old(std::uint32_t budget) {
  const WallTime before = now_ - options_.retain_finished;
  while (budget > 0 && forget_oldest(before, /*forget_rows=*/true)) --budget;
  for (budget += kSweptPerTick; budget > 0 && retained_.there() > retained_max(); --budget) {
    static_cast<void>(forget_oldest(WallTime::max(), /*forget_rows=*/true));
  }
}

bool Shard::has_work() const {
  const bool may_pump = !runnable_.empty() || (in_flight_ == 0 && is_crowded());
  return (wheel_.has_due() && !interrupted_) || (may_pump && may_fire()) || !sweeps_.empty() ||
         retained_.there() > retained_max();
}

std::optional<WallTime> Shard::next_wakeup() const {
  if (has_work()) return now_;
  std::optional<WallTime> next = wheel_.next_wakeup();
  const auto sooner = [&](WallTime moment) { next = std::min(next.value_or(moment), moment); };
  if (!paced_.empty()) sooner(now_ + kPaceInterval);
  if (!hold_ends_.empty()) sooner(hold_ends_.begin()->first);
  if (!retained_.empty()) {
    const Retained::Record oldest = retained_.front();
    const Entry& entry = arena_[oldest.where()];
    const WallTime over =
        is_retained(oldest) ? entry.finished_at() + options_.retain_finished : now_;
    sooner(over <= now_ ? now_ + Millis(1) : over + kForgetInterval);
  }
  return next;
}

std::optional<WallTime> Shard::oldest_queued() const {
  std::optional<WallTime> oldest;
  if (backlog_ == 0) return oldest;
  for (const Target& target : targets_) {
    if (target.queued == 0) continue;
    for (const ListId queue : {target.punctual, target.overdue}) {
      const EntryRef ref = lists_.first(queue);
      if (ref != kNoEntry) oldest = std::min(oldest.value_or(arena_[ref].due()), arena_[ref].due());
    }
  }
  return oldest;
}

void Shard::check_invariants() {
  wheel_.check_invariants();
  index_.check_invariants();
  std::array<std::uint64_t, kStates> counts{};
  std::uint64_t unfinished = 0;
  std::uint64_t retained = 0;
  for (EntryRef ref = 0; ref < arena_.end(); ++ref) {
    if (arena_.in_use(ref)) settle(ref);
  }
  for (EntryRef ref = 0; ref < arena_.end(); ++ref) {
    if (!arena_.in_use(ref)) continue;
    const Entry& entry = arena_[ref];
    const State state = entry.current();
    if (!finished(state)) ++unfinished;
    if (forgettable(state)) ++retained;
    if (entry.number == 0) continue;
    ++counts[entry.state];
    CARILLON_CHECK(find_number(index_.id(ref), entry.number) == ref);
    CARILLON_CHECK(groups_.is_member(ref) == (entry.in_group != 0 && !finished(state)));
    if (groups_.is_member(ref)) groups_.check_member(ref);
    // A waiting task is on the wheel, in a queue, or about to be decided by a record under way.
    if (started_ && waits(state)) CARILLON_CHECK(entry.where() != Place::nowhere || busy(ref));
    if (finished(state)) CARILLON_CHECK(entry.where() == Place::nowhere);
    if (started_) CARILLON_CHECK(!is_stray(ref) || strays_.contains(ref));
  }
  for (const Target& target : targets_) {
    const bool has_turn = target.runnable || target.paced || target.crowded;
    CARILLON_CHECK(target.queued == 0 || has_turn || !has_slot(target));
  }
  CARILLON_CHECK(counts == counts_);
  CARILLON_CHECK(unfinished == unfinished_);
  CARILLON_CHECK(retained == retained_.there());
}

}  // namespace carillon
