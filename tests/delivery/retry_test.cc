#include "delivery/retry.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

using namespace std::chrono_literals;

TEST(Retry, ThePauseIsAnywhereUpToTheDoubledBound) {
  std::mt19937_64 random(1);
  const RetryPolicy policy{.max_attempts = 8, .backoff_min = 1s, .backoff_max = 10s};
  const Millis bounds[] = {1s, 2s, 4s, 8s, 10s, 10s, 10s};
  std::uint32_t attempt = 0;
  for (const Millis bound : bounds) {
    ++attempt;
    Millis low = 1h;
    Millis high = 0ms;
    for (int i = 0; i < 2'000; ++i) {
      const Millis pause = retry_pause(policy, attempt, std::nullopt, random);
      low = std::min(low, pause);
      high = std::max(high, pause);
    }
    EXPECT_GE(low, 1ms);
    EXPECT_LT(low, bound / 50);
    EXPECT_LE(high, bound);
    EXPECT_GT(high, bound - bound / 50);
  }
}

TEST(Retry, BoundsHoldForEveryAttemptAndLength) {
  std::mt19937_64 random(2);
  for (const Millis min : {Millis(1), Millis(1000), Millis(std::chrono::days(30))}) {
    const RetryPolicy policy{
        .max_attempts = 1000, .backoff_min = min, .backoff_max = std::chrono::days(30)};
    for (std::uint32_t attempt = 1; attempt <= 1000; ++attempt) {
      const Millis pause = retry_pause(policy, attempt, std::nullopt, random);
      EXPECT_GE(pause, 1ms);
      EXPECT_LE(pause, std::chrono::days(30));
    }
  }
  const RetryPolicy shortest{.max_attempts = 2, .backoff_min = 1ms, .backoff_max = 1ms};
  EXPECT_EQ(retry_pause(shortest, 1, std::nullopt, random), 1ms);
  EXPECT_EQ(retry_pause(shortest, 4'000'000'000U, std::nullopt, random), 1ms);
}

TEST(Retry, RetryAfterIsAFloorOfADayAtMost) {
  std::mt19937_64 random(3);
  const RetryPolicy policy{.max_attempts = 8, .backoff_min = 1s, .backoff_max = 2s};
  EXPECT_EQ(retry_pause(policy, 1, 60s, random), 60s);
  EXPECT_EQ(retry_pause(policy, 1, 100h, random), 24h);
  EXPECT_GE(retry_pause(policy, 1, 0ms, random), 1ms);
  EXPECT_LE(retry_pause(policy, 1, 1ms, random), 1s);
}

}  // namespace
}  // namespace carillon
