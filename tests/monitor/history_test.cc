#include "monitor/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::Field;
using testing::SizeIs;

WallTime at(std::int64_t s) {
  return WallTime(seconds(1'800'000'000 + s));
}

class HistoryTest : public testing::Test {
 protected:
  History::Point take(std::int64_t s) {
    stats.now = at(s);
    return history.take(stats, counters);
  }
  auto points(std::int64_t from, std::int64_t to, Millis step = History::kStep) {
    return history.points(at(from), at(to), step);
  }

  History history;
  Stats stats;
  EngineCounters counters;
};

TEST_F(HistoryTest, APointHasWhatCameToPassSinceTheOneBefore) {
  counters.added = 5;
  counters.lateness.record(microseconds(2000));
  take(10);
  counters.added = 8;
  counters.delivered = 2;
  counters.lateness.record(microseconds(100));
  stats.counts[static_cast<std::size_t>(State::retrying)] = 4;
  stats.counts[static_cast<std::size_t>(State::dead)] = 1;
  stats.backlog = 3;
  stats.oldest_overdue = seconds(7);
  const History::Point point = take(20);
  EXPECT_EQ(point.added, 3U);
  EXPECT_EQ(point.delivered, 2U);
  EXPECT_EQ(point.lateness.p99, microseconds(100)) << "of these ten seconds alone";
  EXPECT_EQ(point.pending, 4U);
  EXPECT_EQ(point.dead, 1U);
  EXPECT_EQ(point.backlog, 3U);
  EXPECT_EQ(point.oldest_overdue, seconds(7));
}

TEST_F(HistoryTest, ALongerStepAddsUpAndTellsTheWorst) {
  for (std::int64_t s = 10; s <= 120; s += 10) {
    counters.fired += 2;
    stats.backlog = s == 40 ? 9 : 1;
    stats.counts[static_cast<std::size_t>(State::scheduled)] = static_cast<std::uint64_t>(s);
    take(s);
  }
  const auto minutes = points(0, 120, seconds(60));
  ASSERT_THAT(minutes, SizeIs(2));
  EXPECT_EQ(minutes[0].at, at(0)) << "1,800,000,000 is a whole minute";
  EXPECT_EQ(minutes[1].at, at(60));
  EXPECT_EQ(minutes[0].fired, 12U);
  EXPECT_EQ(minutes[0].backlog, 9U);
  EXPECT_EQ(minutes[0].pending, 60U) << "as it stood at the end";
  EXPECT_THAT(points(100, 120), ElementsAre(Field(&History::Point::at, at(100)),
                                            Field(&History::Point::at, at(110))));
}

TEST_F(HistoryTest, CountersThatWentBackCountFromNothing) {
  counters.added = 50;
  take(10);
  counters.added = 4;  // a shard, with its counters, has moved
  EXPECT_EQ(take(20).added, 4U);
}

TEST_F(HistoryTest, AClockThatStandsStillOrIsSetBackMakesNoPointTwice) {
  take(10);
  counters.added = 1;
  take(20);
  counters.added = 3;
  take(20);
  ASSERT_THAT(points(0, 100), SizeIs(2));
  EXPECT_EQ(points(0, 100)[1].added, 3U);
  counters.added = 7;
  take(15);
  EXPECT_THAT(points(0, 100),
              ElementsAre(Field(&History::Point::added, 0), Field(&History::Point::added, 4)));
}

TEST_F(HistoryTest, ADayIsKept) {
  const auto most = static_cast<std::int64_t>(History::kPointsMax);
  for (std::int64_t i = 1; i <= most + 5; ++i) take(10 * i);
  const auto all = points(0, 10 * (most + 5));
  ASSERT_THAT(all, SizeIs(History::kPointsMax));
  EXPECT_EQ(all[0].at, at(50));
  EXPECT_LT(sizeof(History::Point) * History::kPointsMax, std::size_t{2} << 20);
}

}  // namespace
}  // namespace carillon
