// The key figures of the last 24 hours, so that a chart has a past without anything beside the
// server.
//
// Operation: every ten seconds the figures are handed in as they stand (`take`). A point holds what
// came to pass since the one before, from the difference of the counters, and what stood at its
// end. Counters that went back, as they do where a node gave a shard away, count from nothing.
// Where a longer step is asked for, points are put together: what came to pass is added up, and of
// lateness, backlog and pushes under way the largest is told.
//
// Memory: some 110 bytes a point, under 1 MiB for a day. Concurrency: any thread. Limitations:
// nothing survives a restart; where the clock is set back, points that would lie ahead are dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "base/time.h"
#include "engine/requests.h"

namespace carillon {

class History {
 public:
  static constexpr Millis kStep = std::chrono::seconds(10);
  static constexpr std::size_t kPointsMax = 24 * 360;

  /// Percentiles of a push's start minus its due; all 0 where there was no push.
  struct Lateness {
    Histogram::Micros p50{}, p99{}, p999{};
  };
  struct Point {
    WallTime at{};  // its end
    // What came to pass.
    std::uint64_t added = 0, cancelled = 0, fired = 0, delivered = 0, retried = 0, died = 0,
                  expired = 0;
    Lateness lateness;
    Histogram::Micros commit_p99{};
    // What stood.
    std::uint64_t pending = 0;  // scheduled, firing and retrying
    std::uint64_t dead = 0;
    std::uint64_t backlog = 0;
    std::uint64_t in_flight = 0;
    Millis oldest_overdue{};
  };

  /// The figures as they stand; the point that they make.
  Point take(const Stats& stats, const EngineCounters& counters);
  /// Those that end in (from, to], in order, put together by `step`, which is at least kStep. The
  /// `at` of each is then the beginning of its step.
  [[nodiscard]] std::vector<Point> points(WallTime from, WallTime to, Millis step) const;

 private:
  mutable std::mutex mutex_;
  std::deque<Point> points_;
  EngineCounters before_;  // but for what no point needs
};

}  // namespace carillon
