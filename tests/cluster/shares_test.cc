#include "cluster/shares.h"

#include <chrono>

#include <gtest/gtest.h>

namespace carillon {
namespace {

constexpr ShardNumber kShards = 16;

TEST(Shares, WhatTheShardsHaveOfALimitIsTheLimit) {
  for (const std::uint32_t limit : {16U, 17U, 31U, 64U, 1000U}) {
    std::uint32_t sum = 0;
    for (ShardNumber shard = 0; shard < kShards; ++shard) sum += share_of(limit, shard, kShards);
    EXPECT_EQ(sum, limit);
  }
  EXPECT_EQ(share_of(3, 15, kShards), 1U) << "none is left without";
}

TEST(Shares, ARateIsDividedWithItsBurst) {
  TargetSettings whole;
  whole.concurrency = 33;
  whole.rate = {.limit = 500, .per = std::chrono::seconds(1), .burst = 40};
  TargetSettings sum;
  sum.concurrency = 0;
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    const TargetSettings its = target_share(whole, shard, kShards);
    EXPECT_EQ(its.rate.per, whole.rate.per);
    sum.concurrency += its.concurrency;
    sum.rate.limit += its.rate.limit;
    sum.rate.burst += its.rate.burst;
  }
  EXPECT_EQ(sum.concurrency, 33U);
  EXPECT_EQ(sum.rate.limit, 500U);
  EXPECT_EQ(sum.rate.burst, 40U);
}

TEST(Shares, OfARateThatIsLowerThanThereAreShardsEachHasOneInALongerTime) {
  TargetSettings whole;
  whole.rate = {.limit = 4, .per = std::chrono::seconds(1)};
  const RateLimit its = target_share(whole, 7, kShards).rate;
  EXPECT_EQ(its.limit, 1U);
  EXPECT_EQ(its.per, std::chrono::seconds(4));
  EXPECT_EQ(its.burst, 0U) << "the default stays one";
}

TEST(Shares, WhatHasNoLimitHasNone) {
  EXPECT_EQ(target_share({}, 3, kShards).rate, RateLimit());
  TargetLimits none;
  none.pushes_per_second = none.catch_up_per_second = 0;
  const TargetLimits its = limits_share(none, 3, kShards);
  EXPECT_EQ(its.pushes_per_second, 0U);
  EXPECT_EQ(its.catch_up_per_second, 0U);
}

TEST(Shares, TheLimitsOfAllPushesAreDivided) {
  TargetLimits whole;
  whole.pushes_per_second = 100;
  std::uint64_t in_flight = 0;
  std::uint32_t per_second = 0;
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    const TargetLimits its = limits_share(whole, shard, kShards);
    in_flight += its.in_flight_max;
    per_second += its.pushes_per_second;
    EXPECT_EQ(its.url_concurrency, whole.url_concurrency);
  }
  EXPECT_EQ(in_flight, whole.in_flight_max);
  EXPECT_EQ(per_second, 100U);
}

}  // namespace
}  // namespace carillon
