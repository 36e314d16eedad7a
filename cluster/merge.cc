#include "cluster/merge.h"

#include <algorithm>
#include <map>

namespace carillon {
namespace {

void add_delivery(DeliveryStats& sum, const DeliveryStats& more) {
  sum.in_flight += more.in_flight;
  sum.connections_open += more.connections_open;
  sum.connections_made += more.connections_made;
  sum.connections_reused += more.connections_reused;
}

/// Of a disk that several shards may have in common.
void add_log(LogStats& sum, const LogStats& more, bool is_first) {
  sum.free_bytes = is_first ? more.free_bytes : std::min(sum.free_bytes, more.free_bytes);
  sum.log_bytes += more.log_bytes;
  sum.disk_bytes += more.disk_bytes;
  sum.commits += more.commits;
  sum.commit_bytes += more.commit_bytes;
  sum.memory_bytes += more.memory_bytes;
  sum.low_on_space = sum.low_on_space || more.low_on_space;
  sum.short_of_space = sum.short_of_space || more.short_of_space;
}

void add_shard(Stats& sum, const Stats& more) {
  for (std::size_t i = 0; i < sum.counts.size(); ++i) sum.counts[i] += more.counts[i];
  sum.backlog += more.backlog;
  if (more.oldest_overdue)
    sum.oldest_overdue = std::max(sum.oldest_overdue.value_or(Millis(0)), *more.oldest_overdue);
  sum.lateness.merge(more.lateness);
  sum.memory_tasks_bytes += more.memory_tasks_bytes;
  sum.memory_content_bytes += more.memory_content_bytes;
  sum.last_sequence += more.last_sequence;
  sum.pending_max += more.pending_max;
  sum.retained_max += more.retained_max;
  add_lanes(sum.lanes, more.lanes);
}

}  // namespace

void add_counts(TargetCounts& sum, const TargetCounts& more) {
  sum.waiting += more.waiting;
  sum.backlog += more.backlog;
  sum.in_flight += more.in_flight;
  if (more.held && (!sum.held || sum.held->until < more.held->until)) sum.held = more.held;
}

void add_lane(LaneView& sum, const LaneView& more) {
  sum.waiting += more.waiting;
  sum.backlog += more.backlog;
  sum.in_flight += more.in_flight;
  sum.lateness.merge(more.lateness);
}

void add_lanes(std::vector<LaneView>& sum, const std::vector<LaneView>& more) {
  for (const LaneView& lane : more) {
    const auto found = std::ranges::find(sum, lane.name, &LaneView::name);
    if (found == sum.end()) {
      sum.push_back(lane);
    } else {
      add_lane(*found, lane);
    }
  }
}

void add_group(GroupView& sum, const GroupView& more) {
  for (std::size_t i = 0; i < sum.counts.size(); ++i) sum.counts[i] += more.counts[i];
  if (more.earliest_due)
    sum.earliest_due = std::min(sum.earliest_due.value_or(*more.earliest_due), *more.earliest_due);
  if (more.latest_due)
    sum.latest_due = std::max(sum.latest_due.value_or(*more.latest_due), *more.latest_due);
}

void add_counters(EngineCounters& sum, const EngineCounters& more) {
  const auto add = [&](std::uint64_t EngineCounters::* counter) { sum.*counter += more.*counter; };
  for (const auto counter :
       {&EngineCounters::added, &EngineCounters::replaced, &EngineCounters::changed,
        &EngineCounters::cancelled, &EngineCounters::fired, &EngineCounters::delivered,
        &EngineCounters::retried, &EngineCounters::died, &EngineCounters::expired,
        &EngineCounters::redriven, &EngineCounters::clock_steps,
        &EngineCounters::refused_overloaded, &EngineCounters::refused_full,
        &EngineCounters::refused_no_space, &EngineCounters::throttled, &EngineCounters::repeated,
        &EngineCounters::operations})
    add(counter);
  for (std::size_t i = 0; i < sum.holds.size(); ++i) sum.holds[i] += more.holds[i];
  sum.commit_time.merge(more.commit_time);
  sum.lateness.merge(more.lateness);
  for (const auto& [lane, lateness] : more.lane_lateness) sum.lane_lateness[lane].merge(lateness);
}

Stats merge_stats(std::span<const ShardStats> all, WallTime now) {
  struct Node {
    std::uint64_t resident_bytes = 0;
    DeliveryStats delivery;
  };
  Stats sum;
  sum.now = now;
  std::map<std::string, Node> nodes;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Stats& stats = all[i].stats;
    add_shard(sum, stats);
    add_log(sum.log, stats.log, i == 0);
    Node& node = nodes[all[i].node];
    node.resident_bytes = std::max(node.resident_bytes, stats.memory_resident_bytes);
    // The latest that it told.
    if (stats.delivery.connections_made >= node.delivery.connections_made)
      node.delivery = stats.delivery;
  }
  for (const auto& [name, node] : nodes) {
    sum.memory_resident_bytes += node.resident_bytes;
    add_delivery(sum.delivery, node.delivery);
  }
  return sum;
}

std::vector<WheelLevel> merge_wheels(std::span<const std::vector<WheelLevel>> all) {
  std::vector<WheelLevel> sum;
  for (const std::vector<WheelLevel>& levels : all) {
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (i == sum.size()) {
        sum.push_back(levels[i]);
        continue;
      }
      sum[i].slots += levels[i].slots;
      sum[i].occupied += levels[i].occupied;
      sum[i].tasks += levels[i].tasks;
    }
  }
  return sum;
}

std::vector<ForecastBucket> merge_forecasts(std::span<const std::vector<ForecastBucket>> all) {
  std::map<WallTime, std::uint64_t> counted;
  for (const std::vector<ForecastBucket>& buckets : all) {
    for (const ForecastBucket& bucket : buckets) counted[bucket.from] += bucket.tasks;
  }
  std::vector<ForecastBucket> sum;
  for (const auto& [from, tasks] : counted) sum.push_back({from, tasks});
  return sum;
}

}  // namespace carillon
