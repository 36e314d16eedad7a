#include "shard/target_queues.h"

#include <algorithm>

#include "base/check.h"

namespace carillon {
namespace {

constexpr Millis kOverdue = std::chrono::seconds(1);
constexpr Millis kPaceInterval{10};
constexpr std::uint32_t kTurn = 256;          // tasks of one queue, before the next has its turn
constexpr std::uint32_t kUnansweredMax = 3;   // in a row, before a target's window shrinks
constexpr std::uint32_t kWindowMin = 8;       // and so far at the most
constexpr std::uint64_t kAnsweringShare = 4;  // 1/4 of the slots is for targets that answer,
constexpr std::uint64_t kFirstsShare = 8;     // half of that also for any target's only push

}  // namespace

std::uint32_t TargetState::window() const {
  if (unanswered <= kUnansweredMax) return settings.concurrency;
  const std::uint32_t least = std::min(settings.concurrency, kWindowMin);
  return std::max(settings.concurrency >> std::min(unanswered - kUnansweredMax, 31U), least);
}

TargetQueues::TargetQueues(Arena& arena, Lists& lists, const TargetLimits& limits)
    : arena_(arena), lists_(lists), limits_(limits) {}

// --- Targets.

std::uint32_t TargetQueues::find(const TargetKey& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? kTargetsMax : found->second;
}

std::vector<const TargetState*> TargetQueues::named() const {
  std::vector<const TargetState*> named;
  for (const auto& [key, index] : by_key_) {
    const Target& target = *targets_[index];
    if (!target.is_url && !target.deleted) named.push_back(&target);
  }
  std::ranges::sort(named, {}, [](const TargetState* target) -> const std::string& {
    return target->settings.name;
  });
  return named;
}

std::uint32_t TargetQueues::find_or_make(const TargetKey& key, bool is_url) {
  // Tasks of one target come together.
  if (last_ == kTargetsMax || targets_[last_]->settings.key != key) {
    const auto [at, fresh] = by_key_.try_emplace(key, 0);
    if (fresh) at->second = make(key, is_url);
    last_ = at->second;
  }
  return last_;
}

std::uint32_t TargetQueues::make(const TargetKey& key, bool is_url) {
  if (in_line(Line::unused).empty()) {
    const auto index = static_cast<std::uint32_t>(targets_.size());
    CARILLON_CHECK(index < kTargetsMax);
    in_line(Line::unused).emplace_back().index = index;
    targets_.push_back(in_line(Line::unused).begin());
  }
  Target& target = in_line(Line::unused).front();
  target.settings.key = key;
  target.settings.concurrency = limits_.url_concurrency;
  target.is_url = is_url;
  target.deleted = !is_url;  // until a TargetPut says otherwise
  target.queue.punctual = lists_.make();
  target.queue.overdue = lists_.make();
  line_up(target, Line::nothing);
  return target.index;
}

void TargetQueues::drop_if_unused(Target& target) {
  // A named one keeps its name until `remove`, also once it is marked.
  if (target.users > 0 || !target.settings.name.empty()) return;
  // While the log is read, a target that is held may be put only further on.
  if (target.hold.active()) return;
  CARILLON_CHECK(target.queued == 0 && target.in_flight == 0);
  by_key_.erase(target.settings.key);
  lists_.drop(target.queue.punctual);
  lists_.drop(target.queue.overdue);
  if (last_ == target.index) last_ = kTargetsMax;
  line_up(target, Line::unused);
  Target unused;
  unused.index = target.index;
  target = std::move(unused);
}

std::uint32_t TargetQueues::add_user(const TargetKey& key, bool is_url, bool unfinished) {
  const std::uint32_t index = find_or_make(key, is_url);
  Target& target = *targets_[index];
  ++target.users;
  if (unfinished) ++target.unfinished;
  return index;
}

bool TargetQueues::put(const record::TargetPut& settings) {
  Target& target = *targets_[find_or_make(settings.key, /*is_url=*/false)];
  const bool existed = !target.settings.name.empty();
  target.settings = settings;
  // One that is about to be deleted stays so: the record of that comes behind this one.
  if (!existed) target.deleted = false;
  review(target);
  return existed;
}

void TargetQueues::remove(const TargetKey& key) {
  const std::uint32_t index = find(key);
  if (index == kTargetsMax) return;
  Target& target = *targets_[index];
  target.deleted = true;
  target.hold.release();
  target.settings.name.clear();
  target.settings.settings.clear();
  review(target);
  drop_if_unused(target);
}

void TargetQueues::restore_hold(const record::TargetHold& hold, WallTime at) {
  targets_[find_or_make(hold.key, /*is_url=*/false)]->hold.restore(hold, at);
}

void TargetQueues::release_hold(std::uint32_t index) {
  targets_[index]->hold.release();
  review(*targets_[index]);
}

// --- What a queue waits for.

/// Whether the target itself takes one more push.
bool TargetQueues::has_slot(const Target& target) const {
  return target.deleted || (!target.settings.paused && target.in_flight < target.window() &&
                            target.hold.admits(now_, target.in_flight));
}

/// Whether what the others need lets it, too.
bool TargetQueues::has_room(const Target& target) const {
  if (target.deleted) return true;
  const std::uint64_t most = limits_.in_flight_max;
  const std::uint64_t free = most - std::min(most, in_flight_);
  if (target.answers) return target.in_flight < free;
  if (target.in_flight == 0) return most / kFirstsShare < free;
  return std::uint64_t{4} * target.in_flight + most / kAnsweringShare < free;
}

/// Whether one more overdue task may be fired now. A token bucket that holds a tenth of a second's
/// worth.
bool TargetQueues::has_allowance(Target& target) {
  const std::int64_t rate = limits_.catch_up_per_second;
  if (rate == 0 || target.deleted) return true;
  const std::int64_t most = std::max<std::int64_t>(rate / 10, 1);
  const std::int64_t elapsed_ms =
      std::clamp<std::int64_t>((now_ - target.allowed_at).count(), 0, 1000);
  const std::int64_t earned = elapsed_ms * rate / 1000;
  if (earned > 0) {
    target.allowance = static_cast<std::uint32_t>(std::min(most, target.allowance + earned));
    target.allowed_at = now_;
  }
  return target.allowance > 0;
}

TargetQueues::Line TargetQueues::line_for(Target& target) {
  if (target.queued == 0 || !has_slot(target)) return Line::nothing;
  if (!has_room(target)) return target.answers ? Line::room_answering : Line::room;
  if (lists_.empty(target.queue.punctual) && !has_allowance(target)) return Line::allowance;
  return Line::turn;
}

/// At the end of it, also where it stands there already.
void TargetQueues::line_up(Target& target, Line line) {
  Queue& queue = target.queue;
  Targets& to = in_line(line);
  to.splice(to.end(), in_line(queue.line), targets_[target.index]);
  queue.line = line;
  queue.turn_left = kTurn;
}

/// Something about it has changed.
void TargetQueues::review(Target& target) {
  if (target.queue.line == Line::unused) return;
  const Line line = line_for(target);
  if (line != target.queue.line) line_up(target, line);
}

/// For one queue of each kind that waits for room.
void TargetQueues::look_for_room() {
  for (const Line line : {Line::room, Line::room_answering}) {
    if (in_line(line).empty()) continue;
    Target& target = in_line(line).front();
    line_up(target, line_for(target));
  }
}

// --- Queues.

void TargetQueues::enqueue(EntryRef ref) {
  const Entry& entry = arena_[ref];
  Target& target = *targets_[entry.target];
  const bool overdue = now_ - entry.due() > kOverdue;
  lists_.push_back(overdue ? target.queue.overdue : target.queue.punctual, ref, Place::queue);
  ++target.queued;
  ++queued_;
  if (target.queue.line != Line::turn) review(target);
}

void TargetQueues::remove(EntryRef ref) {
  Target& target = *targets_[arena_[ref].target];
  CARILLON_CHECK(arena_[ref].where() == Place::queue && target.queued > 0);
  lists_.unlink(ref);
  --target.queued;
  --queued_;
  if (target.queued == 0) line_up(target, Line::nothing);
}

EntryRef TargetQueues::next() {
  while (in_flight_ < limits_.in_flight_max) {
    // No push is left whose end would have the others look for room.
    while (in_line(Line::turn).empty() && in_flight_ == 0 && has_next()) look_for_room();
    if (in_line(Line::turn).empty()) return kNoEntry;
    Target& target = in_line(Line::turn).front();
    const Line line = line_for(target);
    if (line == Line::turn && target.queue.turn_left > 0) return take(target);
    line_up(target, line);
  }
  return kNoEntry;
}

EntryRef TargetQueues::take(Target& target) {
  --target.queue.turn_left;
  EntryRef ref = lists_.first(target.queue.punctual);
  if (ref == kNoEntry) {
    ref = lists_.first(target.queue.overdue);
    if (target.allowance > 0) --target.allowance;
  }
  remove(ref);
  return ref;
}

bool TargetQueues::has_next() const {
  if (in_flight_ >= limits_.in_flight_max) return false;
  if (!in_line(Line::turn).empty()) return true;
  return in_flight_ == 0 &&
         (!in_line(Line::room).empty() || !in_line(Line::room_answering).empty());
}

// --- Pushes.

void TargetQueues::begin(EntryRef ref) {
  const Entry& entry = arena_[ref];
  Target& target = *targets_[entry.target];
  ++target.in_flight;
  ++in_flight_;
  target.hold.fired(entry.number);
}

TargetQueues::HoldChange TargetQueues::end(std::uint32_t index, TaskNumber number, bool answered,
                                           const std::optional<Throttle>& throttle) {
  Target& target = *targets_[index];
  CARILLON_CHECK(target.in_flight > 0 && in_flight_ > 0);
  HoldChange change = HoldChange::none;
  if (!target.is_url && !target.deleted) {
    if (throttle && target.hold.throttled(number, *throttle)) {
      change = HoldChange::held;
      hold_ends_.emplace(target.hold.until(), target.index);
    } else if (!throttle && target.hold.answered(number, target.settings.concurrency)) {
      change = HoldChange::released;
    }
  }
  --target.in_flight;
  --in_flight_;
  target.answers = answered;
  target.unanswered = answered ? 0 : target.unanswered + 1;
  review(target);
  look_for_room();
  return change;
}

// --- Time.

void TargetQueues::start(WallTime now) {
  now_ = now;
  for (const auto& at : targets_) {
    Target& target = *at;
    if (!target.hold.active()) continue;
    if (target.deleted) {
      target.hold.release();
      drop_if_unused(target);
    } else {
      target.hold.clock_set_back(now);  // if it was, while nobody ran or before the crash
      hold_ends_.emplace(target.hold.until(), target.index);
    }
  }
}

void TargetQueues::tick(WallTime now) {
  now_ = now;
  while (!hold_ends_.empty() && hold_ends_.begin()->first <= now) {
    const std::uint32_t index = hold_ends_.begin()->second;
    hold_ends_.erase(hold_ends_.begin());
    review(*targets_[index]);
  }
  for (std::size_t paced = in_line(Line::allowance).size(); paced > 0; --paced) {
    Target& target = in_line(Line::allowance).front();
    line_up(target, line_for(target));
  }
}

std::vector<EntryRef> TargetQueues::set_back(WallTime now) {
  now_ = now;
  std::vector<EntryRef> early;
  for (const auto& at : targets_) {
    Target& target = *at;
    if (target.hold.active()) {
      target.hold.clock_set_back(now);
      hold_ends_.emplace(target.hold.until(), target.index);
    }
    target.allowed_at = std::min(target.allowed_at, now);
    if (target.queued == 0) continue;
    for (const ListId list : {target.queue.punctual, target.queue.overdue}) {
      for (EntryRef ref = lists_.first(list); ref != kNoEntry; ref = lists_.after(ref)) {
        if (arena_[ref].due() > now) early.push_back(ref);
      }
    }
  }
  for (const EntryRef ref : early) remove(ref);
  return early;
}

std::optional<WallTime> TargetQueues::next_wakeup() const {
  std::optional<WallTime> next;
  if (!in_line(Line::allowance).empty()) next = now_ + kPaceInterval;
  if (!hold_ends_.empty()) {
    next = std::min(next.value_or(WallTime::max()), hold_ends_.begin()->first);
  }
  return next;
}

std::optional<WallTime> TargetQueues::oldest() const {
  std::optional<WallTime> oldest;
  if (queued_ == 0) return oldest;
  for (const auto& at : targets_) {
    const Target& target = *at;
    if (target.queued == 0) continue;
    for (const ListId list : {target.queue.punctual, target.queue.overdue}) {
      const EntryRef ref = lists_.first(list);
      if (ref != kNoEntry) oldest = std::min(oldest.value_or(arena_[ref].due()), arena_[ref].due());
    }
  }
  return oldest;
}

std::uint64_t TargetQueues::bytes() const {
  constexpr std::uint64_t kNode = 2 * sizeof(void*);
  return targets_.size() * (sizeof(Target) + kNode + sizeof(Targets::iterator));
}

void TargetQueues::check_invariants() {
  std::uint64_t queued = 0;
  std::uint64_t in_flight = 0;
  for (std::uint32_t index = 0; index < targets_.size(); ++index) {
    Target& target = *targets_[index];
    CARILLON_CHECK(target.index == index);
    queued += target.queued;
    in_flight += target.in_flight;
    if (target.queue.line == Line::unused) continue;
    const bool empty = lists_.empty(target.queue.punctual) && lists_.empty(target.queue.overdue);
    CARILLON_CHECK(find(target.settings.key) == index && empty == (target.queued == 0));
    // One that stands in line for a turn or for room finds out late that it may not go.
    const bool goes = line_for(target) != Line::nothing;
    CARILLON_CHECK(!goes || target.queue.line != Line::nothing);
    CARILLON_CHECK(!empty || target.queue.line == Line::nothing);
  }
  CARILLON_CHECK(queued == queued_ && in_flight == in_flight_);
}

}  // namespace carillon
