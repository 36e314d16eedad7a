#include "shard/target_queues.h"

#include <algorithm>

#include "base/check.h"

namespace carillon {
namespace {

constexpr Millis kOverdue = std::chrono::seconds(1);
constexpr Millis kPaceInterval{10};
constexpr std::uint32_t kUnansweredMax = 3;  // in a row, before a target's window shrinks
constexpr std::uint32_t kWindowMin = 8;      // and so far at the most

}  // namespace

std::uint32_t TargetState::window() const {
  if (unanswered <= kUnansweredMax) return settings.concurrency;
  const std::uint32_t least = std::min(settings.concurrency, kWindowMin);
  return std::max(settings.concurrency >> std::min(unanswered - kUnansweredMax, 31U), least);
}

TargetQueues::TargetQueues(Arena& arena, Lists& lists, const TargetLimits& limits)
    : arena_(arena), lists_(lists), limits_(limits) {}

void TargetQueues::set_limits(const TargetLimits& limits) {
  limits_ = limits;
  rate_.set({.limit = limits.pushes_per_second}, now_);
  for (Target& target : targets_) review(target);
}

// --- Targets.

std::uint32_t TargetQueues::find(const TargetKey& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? kTargetsMax : found->second;
}

std::vector<const TargetState*> TargetQueues::named() const {
  std::vector<const TargetState*> named;
  for (const auto& [key, index] : by_key_) {
    const Target& target = targets_[index];
    if (!target.is_url && !target.deleted) named.push_back(&target);
  }
  std::ranges::sort(named, {}, [](const TargetState* target) -> const std::string& {
    return target->settings.name;
  });
  return named;
}

bool TargetQueues::needs_queue(const TargetKey& key, LaneNumber lane) const {
  const std::uint32_t index = find(key);
  if (index == kTargetsMax) return true;
  const Queue& first = *queues_[targets_[index].queue];
  if (first.users == 0) return false;
  for (std::uint32_t at = first.index; at != kNoQueue; at = queues_[at]->next) {
    if (queues_[at]->lane == lane) return false;
  }
  return true;
}

std::uint32_t TargetQueues::find_or_make(const TargetKey& key, bool is_url) {
  // Tasks of one target come together.
  if (last_ == kTargetsMax || targets_[last_].settings.key != key) {
    const auto [at, fresh] = by_key_.try_emplace(key, 0);
    if (fresh) at->second = make(key, is_url);
    last_ = at->second;
  }
  return last_;
}

std::uint32_t TargetQueues::make(const TargetKey& key, bool is_url) {
  if (unused_targets_.empty()) {
    unused_targets_.push_back(static_cast<std::uint32_t>(targets_.size()));
    targets_.emplace_back().index = unused_targets_.back();
  }
  Target& target = targets_[unused_targets_.back()];
  unused_targets_.pop_back();
  target.settings.key = key;
  target.settings.concurrency = limits_.url_concurrency;
  target.is_url = is_url;
  target.deleted = !is_url;  // until a TargetPut says otherwise
  make_queue(target, kDefaultLane);
  return target.index;
}

TargetQueues::Queue& TargetQueues::make_queue(Target& target, LaneNumber lane) {
  if (in_line(Line::unused).empty()) {
    const auto index = static_cast<std::uint32_t>(queues_.size());
    CARILLON_CHECK(index < kQueuesMax);
    in_line(Line::unused).emplace_back().index = index;
    queues_.push_back(in_line(Line::unused).begin());
  }
  Queue& queue = in_line(Line::unused).front();
  queue.target = target.index;
  queue.lane = lane;
  queue.punctual = lists_.make();
  queue.overdue = lists_.make();
  queue.next = target.queue;
  target.queue = queue.index;
  stand(queue, Line::nothing);
  return queue;
}

TargetQueues::Queue& TargetQueues::queue_of(Target& target, LaneNumber lane) {
  for (std::uint32_t at = target.queue; at != kNoQueue; at = queues_[at]->next) {
    if (queues_[at]->lane == lane) return *queues_[at];
  }
  // One without tasks can be any lane's.
  Queue& first = *queues_[target.queue];
  if (first.users > 0) return make_queue(target, lane);
  first.lane = lane;
  return first;
}

/// One that has no task; not the last one of its target.
void TargetQueues::drop_queue(Queue& queue) {
  CARILLON_CHECK(queue.queued == 0 && queue.share.in_flight == 0);
  std::uint32_t* at = &targets_[queue.target].queue;
  while (*at != queue.index) at = &queues_[*at]->next;
  *at = queue.next;
  lists_.drop(queue.punctual);
  lists_.drop(queue.overdue);
  stand(queue, Line::unused);
  Queue fresh;
  fresh.index = queue.index;
  queue = fresh;
}

void TargetQueues::drop_if_unused(Target& target) {
  // A named one keeps its name until `remove`, also once it is marked.
  if (target.users > 0 || !target.settings.name.empty()) return;
  // While the log is read, a target that is held may be put only further on.
  if (target.hold.active()) return;
  CARILLON_CHECK(target.queued == 0 && target.in_flight == 0);
  by_key_.erase(target.settings.key);
  drop_queue(*queues_[target.queue]);
  if (last_ == target.index) last_ = kTargetsMax;
  Target fresh;
  fresh.index = target.index;
  target = std::move(fresh);
  unused_targets_.push_back(target.index);
}

std::uint32_t TargetQueues::add_user(const TargetKey& key, bool is_url, LaneNumber lane,
                                     bool unfinished) {
  Target& target = targets_[find_or_make(key, is_url)];
  Queue& queue = queue_of(target, lane);
  ++target.users;
  ++queue.users;
  if (!unfinished) return queue.index;
  ++target.unfinished;
  ++lanes_[lane].share.unfinished;
  lanes_in_use_ |= 1U << lane;
  // From now on slots may be set aside for it.
  if (++queue.share.unfinished == 1 && is_shared(target)) review(target);
  return queue.index;
}

void TargetQueues::finish_user(std::uint32_t index) {
  Queue& queue = *queues_[index];
  Target& target = targets_[queue.target];
  LaneShare& lane = lanes_[queue.lane].share;
  CARILLON_CHECK(target.unfinished > 0 && queue.share.unfinished > 0 && lane.unfinished > 0);
  --target.unfinished;
  if (--lane.unfinished == 0) lanes_in_use_ &= ~(1U << queue.lane);
  // What was set aside for it is free for the others.
  if (--queue.share.unfinished == 0 && is_shared(target)) review(target);
}

void TargetQueues::remove_user(std::uint32_t index, bool unfinished) {
  if (unfinished) finish_user(index);
  Queue& queue = *queues_[index];
  Target& target = targets_[queue.target];
  CARILLON_CHECK(queue.users > 0 && target.users > 0);
  --target.users;
  if (--queue.users == 0 && is_shared(target)) drop_queue(queue);
  if (target.users == 0) drop_if_unused(target);
}

void TargetQueues::put(const record::LanePut& settings) {
  lanes_.put(settings);
  for (Target& target : targets_) {
    if (target.queue != kNoQueue && is_shared(target)) review(target);
  }
}

bool TargetQueues::put(const record::TargetPut& settings) {
  Target& target = targets_[find_or_make(settings.key, /*is_url=*/false)];
  const bool existed = !target.settings.name.empty();
  target.settings = settings;
  target.rate.set(settings.rate, now_);
  target.rate_look = WallTime{};
  // One that is about to be deleted stays so: the record of that comes behind this one.
  if (!existed) target.deleted = false;
  review(target);
  return existed;
}

void TargetQueues::remove(const TargetKey& key) {
  const std::uint32_t index = find(key);
  if (index == kTargetsMax) return;
  Target& target = targets_[index];
  target.deleted = true;
  target.hold.release();
  const std::uint32_t concurrency = target.settings.concurrency;
  target.settings = record::TargetPut();
  target.settings.key = key;
  target.settings.concurrency = concurrency;
  target.rate.set({}, now_);
  review(target);
  drop_if_unused(target);
}

void TargetQueues::restore_hold(const record::TargetHold& hold, WallTime at) {
  targets_[find_or_make(hold.key, /*is_url=*/false)].hold.restore(hold, at);
}

void TargetQueues::release_hold(std::uint32_t index) {
  targets_[index].hold.release();
  review(targets_[index]);
}

bool TargetQueues::adopt_hold(std::uint32_t index, const record::TargetHold& hold) {
  Target& target = targets_[index];
  if (!target.hold.adopt(hold, now_)) return false;
  looks_.emplace(target.hold.until(), index);
  review(target);
  return true;
}

// --- What is due.

void TargetQueues::enqueue(EntryRef ref) {
  const Entry& entry = arena_[ref];
  Queue& queue = *queues_[entry.queue];
  Target& target = targets_[queue.target];
  const bool overdue = now_ - entry.due() > kOverdue;
  lists_.push_back(overdue ? queue.overdue : queue.punctual, ref, Place::queue);
  ++queue.queued;
  ++target.queued;
  ++lanes_[queue.lane].queued;
  ++queued_;
  if (queue.line < kTurn) review(target);
}

void TargetQueues::remove(EntryRef ref) {
  Queue& queue = *queues_[arena_[ref].queue];
  Target& target = targets_[queue.target];
  CARILLON_CHECK(arena_[ref].where() == Place::queue && queue.queued > 0);
  lists_.unlink(ref);
  --target.queued;
  --lanes_[queue.lane].queued;
  --queued_;
  if (--queue.queued > 0) return;
  line_up(queue, Line::nothing);
  if (is_shared(target)) review(target);
}

// --- Pushes.

/// What is overdue is paced also where another takes it along; what is not due yet leaves the
/// tokens of a rate to other lanes' tasks that are.
bool TargetQueues::may_go_along(EntryRef ref) {
  Queue& queue = *queues_[arena_[ref].queue];
  Target& target = targets_[queue.target];
  const WallTime due = arena_[ref].due();
  if (due > now_) return !target.rate.limits() || target.queued == queue.queued;
  if (now_ - due > kOverdue) {
    if (!has_allowance(target)) return false;
    if (target.allowance > 0) --target.allowance;
  }
  if (queue.turn_left > 0) --queue.turn_left;
  return true;
}

void TargetQueues::begin(EntryRef ref, bool mergeable) {
  const Entry& entry = arena_[ref];
  Queue& queue = *queues_[entry.queue];
  Target& target = targets_[queue.target];
  if (pushes_.open_to() == queue.index) {
    begun_.push_back(pushes_.join());
    LaneShare& lane = lanes_[queue.lane].share;
    const std::uint32_t weight = lanes_[queue.lane].settings.weight;
    if (joins_by_weight_.here) SharedLimit::join(weight, queue.share);
    if (joins_by_weight_.in_all) SharedLimit::join(weight, lane);
  } else {
    take_slot(target, queue);
    std::uint32_t tasks = target.settings.batch_tasks;
    if (tasks == 0 && mergeable && !target.settings.takes_one) tasks = MergeRule::kTasksMax;
    // What tries a target that is held goes alone.
    const std::uint32_t more = target.hold.active() ? 0 : tasks - 1;
    begun_.push_back(tasks == 0 ? 0 : pushes_.open(queue.index, more));
  }
  ++tasks_under_way_;
  target.rate.begin();
  rate_.begin();
  target.hold.fired(entry.number);
}

/// For a push of that queue, at its target and of the server's.
void TargetQueues::take_slot(Target& target, Queue& queue) {
  LaneState& lane = lanes_[queue.lane];
  joins_by_weight_ = {};
  if (is_shared(target)) {
    const Claims here = claims_at(target);
    joins_by_weight_.here = target.limit.begin(here.all(), here.find(queue.index), target.window(),
                                               is_throttled(target), queue.share);
  } else {
    ++queue.share.in_flight;
  }
  if (one_lane()) {
    ++lane.share.in_flight;
  } else {
    const Claims all = claims_of_lanes(/*behind_too=*/true);
    joins_by_weight_.in_all = limit_.begin(all.all(), all.find(queue.lane), limits_.in_flight_max,
                                           is_throttled(), lane.share);
  }
  ++target.in_flight;
  ++in_flight_;
}

PushNumber TargetQueues::started(std::uint32_t index, WallTime now) {
  const PushNumber push = begun_.front();
  begun_.pop_front();
  rate_.started(now);
  queues_[index]->pace.begun(now);
  Target& target = targets_[queues_[index]->target];
  target.rate.started(now);
  // As it is on its way no more, a time is known when others may begin.
  if (target.rate.limits() && target.queued > 0) review(target);
  return push;
}

TargetQueues::HoldChange TargetQueues::end(std::uint32_t index, TaskNumber number, PushNumber push,
                                           bool answered, const std::optional<Trouble>& trouble) {
  CARILLON_CHECK(tasks_under_way_ > 0);
  --tasks_under_way_;
  if (push != 0 && !pushes_.end(push)) return HoldChange::none;
  Queue& queue = *queues_[index];
  Target& target = targets_[queue.target];
  CARILLON_CHECK(target.in_flight > 0 && in_flight_ > 0 && queue.share.in_flight > 0);
  HoldChange change = HoldChange::none;
  if (!target.is_url && !target.deleted) {
    if (trouble && target.hold.in_trouble(number, *trouble)) {
      change = HoldChange::held;
      looks_.emplace(target.hold.until(), target.index);
    } else if (!trouble && target.hold.answered(number, target.settings.concurrency)) {
      change = HoldChange::released;
    }
  }
  --queue.share.in_flight;
  --lanes_[queue.lane].share.in_flight;
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
  // Empty from now on, whatever was set while the log was read.
  rate_ = Rate();
  rate_.set({.limit = limits_.pushes_per_second}, now);
  for (Target& target : targets_) {
    target.rate = Rate();
    target.rate.set(target.settings.rate, now);
    if (!target.hold.active()) continue;
    if (target.deleted) {
      target.hold.release();
      drop_if_unused(target);
    } else {
      target.hold.clock_set_back(now);  // if it was, while nobody ran or before the crash
      looks_.emplace(target.hold.until(), target.index);
    }
  }
}

void TargetQueues::tick(WallTime now) {
  now_ = now;
  while (!looks_.empty() && looks_.begin()->first <= now) {
    const std::uint32_t index = looks_.begin()->second;
    looks_.erase(looks_.begin());
    review(targets_[index]);
  }
  for (std::size_t paced = in_line(Line::allowance).size(); paced > 0; --paced) {
    if (in_line(Line::allowance).empty()) break;
    Queue& queue = in_line(Line::allowance).front();
    line_up(queue, Line::allowance);
    review(targets_[queue.target]);
  }
}

std::vector<EntryRef> TargetQueues::set_back(WallTime now) {
  now_ = now;
  rate_.clock_set_back(now);
  std::vector<EntryRef> early;
  for (Target& target : targets_) {
    target.rate.clock_set_back(now);
    target.rate_look = WallTime{};
    if (target.hold.active()) {
      target.hold.clock_set_back(now);
      looks_.emplace(target.hold.until(), target.index);
    }
    target.allowed_at = std::min(target.allowed_at, now);
    if (target.queued == 0) continue;
    // Looks were planned by the old time.
    looks_.emplace(now, target.index);
    for_each_queue(target, [&](Queue& queue) {
      queue.look_at = WallTime{};
      for (const ListId list : {queue.punctual, queue.overdue}) {
        for (EntryRef ref = lists_.first(list); ref != kNoEntry; ref = lists_.after(ref)) {
          if (arena_[ref].due() > now) early.push_back(ref);
        }
      }
    });
  }
  for (const EntryRef ref : early) remove(ref);
  return early;
}

std::optional<WallTime> TargetQueues::next_wakeup() const {
  std::optional<WallTime> next;
  if (!in_line(Line::allowance).empty()) next = now_ + kPaceInterval;
  const auto sooner = [&](WallTime moment) { next = std::min(next.value_or(moment), moment); };
  if (!looks_.empty()) sooner(looks_.begin()->first);
  if (in_flight_ < limits_.in_flight_max && !has_capacity() && next_line() != kLines) {
    if (const auto at = rate_.next(now_)) sooner(*at);
  }
  return next;
}

std::uint64_t TargetQueues::bytes() const {
  constexpr std::uint64_t kNode = 2 * sizeof(void*);
  return targets_.size() * sizeof(Target) +
         queues_.size() * (sizeof(Queue) + kNode + sizeof(Queues::iterator));
}

}  // namespace carillon
