#include "delivery/retry.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr WallTime kStart{Millis(1'700'000'000'000)};

TEST(Retry, ThePauseIsBetweenHalfAndAllOfTheDoubledBound) {
  std::mt19937_64 random(1);
  const RetryPolicy policy{.backoff_min = 1s, .backoff_max = 10s};
  const Millis bounds[] = {1s, 2s, 4s, 8s, 10s, 10s, 10s};
  std::uint32_t attempt = 0;
  for (const Millis bound : bounds) {
    ++attempt;
    Millis low = 1h;
    Millis high = 0ms;
    for (int i = 0; i < 2'000; ++i) {
      const Millis pause = retry_pause(policy, attempt, random);
      low = std::min(low, pause);
      high = std::max(high, pause);
    }
    EXPECT_GE(low, std::max<Millis>(bound / 2, policy.backoff_min));
    EXPECT_LE(low, std::max<Millis>(bound / 2, policy.backoff_min) + bound / 50);
    EXPECT_LE(high, bound);
    EXPECT_GT(high, bound - bound / 50 - 1ms);
  }
}

TEST(Retry, ThePauseIsNeverUnderBackoffMin) {
  std::mt19937_64 random(2);
  for (const Millis min : {Millis(1), Millis(1000), Millis(days(30))}) {
    const RetryPolicy policy{.max_attempts = 1000, .backoff_min = min, .backoff_max = days(30)};
    for (std::uint32_t attempt = 1; attempt <= 1000; ++attempt) {
      const Millis pause = retry_pause(policy, attempt, random);
      EXPECT_GE(pause, min);
      EXPECT_LE(pause, days(30));
    }
  }
  // A task's backoff_min beside its target's backoff_max.
  const RetryPolicy mixed{.backoff_min = 2h, .backoff_max = 1h};
  EXPECT_EQ(retry_pause(mixed, 9, random), 2h);
  const RetryPolicy shortest{.backoff_min = 1ms, .backoff_max = 1ms};
  EXPECT_EQ(retry_pause(shortest, 4'000'000'000U, random), 1ms);
}

/// Fails at once each time, until it is given up: how many pushes, and the time from first to last.
std::pair<std::uint32_t, Millis> give_up(const RetryPolicy& policy, std::mt19937_64& random) {
  Failure failure{.at = kStart, .first_attempt_at = kStart};
  while (const auto again = next_attempt(policy, failure, random)) {
    failure.at = *again;
    ++failure.attempts;
  }
  return {failure.attempts, failure.at - kStart};
}

TEST(Retry, TheDefaultsOutlastABadDeploy) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100; ++i) {
    const auto [pushes, lasted] = give_up(RetryPolicy(), random);
    EXPECT_EQ(pushes, 20U);
    EXPECT_GE(lasted, 4h);
    EXPECT_LE(lasted, 8h + 30min);
  }
}

TEST(Retry, MaxAgeEndsItWithALastAttemptJustThen) {
  std::mt19937_64 random(4);
  const RetryPolicy policy{
      .max_attempts = 1000, .backoff_min = 7s, .backoff_max = 7s, .max_age = 60s};
  const auto [pushes, lasted] = give_up(policy, random);
  EXPECT_EQ(pushes, 10U);  // at 0, 7, ..., 56 and 60 s
  EXPECT_EQ(lasted, Millis(60s));
}

TEST(Retry, NoTaskIsPushedMoreThanAThousandTimes) {
  std::mt19937_64 random(5);
  const RetryPolicy policy{.max_attempts = 1000, .backoff_min = 1ms, .backoff_max = 1ms};
  EXPECT_EQ(give_up(policy, random).first, 1000U);
  const Failure failure{.at = kStart,
                        .first_attempt_at = kStart,
                        .attempts = 1000,
                        .uncounted = 1000,
                        .is_throttled = true};
  EXPECT_FALSE(next_attempt(policy, failure, random));
}

