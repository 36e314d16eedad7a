// Queues of targets without a shard around them: tasks are entries of an arena, and the test says
// when pushes end.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "shard/target_queues.h"

namespace carillon {

class QueuesFixture : public testing::Test {
 protected:
  /// Begins anew, under `limits`.
  void reset() {
    queues.emplace(arena, lists, limits);
    queues->start(now);
  }
  static TargetKey key(std::uint64_t target) { return {target, 1}; }
  void put(std::uint64_t target, std::uint32_t concurrency, bool paused = false,
           const RateLimit& rate = {}) {
    queues->put(record::TargetPut{key(target), "t" + std::to_string(target), concurrency, paused,
                                  "", rate});
  }
  /// A task for that target, which is not queued yet.
  EntryRef make(std::uint64_t target, LaneNumber lane, bool is_url = false) {
    const EntryRef ref = arena.allocate();
    arena[ref].number = ++last_number & 0xffff'ffff;
    arena[ref].queue =
        queues->add_user(key(target), is_url, lane, /*unfinished=*/true) & (kQueuesMax - 1);
    return ref;
  }
  /// One that is due since `late`.
  EntryRef enqueue(std::uint64_t target, LaneNumber lane, Millis late, bool is_url = false) {
    const EntryRef ref = make(target, lane, is_url);
    arena[ref].set_due(now - late);
    queues->enqueue(ref);
    return ref;
  }
  /// The task is over and forgotten.
  void forget(EntryRef ref) {
    queues->remove_user(static_cast<std::uint32_t>(arena[ref].queue), /*unfinished=*/true);
    arena.free(ref);
  }

  WallTime now{std::chrono::hours(24 * 365 * 50)};
  Arena arena;
  Lists lists{arena, 0};
  TargetLimits limits;
  std::optional<TargetQueues> queues;
  std::uint64_t last_number = 0;
};

}  // namespace carillon
