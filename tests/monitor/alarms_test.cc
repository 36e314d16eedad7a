#include "monitor/alarms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class AlarmsTest : public testing::Test {
 protected:
  /// Names of what opened ("+overdue") and closed ("-overdue"), ten seconds later.
  std::vector<std::string> look() {
    now += seconds(10);
    seen.point.at = now;
    std::vector<std::string> changes;
    for (const Alarms::Change& change : alarms.look(seen, limits)) {
      const Alarm& its = change.alarm;
      EXPECT_THAT(kAlarmNames, testing::Contains(its.name));
      changes.push_back((change.opened ? "+" : "-") + its.name +
                        (its.of.empty() ? "" : " " + its.of));
    }
    return changes;
  }
  /// Looks so many times; at which something changed, from 1, and what.
  std::vector<std::string> look(int times) {
    std::vector<std::string> changes;
    for (int i = 1; i <= times; ++i) {
      for (const std::string& change : look()) changes.push_back(std::to_string(i) + change);
    }
    return changes;
  }
  std::string detail() { return alarms.open().at(0).detail; }

  AlarmLimits limits;
  Alarms alarms;
  WallTime now{hours(500'000)};
  Stats stats;
  Seen seen{
      .point = {}, .stats = stats, .clock_steps = 0, .held = {}, .busiest = {}, .cluster = {}};
};

TEST_F(AlarmsTest, NothingIsWrong) {
  stats.pending_max = 100;
  seen.point.pending = 80;
  seen.point.oldest_overdue = minutes(1);
  seen.point.lateness.p99 = seconds(1);
  EXPECT_THAT(look(30), IsEmpty());
  EXPECT_THAT(alarms.open(), IsEmpty());
}

TEST_F(AlarmsTest, OverdueOpensAtOnceAndClosesAfterAMinuteOfCalm) {
  seen.point.oldest_overdue = seconds(61);
  seen.point.backlog = 12;
  EXPECT_THAT(look(), ElementsAre("+overdue"));
  EXPECT_EQ(alarms.open().at(0).since, now);
  EXPECT_THAT(detail(), HasSubstr("12 tasks"));
  EXPECT_THAT(look(5), IsEmpty()) << "it is told once";
  seen.point.oldest_overdue = Millis(0);
  EXPECT_THAT(look(10), ElementsAre("7-overdue"));
  EXPECT_THAT(alarms.open(), IsEmpty());
}

TEST_F(AlarmsTest, LatenessHasToLastAMinute) {
  seen.point.lateness.p99 = seconds(2);
  EXPECT_THAT(look(10), ElementsAre("7+late"));
  EXPECT_THAT(detail(), HasSubstr("2000 ms"));
}

TEST_F(AlarmsTest, WhatComesAndGoesDoesNotFlap) {
  for (int i = 0; i < 20; ++i) {
    seen.point.lateness.p99 = seconds(i % 3 == 0 ? 0 : 2);
    EXPECT_THAT(look(), IsEmpty()) << "never for a whole minute";
  }
  seen.point.lateness.p99 = seconds(2);
  look(7);
  ASSERT_THAT(alarms.open(), SizeIs(1));
  for (int i = 0; i < 20; ++i) {
    seen.point.lateness.p99 = seconds(i % 3 == 0 ? 2 : 0);
    EXPECT_THAT(look(), IsEmpty()) << "it stays open";
  }
}

TEST_F(AlarmsTest, ATargetThatIsHeldForLongIsNamed) {
  seen.held["shop"] = {
      .until = now + minutes(1), .since = now - minutes(4), .reason = HoldReason::unavailable};
  EXPECT_THAT(look(7), ElementsAre("6+target_held shop"));
  seen.held["mail"] = {.until = now, .since = now - hours(1), .reason = HoldReason::unavailable};
  EXPECT_THAT(look(), ElementsAre("+target_held mail"));
  seen.held.clear();
  EXPECT_THAT(look(7), ElementsAre("7-target_held mail", "7-target_held shop"));
}

TEST_F(AlarmsTest, AHerdIsToldBeforeItComes) {
  limits.forecast_per_second = 100;
  seen.busiest = ForecastBucket{now + minutes(30), 6000};
  EXPECT_THAT(look(), IsEmpty());
  seen.busiest->tasks = 200'000;
  EXPECT_THAT(look(), ElementsAre("+capacity"));
  EXPECT_THAT(detail(), HasSubstr("200000 tasks fall due in the minute from"));
}

TEST_F(AlarmsTest, TheServersOwn) {
  stats.pending_max = 100;
  seen.point.pending = 80;
  seen.point.dead = 1;
  stats.log.low_on_space = true;
  seen.point.commit_p99 = seconds(3);
  EXPECT_THAT(look(7),
              ElementsAre("1+dead_letters", "1+low_on_space", "1+nearly_full", "7+slow_commits"));
  seen.clock_steps = 3;
  EXPECT_THAT(look(10), ElementsAre("1+clock_stepped", "8-clock_stepped"));
}

TEST_F(AlarmsTest, TheClusters) {
  ClusterView& view = seen.cluster.emplace();
  view.node = "a";
  view.nodes.resize(3);
  view.nodes[0] = {.name = "a", .url = {}, .version = {}, .alive = true, .settings_differ = {}};
  view.nodes[1] = {.name = "b", .url = {}, .version = {}, .settings_differ = {}};
  view.nodes[1].last_heard = seconds(20);
  view.nodes[2] = {.name = "gone", .url = {}, .version = {}, .settings_differ = {}};
  view.nodes[2].last_heard = hours(30);
  view.shards.resize(2);
  view.shards[1] = {.shard = 1, .owner = "b", .epoch = 1, .place = 1, .followers = {{"a", 20'000}}};
  EXPECT_THAT(look(7), ElementsAre("2+node_silent b", "4+shard_ownerless 0", "7+shard_behind 1"));
}

TEST_F(AlarmsTest, ZeroTurnsOneOff) {
  limits = {.overdue = Millis(0),
            .lateness = Millis(0),
            .dead_letters = 0,
            .target_held = Millis(0),
            .commit_time = Millis(0),
            .pending_percent = 0,
            .forecast_per_second = 0};
  stats.pending_max = 1;
  seen.point.pending = 1;
  seen.point.dead = 10;
  seen.point.oldest_overdue = hours(1);
  seen.point.lateness.p99 = hours(1);
  seen.point.commit_p99 = hours(1);
  seen.held["shop"] = {.until = now, .since = now - hours(1), .reason = HoldReason::unavailable};
  seen.busiest = ForecastBucket{now, 1'000'000};
  EXPECT_THAT(look(20), IsEmpty());
}

}  // namespace
}  // namespace carillon
