#include "shard/rate.h"

#include <deque>
#include <random>

#include <gtest/gtest.h>

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kStart{Millis(1'700'000'000'000)};

Rate rate_of(std::uint32_t limit, Millis per = seconds(1), std::uint32_t burst = 0) {
  Rate rate;
  rate.set({limit, per, burst}, kStart);
  return rate;
}

void take(Rate& rate, WallTime now) {
  rate.begin();
  rate.started(now);
}

TEST(Rate, WithoutALimitThereIsNone) {
  EXPECT_FALSE(Rate().limits());
  EXPECT_FALSE(rate_of(0).limits());
}

TEST(Rate, ANewOneIsEmptyAndFillsUpToItsBurst) {
  const Rate rate = rate_of(500);
  EXPECT_EQ(rate.allowed(kStart), 0U);
  EXPECT_EQ(rate.allowed(kStart + Millis(1)), 0U);
  EXPECT_EQ(rate.allowed(kStart + Millis(2)), 1U);
  EXPECT_EQ(rate.allowed(kStart + Millis(50)), 25U);
  EXPECT_EQ(rate.allowed(kStart + hours(24 * 365)), 25U);
}

TEST(Rate, ASmallOneHasABurstOfOne) {
  const Rate rate = rate_of(3, minutes(1));
  EXPECT_EQ(rate.allowed(kStart + seconds(19)), 0U);
  EXPECT_EQ(rate.allowed(kStart + seconds(20)), 1U);
  EXPECT_EQ(rate.allowed(kStart + minutes(10)), 1U);
  EXPECT_EQ(rate.next(kStart), kStart + seconds(20));
}

TEST(Rate, WhatIsOnItsWayIsTakenAndCountsFromWhenItStarts) {
  Rate rate = rate_of(10, seconds(1), 2);
  WallTime now = kStart + seconds(10);
  EXPECT_EQ(rate.allowed(now), 2U);
  rate.begin();
  rate.begin();
  EXPECT_EQ(rate.allowed(now), 0U);
  EXPECT_EQ(rate.next(now), std::nullopt) << "as long as both are on their way, nobody knows";
  now += seconds(5);
  EXPECT_EQ(rate.allowed(now), 0U);
  rate.started(now);
  rate.started(now);
  EXPECT_EQ(rate.allowed(now + Millis(99)), 0U) << "the time before they started earned nothing";
  EXPECT_EQ(rate.allowed(now + Millis(100)), 1U);
  EXPECT_EQ(rate.next(now), now + Millis(100));
}

TEST(Rate, OneThatIsFastWaitsForSomeTogether) {
  Rate rate = rate_of(10'000);
  WallTime now = kStart + seconds(1);
  while (rate.allowed(now) > 0) take(rate, now);
  EXPECT_EQ(rate.next(now), now + Millis(10));
  EXPECT_EQ(rate.allowed(now + Millis(10)), 100U);
  Rate narrow = rate_of(10'000, seconds(1), 1);
  take(narrow, now);
  EXPECT_EQ(narrow.next(now), now + Millis(1));
}

TEST(Rate, AChangeKeepsWhatIsThere) {
  Rate rate = rate_of(100, seconds(1), 50);
  const WallTime now = kStart + seconds(1);
  EXPECT_EQ(rate.allowed(now), 50U);
  rate.set({1000, minutes(1), 30}, now);
  EXPECT_EQ(rate.allowed(now), 30U);
  rate.set({1000, minutes(1), 100}, now);
  EXPECT_EQ(rate.allowed(now), 30U);
  rate.set({}, now);
  rate.set({100, seconds(1), 50}, now);
  EXPECT_EQ(rate.allowed(now), 0U) << "a new one is empty";
}

TEST(Rate, OneThatWasOnItsWayBeforeThereWasALimitCounts) {
  Rate rate;
  for (int i = 0; i < 3; ++i) rate.begin();
  rate.set({10, seconds(1), 2}, kStart);
  const WallTime now = kStart + seconds(1);
  EXPECT_EQ(rate.allowed(now), 0U);
  rate.started(now);
  rate.set({10, seconds(1), 1}, now);
  rate.started(now);
  rate.started(now);
  EXPECT_EQ(rate.allowed(now + Millis(100)), 0U) << "there is a debt";
  EXPECT_EQ(rate.allowed(now + Millis(200)), 1U);
}

TEST(Rate, AClockThatIsSetBackStopsItForNoTime) {
  Rate rate = rate_of(10);
  const WallTime now = kStart + seconds(1);
  take(rate, now);
  rate.clock_set_back(now - hours(5));
  EXPECT_EQ(rate.allowed(now - hours(5) + Millis(100)), 1U);
}

/// Whoever takes all that is allowed, with commits that take their time, gets nearly the limit and
/// never more than limit + burst in any window.
class AnyRate : public testing::TestWithParam<std::uint64_t> {};

TEST_P(AnyRate, NoWindowHasMoreThanLimitAndBurst) {
  std::mt19937_64 random(GetParam());
  constexpr Millis kPer[] = {Millis(7), Millis(100), seconds(1), seconds(30)};
  const RateLimit limit{static_cast<std::uint32_t>(1 + random() % 400), kPer[random() % 4],
                        static_cast<std::uint32_t>(random() % 60)};
  Rate rate;
  rate.set(limit, kStart);
  std::deque<WallTime> window;
  std::uint64_t begun = 0;
  WallTime now = kStart;
  std::uint64_t on_their_way = 0;
  const WallTime end = kStart + limit.per * 20;
  while (now < end) {
    const bool idle = random() % 50 == 0;
    now += idle ? limit.per : Millis(static_cast<std::int64_t>(random() % 5));
    for (; on_their_way > 0; --on_their_way, ++begun) {
      rate.started(now);
      window.push_back(now);
    }
    while (!window.empty() && window.front() <= now - limit.per) window.pop_front();
    ASSERT_LE(window.size(), limit.limit + limit.burst_in_effect()) << "seed " << GetParam();
    for (; rate.allowed(now) > 0; ++on_their_way) rate.begin();
  }
  EXPECT_GT(begun, 0U);
  EXPECT_LE(begun, limit.limit * 20ULL + limit.burst_in_effect());
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyRate, testing::Range<std::uint64_t>(1, 51));

}  // namespace
}  // namespace carillon
