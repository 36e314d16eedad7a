// What a queue waits for, and which is next.

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "shard/target_queues.h"

namespace carillon {
namespace {

constexpr std::uint16_t kTurnTasks = 256;     // of one queue, before the next of its lane
constexpr std::uint64_t kAnsweringShare = 4;  // 1/4 of the slots is for targets that answer,
constexpr std::uint64_t kFirstsShare = 8;     // half of that also for any target's only push

/// Whether a target that has `taken` of `most` slots, of which so many are free, may have another.
bool leaves_room(const TargetState& target, std::uint64_t taken, std::uint64_t most,
                 std::uint64_t free) {
  if (target.answers) return taken < free;
  if (taken == 0) return most / kFirstsShare < free;
  return 4 * taken + most / kAnsweringShare < free;
}

}  // namespace

/// Whether the target itself takes one more push.
bool TargetQueues::has_slot(const Target& target) const {
  return target.deleted || (!target.settings.paused && target.in_flight < target.window() &&
                            target.hold.admits(now_, target.in_flight));
}

/// Whether its rate lets one more begin. If not, it is looked at when it does.
bool TargetQueues::has_token(Target& target) {
  if (!target.rate.limits() || target.deleted || target.rate.allowed(now_) > 0) return true;
  if (target.rate_look > now_) return false;
  if (const auto at = target.rate.next(now_)) {
    target.rate_look = *at;
    looks_.emplace(*at, target.index);
  }
  return false;
}

/// Whether what is due waits for more to be pushed with. If so, it is looked at when that is over.
bool TargetQueues::gathers(const Target& target, Queue& queue) {
  const record::TargetPut& its = target.settings;
  if (its.batch_wait == Millis(0) || queue.queued >= its.batch_tasks || target.deleted)
    return false;
  if (!lists_.empty(queue.overdue) || target.hold.active()) return false;
  const EntryRef first = lists_.first(queue.punctual);
  if (first == kNoEntry) return false;
  const WallTime until = arena_[first].due() + its.batch_wait;
  if (until <= now_) return false;
  if (queue.look_at != until) looks_.emplace(until, target.index);
  queue.look_at = until;
  return true;
}

/// All pushes together carry no more than a server that has no batches would push at once, twice.
bool TargetQueues::may_join(std::uint32_t index) const {
  if (pushes_.open_to() != index) return false;
  const Target& target = targets_[queues_[index]->target];
  if (target.deleted || target.settings.paused || target.hold.active()) return false;
  if (tasks_under_way_ >= 2 * limits_.in_flight_max || !has_token()) return false;
  return !target.rate.limits() || target.rate.allowed(now_) > 0;
}

/// Whether the next of what is due joins the push that is open.
bool TargetQueues::next_may_join() const {
  const std::uint32_t open = pushes_.open_to();
  if (open == BatchedPushes::kNoQueue || !may_join(open)) return false;
  const Queue& queue = *queues_[open];
  const Target& target = targets_[queue.target];
  if (queue.queued == 0 || target.settings.batch_tasks == 0) return false;
  return !lists_.empty(queue.punctual) || target.allowance > 0 || limits_.catch_up_per_second == 0;
}

/// Whether what the others need lets it, too.
bool TargetQueues::has_room(const Target& target, const Queue& queue) const {
  if (target.deleted) return true;
  const std::uint64_t most = limits_.in_flight_max;
  if (leaves_room(target, target.in_flight, most, most - std::min(most, in_flight_))) return true;
  const LaneState& lane = lanes_[queue.lane];
  if (lane.settings.reserved == 0 || one_lane()) return false;
  const Claims all = claims_of_lanes(/*behind_too=*/false);
  const std::uint64_t its = all.claims[all.find(queue.lane)].set_aside;
  return leaves_room(target, queue.share.in_flight, its,
                     its - std::min<std::uint64_t>(its, lane.share.in_flight));
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

// --- Lanes.

std::size_t TargetQueues::Claims::find(std::uint32_t wanted) const {
  std::size_t at = 0;
  while (at < count && of[at] != wanted) ++at;
  CARILLON_CHECK(at < count);
  return at;
}

void TargetQueues::Claims::add(const LaneState& lane, const LaneShare& share, std::uint32_t its,
                               bool waits) {
  of[count] = its;
  claims[count++] = {.lane = lane.settings.number,
                     .share = &share,
                     .weight = lane.settings.weight,
                     .reserved = lane.settings.reserved,
                     .waits = waits};
}

/// The lanes that want a target's slots.
TargetQueues::Claims TargetQueues::claims_at(Target& target) {
  Claims here;
  for_each_queue(target, [&](Queue& queue) {
    if (queue.share.unfinished == 0) return;
    const bool waits = queue.queued > 0 && !gathers(target, queue) &&
                       (!lists_.empty(queue.punctual) || has_allowance(target));
    here.add(lanes_[queue.lane], queue.share, queue.index, waits);
  });
  SharedLimit::set_aside({here.claims.data(), here.count}, target.window());
  return here;
}

/// The lanes that want the server's slots. `behind_too`: also for targets at which another is next.
TargetQueues::Claims TargetQueues::claims_of_lanes(bool behind_too) const {
  Claims all;
  for (std::uint32_t lane = 0; lane < kLanesMax; ++lane) {
    if ((lanes_in_use_ >> lane & 1U) == 0) continue;
    const bool waits =
        !in_line(kTurn + lane).empty() || (behind_too && !in_line(kBehind + lane).empty());
    all.add(lanes_[lane], lanes_[lane].share, lane, waits);
  }
  SharedLimit::set_aside({all.claims.data(), all.count}, limits_.in_flight_max);
  return all;
}

/// The line of which the first queue is next; kLines: there is none.
std::size_t TargetQueues::next_line() const {
  if (lanes_in_use_ == 0) return kLines;
  if (one_lane()) {
    const std::size_t line = kTurn + static_cast<std::size_t>(std::countr_zero(lanes_in_use_));
    return in_line(line).empty() ? kLines : line;
  }
  for (const bool behind_too : {false, true}) {
    const Claims all = claims_of_lanes(behind_too);
    const std::size_t next =
        limit_.next(all.all(), limits_.in_flight_max, in_flight_, is_throttled());
    if (next == all.count) continue;
    const std::size_t lane = all.of[next];
    return in_line(kTurn + lane).empty() ? kBehind + lane : kTurn + lane;
  }
  return kLines;
}

// --- Lines.

/// Of a queue that its target lets go; `is_next`: before the target's others.
std::size_t TargetQueues::line_for(Target& target, Queue& queue, bool is_next) {
  if (queue.queued == 0 || gathers(target, queue)) return Line::nothing;
  if (!has_room(target, queue)) return target.answers ? Line::room_answering : Line::room;
  if (lists_.empty(queue.punctual) && !has_allowance(target)) return Line::allowance;
  return (is_next ? kTurn : kBehind) + queue.lane;
}

template <typename Visit>
void TargetQueues::for_each_line(Target& target, Visit&& visit) {
  const bool takes_more = target.queued > 0 && has_slot(target) && has_token(target);
  if (!takes_more) {
    return for_each_queue(target, [&](Queue& queue) { visit(queue, std::size_t{Line::nothing}); });
  }
  if (target.deleted || !is_shared(target)) {
    return for_each_queue(target,
                          [&](Queue& queue) { visit(queue, line_for(target, queue, true)); });
  }
  const Claims here = claims_at(target);
  const std::size_t next =
      target.limit.next(here.all(), target.window(), target.in_flight, is_throttled(target));
  for_each_queue(target, [&](Queue& queue) {
    if (queue.queued == 0) return visit(queue, std::size_t{Line::nothing});
    const std::size_t at = here.find(queue.index);
    const bool admitted = SharedLimit::admits(here.all(), at, target.window(), target.in_flight);
    visit(queue, admitted ? line_for(target, queue, at == next) : std::size_t{Line::nothing});
  });
}

/// To the end of that line.
void TargetQueues::line_up(Queue& queue, std::size_t line) {
  queue.turn_left = kTurnTasks;
  Queues& to = in_line(line);
  to.splice(to.end(), in_line(queue.line), queues_[queue.index]);
  queue.line = static_cast<std::uint8_t>(line);
}

/// Moves it to that line, unless it stands there. One whose turn was cut short because another lane
/// was next at its target takes it up where it was.
void TargetQueues::stand(Queue& queue, std::size_t line) {
  if (line == queue.line) return;
  const bool enters = line >= kTurn && queue.line < kTurn;
  if (enters) {
    targets_[queue.target].limit.enter(queue.share);
    if (in_line(kTurn + queue.lane).empty() && in_line(kBehind + queue.lane).empty()) {
      limit_.enter(lanes_[queue.lane].share);
    }
  }
  const std::uint16_t left = queue.turn_left;
  line_up(queue, line);
  if (enters || line < kTurn || left == 0 || left == kTurnTasks) return;
  queue.turn_left = left;
  if (line < kBehind)
    in_line(line).splice(in_line(line).begin(), in_line(line), queues_[queue.index]);
}

/// Something about the target has changed.
void TargetQueues::review(Target& target) {
  if (target.queue == kNoQueue) return;
  for_each_line(target, [&](Queue& queue, std::size_t line) { stand(queue, line); });
}

/// For one queue of each kind that waits for room.
void TargetQueues::look_for_room() {
  for (const Line line : {Line::room, Line::room_answering}) {
    if (in_line(line).empty()) continue;
    Queue& queue = in_line(line).front();
    line_up(queue, line);
    review(targets_[queue.target]);
  }
}

// --- Who is next.

EntryRef TargetQueues::next() {
  if (const std::uint32_t open = pushes_.open_to(); open != BatchedPushes::kNoQueue) {
    if (next_may_join()) return take(*queues_[open]);
    // Others of that queue need a push of their own.
    if (queues_[open]->queued > 0) pushes_.close();
  }
  while (has_capacity()) {
    const std::size_t line = next_line();
    if (line == kLines) {
      if (!has_next()) return kNoEntry;
      // No push is left whose end would have the others look for room.
      look_for_room();
      continue;
    }
    Queue& queue = in_line(line).front();
    review(targets_[queue.target]);
    if (queue.line != line) continue;
    if (queue.turn_left > 0) return take(queue);
    line_up(queue, line);
  }
  return kNoEntry;
}

EntryRef TargetQueues::take(Queue& queue) {
  if (queue.turn_left > 0) --queue.turn_left;
  EntryRef ref = lists_.first(queue.punctual);
  if (ref == kNoEntry) {
    ref = lists_.first(queue.overdue);
    Target& target = targets_[queue.target];
    if (target.allowance > 0) --target.allowance;
  }
  remove(ref);
  return ref;
}

bool TargetQueues::has_next() const {
  if (next_may_join()) return true;
  if (!has_capacity()) return false;
  if (next_line() != kLines) return true;
  return in_flight_ == 0 &&
         (!in_line(Line::room).empty() || !in_line(Line::room_answering).empty());
}

void TargetQueues::check_invariants() {
  std::uint64_t queued = 0;
  std::uint64_t in_flight = 0;
  std::array<LaneShare, kLanesMax> lanes{};
  for (std::uint32_t index = 0; index < targets_.size(); ++index) {
    Target& target = targets_[index];
    CARILLON_CHECK(target.index == index);
    queued += target.queued;
    in_flight += target.in_flight;
    if (target.queue == kNoQueue) continue;
    CARILLON_CHECK(find(target.settings.key) == index);
    std::uint32_t users = 0;
    std::uint32_t unfinished = 0;
    std::uint32_t here = 0;
    for_each_line(target, [&](const Queue& queue, std::size_t line) {
      const bool empty = lists_.empty(queue.punctual) && lists_.empty(queue.overdue);
      CARILLON_CHECK(queue.target == index && empty == (queue.queued == 0));
      // One that stands in line for a turn or for room finds out late that it may not go, and one
      // whose rate lets a few go may wait for more.
      const bool is_planned = target.rate.limits() && target.rate_look > now_;
      CARILLON_CHECK(line == Line::nothing || queue.line != Line::nothing || is_planned);
      CARILLON_CHECK(!empty || queue.line == Line::nothing);
      users += queue.users;
      unfinished += queue.share.unfinished;
      here += queue.share.in_flight;
      lanes[queue.lane].unfinished += queue.share.unfinished;
      lanes[queue.lane].in_flight += queue.share.in_flight;
    });
    CARILLON_CHECK(users == target.users && unfinished == target.unfinished);
    CARILLON_CHECK(here == target.in_flight);
  }
  CARILLON_CHECK(queued == queued_ && in_flight == in_flight_);
  for (std::uint32_t lane = 0; lane < kLanesMax; ++lane) {
    CARILLON_CHECK(lanes[lane].unfinished == lanes_[lane].share.unfinished);
    CARILLON_CHECK(lanes[lane].in_flight == lanes_[lane].share.in_flight);
    CARILLON_CHECK((lanes_in_use_ >> lane & 1U) == (lanes[lane].unfinished > 0 ? 1U : 0U));
  }
}

}  // namespace carillon
