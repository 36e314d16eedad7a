// Queues of targets that lanes share: what tests of lanes and of rates begin with.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/shard/queues_fixture.h"

namespace carillon {

class LanesFixture : public QueuesFixture {
 protected:
  LanesFixture() { reset(1000); }

  void reset(std::uint64_t in_flight_max) {
    limits.in_flight_max = in_flight_max;
    limits.catch_up_per_second = 0;
    QueuesFixture::reset();
  }
  void put_lane(LaneNumber lane, std::uint32_t weight, std::uint32_t reserved) {
    queues->put(record::LanePut{lane, "lane" + std::to_string(lane), weight, reserved});
  }
  EntryRef enqueue(std::uint64_t target, LaneNumber lane, Millis late = Millis(0)) {
    return QueuesFixture::enqueue(target, lane, late);
  }
  [[nodiscard]] LaneNumber lane_of(EntryRef ref) { return queues->lane_of(arena[ref].queue); }
  /// The next one; its push begins and starts.
  EntryRef fire_one() {
    const EntryRef ref = queues->next();
    if (ref == kNoEntry) return ref;
    queues->begin(ref);
    queues->started(static_cast<std::uint32_t>(arena[ref].queue), now);
    return ref;
  }
  void end(EntryRef ref) {
    static_cast<void>(queues->end(static_cast<std::uint32_t>(arena[ref].queue), arena[ref].number,
                                  /*push=*/0, true, std::nullopt));
    forget(ref);
  }
  /// Has so many pushes begin, the oldest ending whenever none may; calls `begun` with the lane of
  /// each. How many began of each lane.
  template <typename Begun>
  std::array<std::uint64_t, kLanesMax> begin_pushes(std::uint64_t pushes, const Begun& begun) {
    std::array<std::uint64_t, kLanesMax> counts{};
    std::vector<EntryRef> under_way;
    std::size_t oldest = 0;
    while (under_way.size() < pushes) {
      const EntryRef ref = fire_one();
      if (ref == kNoEntry) {
        end(under_way[oldest++]);
        continue;
      }
      ++counts[lane_of(ref)];
      begun(lane_of(ref));
      under_way.push_back(ref);
    }
    return counts;
  }
  /// The same, while three tasks are due in each of these lanes of target 1 all the time.
  std::array<std::uint64_t, kLanesMax> saturate(const std::vector<LaneNumber>& lanes,
                                                std::uint64_t pushes) {
    for (const LaneNumber lane : lanes) {
      for (int i = 0; i < 3; ++i) enqueue(1, lane);
    }
    const auto counts = begin_pushes(pushes, [this](LaneNumber lane) { enqueue(1, lane); });
    queues->check_invariants();
    return counts;
  }
};

}  // namespace carillon