TEST(Retry, NotNowDoesNotCountAgainstMaxAttempts) {
  std::mt19937_64 random(6);
  const RetryPolicy once{.max_attempts = 1};
  const Failure asked{.at = kStart,
                      .first_attempt_at = kStart,
                      .attempts = 40,
                      .uncounted = 40,
                      .is_throttled = true,
                      .asked = 60s};
  EXPECT_EQ(next_attempt(once, asked, random), kStart + 60s);
  const Failure failed{.at = kStart, .first_attempt_at = kStart, .attempts = 41, .uncounted = 40};
  EXPECT_FALSE(next_attempt(once, failed, random));
  const RetryPolicy twice{.max_attempts = 2};
  EXPECT_EQ(next_attempt(twice, failed, random), kStart + 1s);
}

TEST(Retry, ATaskWaitsAsLongAsItIsToldUpToMaxAge) {
  std::mt19937_64 random(7);
  Failure failure{.at = kStart + 1h,
                  .first_attempt_at = kStart,
                  .uncounted = 1,
                  .is_throttled = true,
                  .asked = days(2)};
  EXPECT_EQ(next_attempt(RetryPolicy(), failure, random), kStart + 1h + days(2));
  failure.asked = days(40);
  EXPECT_EQ(next_attempt(RetryPolicy(), failure, random), kStart + days(3));
  failure.at = kStart + days(3);
  EXPECT_FALSE(next_attempt(RetryPolicy(), failure, random));
}

TEST(Retry, AProbeDoesNotCountAgainstMaxAttemptsAndWaitsAsAnyFailure) {
  std::mt19937_64 random(1);
  const RetryPolicy policy{.max_attempts = 2, .backoff_min = 4s, .backoff_max = 4s};
  const Failure probe{
      .at = kStart, .first_attempt_at = kStart, .attempts = 30, .uncounted = 28, .is_probe = true};
  EXPECT_EQ(next_attempt(policy, probe, random), kStart + 4s);
  Failure counted = probe;
  counted.is_probe = false;
  EXPECT_EQ(next_attempt(policy, counted, random), std::nullopt);
  Failure first = probe;
  first.attempts = first.uncounted = 1;
  EXPECT_EQ(next_attempt(policy, first, random), kStart + 4s);
  Failure last = probe;
  last.attempts = kPushesMax;
  EXPECT_EQ(next_attempt(policy, last, random), std::nullopt);
}

TEST(Retry, NotNowWithoutATimeIsASecondDoubled) {
  EXPECT_EQ(throttle_pause(1, std::nullopt, 5min), 1s);
  EXPECT_EQ(throttle_pause(2, std::nullopt, 5min), 2s);
  EXPECT_EQ(throttle_pause(5, std::nullopt, 5min), 16s);
  EXPECT_EQ(throttle_pause(30, std::nullopt, 5min), 5min);
  EXPECT_EQ(throttle_pause(4'000'000'000U, std::nullopt, 5min), 5min);
  EXPECT_EQ(throttle_pause(1, 0ms, 5min), 1s);
  EXPECT_EQ(throttle_pause(1, 48h, 5min), 48h);
}

TEST(Retry, RetryAfterOfAnyOtherAnswerIsAFloor) {
  std::mt19937_64 random(8);
  const Failure failure{.at = kStart, .first_attempt_at = kStart, .asked = 60s};
  EXPECT_EQ(next_attempt(RetryPolicy(), failure, random), kStart + 60s);
}

TEST(Retry, WhatATaskChoosesStandsOverItsTarget) {
  const RetryPolicy target{7, 2s, 3min, 4h};
  EXPECT_EQ(RetryChoice{}.over(target), target);
  RetryChoice choice;
  choice.max_attempts = 3;
  choice.max_age = 1h;
  EXPECT_EQ(choice.over(target), (RetryPolicy{3, 2s, 3min, 1h}));
  choice.backoff_min = 5s;
  choice.backoff_max = 6s;
  EXPECT_EQ(choice.over(target), (RetryPolicy{3, 5s, 6s, 1h}));
}

}  // namespace
}  // namespace carillon
