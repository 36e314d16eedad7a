// Why a due task has not been pushed yet.

#include <algorithm>

#include "shard/target_queues.h"

namespace carillon {

std::optional<WallTime> TargetQueues::oldest() const {
  std::optional<WallTime> oldest;
  if (queued_ == 0) return oldest;
  for (const auto& queue : queues_) {
    if (queue->queued == 0) continue;
    for (const ListId list : {queue->punctual, queue->overdue}) {
      const EntryRef ref = lists_.first(list);
      if (ref != kNoEntry) oldest = std::min(oldest.value_or(arena_[ref].due()), arena_[ref].due());
    }
  }
  return oldest;
}

Waiting TargetQueues::waiting(EntryRef ref) {
  Queue& queue = *queues_[arena_[ref].queue];
  Target& target = targets_[queue.target];
  Waiting waiting;
  waiting.what = waits_for(target, queue);
  waiting.ahead = count_before(ref, queue);
  if (target.hold.active() || target.hold.ramping()) waiting.hold_reason = target.hold.reason();
  if (waiting.what == WaitsFor::target_held && target.hold.until() > now_) {
    waiting.until = target.hold.until();
  } else if (waiting.what == WaitsFor::target_rate) {
    waiting.until = rate_reaches(target, queue, waiting.ahead);
  } else if (waiting.what == WaitsFor::batch) {
    waiting.until = queue.look_at;
  } else if (waiting.what == WaitsFor::target_concurrency || waiting.what == WaitsFor::lane ||
             waiting.what == WaitsFor::capacity || waiting.what == WaitsFor::catch_up) {
    waiting.until = queue.pace.reaches(waiting.ahead, now_);
  }
  return waiting;
}

WaitsFor TargetQueues::waits_for(Target& target, Queue& queue) {
  if (target.deleted) return WaitsFor::commit;
  if (target.settings.paused) return WaitsFor::target_paused;
  if (!target.hold.admits(now_, target.in_flight)) return WaitsFor::target_held;
  if (target.in_flight >= target.window()) return WaitsFor::target_concurrency;
  if (!has_token(target)) return WaitsFor::target_rate;
  if (gathers(target, queue)) return WaitsFor::batch;
  switch (queue.line) {
    case Line::nothing:
      return WaitsFor::lane;
    case Line::room:
    case Line::room_answering:
      return WaitsFor::capacity;
    case Line::allowance:
      return WaitsFor::catch_up;
    default:
      break;
  }
  if (!has_capacity()) return WaitsFor::capacity;
  return queue.line >= kBehind ? WaitsFor::lane : WaitsFor::commit;
}

std::uint64_t TargetQueues::count_before(EntryRef ref, const Queue& queue) const {
  constexpr std::uint64_t kMost = 20'000;
  std::uint64_t before = 0;
  EntryRef first = ref;
  for (EntryRef its = lists_.before(ref); its != kNoEntry && before < kMost; ++before) {
    first = its;
    its = lists_.before(its);
  }
  // What is punctual goes before what is overdue.
  if (first != lists_.first(queue.overdue)) return before;
  EntryRef its = lists_.first(queue.punctual);
  for (; its != kNoEntry && before < kMost; ++before) its = lists_.after(its);
  return before;
}

/// When its rate will have let so many of the queue begin and one more, if all goes on as it is.
WallTime TargetQueues::rate_reaches(Target& target, const Queue& queue, std::uint64_t ahead) {
  double share = 1;
  if (is_shared(target)) {
    const Claims here = claims_at(target);
    std::uint32_t reserved = 0;
    std::uint32_t weights = 0;
    for (const LaneClaim& claim : here.all()) {
      if (!claim.waits) continue;
      reserved += claim.reserved;
      weights += claim.weight;
    }
    const record::LanePut& lane = lanes_[queue.lane].settings;
    const double rest = 1 - static_cast<double>(reserved) / kLaneWhole;
    share = static_cast<double>(lane.reserved) / kLaneWhole + rest * lane.weight / weights;
  }
  const RateLimit& rate = target.rate.limit();
  const double pause_ms = static_cast<double>(ahead + 1) * static_cast<double>(rate.per.count()) /
                          (static_cast<double>(rate.limit) * share);
  return now_ + Millis(static_cast<std::int64_t>(pause_ms));
}

}  // namespace carillon
