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

}  // namespace

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
  for_each_queue(target, [&](const Queue& queue) {
    if (queue.share.unfinished == 0) return;
    const bool waits = queue.queued > 0 && (!lists_.empty(queue.punctual) || has_allowance(target));
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
    const std::size_t next = limit_.next(all.all(), limits_.in_flight_max, in_flight_);
    if (next == all.count) continue;
    const std::size_t lane = all.of[next];
    return in_line(kTurn + lane).empty() ? kBehind + lane : kTurn + lane;
  }
  return kLines;
}

// --- Lines.

std::size_t TargetQueues::line_for(Target& target, const Queue& queue) {
  if (queue.queued == 0 || !has_slot(target)) return Line::nothing;
  bool is_next = true;
  if (!target.deleted && is_shared(target)) {
    const Claims here = claims_at(target);
    const std::size_t at = here.find(queue.index);
    if (!SharedLimit::admits(here.all(), at, target.window(), target.in_flight)) {
      return Line::nothing;
    }
    is_next = target.limit.next(here.all(), target.window(), target.in_flight) == at;
  }
  if (!has_room(target)) return target.answers ? Line::room_answering : Line::room;
  if (lists_.empty(queue.punctual) && !has_allowance(target)) return Line::allowance;
  return (is_next ? kTurn : kBehind) + queue.lane;
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
  for_each_queue(target, [&](Queue& queue) { stand(queue, line_for(target, queue)); });
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
  while (in_flight_ < limits_.in_flight_max) {
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
  --queue.turn_left;
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
  if (in_flight_ >= limits_.in_flight_max) return false;
  if (next_line() != kLines) return true;
  return in_flight_ == 0 &&
         (!in_line(Line::room).empty() || !in_line(Line::room_answering).empty());
}

}  // namespace carillon
