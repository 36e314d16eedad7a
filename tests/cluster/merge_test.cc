#include "cluster/merge.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

ShardStats told_by(const std::string& node, std::uint64_t resident, std::uint64_t in_flight) {
  ShardStats told;
  told.node = node;
  told.stats.memory_resident_bytes = resident;
  told.stats.delivery.in_flight = in_flight;
  told.stats.log.free_bytes = 100 * resident;
  told.stats.backlog = 1;
  return told;
}

TEST(MergeStats, WhatIsOfAProcessIsCountedOncePerNode) {
  const std::vector<ShardStats> all = {told_by("a", 100, 7), told_by("a", 101, 7),
                                       told_by("b", 50, 2)};
  const Stats sum = merge_stats(all, WallTime(Millis(17)));
  EXPECT_EQ(sum.memory_resident_bytes, 151U);
  EXPECT_EQ(sum.delivery.in_flight, 9U);
  EXPECT_EQ(sum.log.free_bytes, 5000U) << "of the fullest disk";
  EXPECT_EQ(sum.backlog, 3U);
  EXPECT_EQ(sum.now, WallTime(Millis(17)));
}

TEST(MergeStats, TheOldestOfAllIsTheOldest) {
  std::vector<ShardStats> all(3);
  EXPECT_FALSE(merge_stats(all, {}).oldest_overdue);
  all[1].stats.oldest_overdue = Millis(20);
  all[2].stats.oldest_overdue = Millis(10);
  EXPECT_EQ(merge_stats(all, {}).oldest_overdue, Millis(20));
}

TEST(MergeStats, LanesAreAddedByName) {
  std::vector<ShardStats> all(2);
  all[0].stats.lanes.resize(2);
  all[0].stats.lanes[0].name = "default";
  all[0].stats.lanes[1].name = "bulk";
  all[0].stats.lanes[1].waiting = 3;
  all[1].stats.lanes.resize(1);
  all[1].stats.lanes[0].name = "bulk";
  all[1].stats.lanes[0].waiting = 4;
  all[1].stats.lanes[0].lateness.record(std::chrono::microseconds(5));
  const Stats sum = merge_stats(all, {});
  ASSERT_EQ(sum.lanes.size(), 2U);
  EXPECT_EQ(sum.lanes[1].waiting, 7U);
  EXPECT_EQ(sum.lanes[1].lateness.count(), 1U);
}

TEST(MergeTargets, ATargetIsHeldUntilTheLastShardSaysSo) {
  TargetCounts sum;
  TargetCounts more;
  more.waiting = 2;
  more.held = {.until = WallTime(Millis(20)), .since = {}, .reason = HoldReason::unavailable};
  add_counts(sum, more);
  more.held->until = WallTime(Millis(10));
  add_counts(sum, more);
  more.held.reset();
  add_counts(sum, more);
  EXPECT_EQ(sum.waiting, 6U);
  ASSERT_TRUE(sum.held);
  EXPECT_EQ(sum.held->until, WallTime(Millis(20)));
}

TEST(MergeGroups, FirstAndLastDueAreOfAll) {
  GroupView sum;
  GroupView more;
  add_group(sum, more);
  EXPECT_FALSE(sum.earliest_due);
  more.earliest_due = WallTime(Millis(5));
  more.latest_due = WallTime(Millis(6));
  add_group(sum, more);
  more.earliest_due = WallTime(Millis(4));
  more.latest_due = WallTime(Millis(5));
  more.counts[0] = 2;
  add_group(sum, more);
  EXPECT_EQ(sum.earliest_due, WallTime(Millis(4)));
  EXPECT_EQ(sum.latest_due, WallTime(Millis(6)));
  EXPECT_EQ(sum.counts[0], 2U);
}

TEST(MergeCounters, EachIsASum) {
  EngineCounters sum;
  EngineCounters more;
  more.added = 1;
  more.operations = 2;
  more.lane_lateness[1].record(std::chrono::microseconds(5));
  add_counters(sum, more);
  add_counters(sum, more);
  EXPECT_EQ(sum.added, 2U);
  EXPECT_EQ(sum.operations, 4U);
  EXPECT_EQ(sum.lane_lateness[1].count(), 2U);
}

TEST(MergeForecasts, BucketsAreAddedByTheirBegin) {
  const auto at = [](int ms) { return WallTime(Millis(ms)); };
  const std::vector<std::vector<ForecastBucket>> all = {{{at(0), 1}, {at(20), 2}},
                                                        {{at(10), 3}, {at(20), 4}}};
  const auto sum = merge_forecasts(all);
  ASSERT_EQ(sum.size(), 3U);
  EXPECT_EQ(sum[1].from, at(10));
  EXPECT_EQ(sum[2].tasks, 6U);
}

TEST(MergeWheels, LevelsAreAdded) {
  const std::vector<std::vector<WheelLevel>> all(3, {{Millis(1), 512, 2, 5}, {Millis(256), 512}});
  const auto sum = merge_wheels(all);
  ASSERT_EQ(sum.size(), 2U);
  EXPECT_EQ(sum[0].slot_width, Millis(1));
  EXPECT_EQ(sum[0].slots, 1536U);
  EXPECT_EQ(sum[0].occupied, 6U);
  EXPECT_EQ(sum[0].tasks, 15U);
}

}  // namespace
}  // namespace carillon
