// What the shards of a cluster tell, made into one.
//
// Operation: sums, but for what is of a whole process, which each of its shards tells: memory that
// is resident, deliveries, and the free space of its disk.
//
// Concurrency: pure functions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/requests.h"
#include "wheel/wheel.h"

namespace carillon {

void add_counts(TargetCounts& sum, const TargetCounts& more);
void add_lane(LaneView& sum, const LaneView& more);
/// Adds them by name.
void add_lanes(std::vector<LaneView>& sum, const std::vector<LaneView>& more);
void add_group(GroupView& sum, const GroupView& more);
void add_counters(EngineCounters& sum, const EngineCounters& more);

struct ShardStats {
  Stats stats;
  std::string node;  // that told them
};
[[nodiscard]] Stats merge_stats(std::span<const ShardStats> all, WallTime now);
[[nodiscard]] std::vector<WheelLevel> merge_wheels(std::span<const std::vector<WheelLevel>> all);
[[nodiscard]] std::vector<ForecastBucket> merge_forecasts(
    std::span<const std::vector<ForecastBucket>> all);

}  // namespace carillon
