#include "shard/operations.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

constexpr WallTime kStart{Millis(1'700'000'000'000)};
constexpr Millis kDay = std::chrono::days(1);

record::Operation operation(std::uint64_t key, WallTime at, std::uint64_t count = 1) {
  return {{{key, 1}, 0}, at, count, 0};
}

TEST(Operations, AreRememberedForADay) {
  Operations done;
  done.remember(operation(1, kStart, 7));
  ASSERT_NE(done.find({1, 1}, kStart + kDay), nullptr);
  EXPECT_EQ(done.find({1, 1}, kStart + kDay)->count, 7U);
  EXPECT_EQ(done.find({1, 1}, kStart + kDay + Millis(1)), nullptr);
  EXPECT_EQ(done.find({2, 1}, kStart), nullptr);
}

TEST(Operations, ThatAreOlderTakeNoMemory) {
  Operations done;
  for (std::uint64_t key = 0; key < 1000; ++key) {
    done.remember(operation(key, kStart + Millis(static_cast<std::int64_t>(key))));
  }
  const std::uint64_t bytes = done.bytes();
  done.forget_old(kStart + kDay + Millis(500));
  EXPECT_EQ(done.size(), 500U);
  EXPECT_EQ(done.find({499, 1}, kStart), nullptr);
  EXPECT_NE(done.find({500, 1}, kStart), nullptr);
  EXPECT_LT(done.bytes(), bytes * 6 / 10);
}

TEST(Operations, DoneAgainAfterADayIsRememberedFromThenOn) {
  Operations done;
  done.remember(operation(1, kStart));
  done.remember(operation(1, kStart + kDay * 2, 9));
  done.forget_old(kStart + kDay * 2);
  ASSERT_NE(done.find({1, 1}, kStart + kDay * 2), nullptr);
  EXPECT_EQ(done.find({1, 1}, kStart + kDay * 2)->count, 9U);
}

TEST(Operations, AreBoundedAndNoneIsForgottenEarly) {
  Operations done;
  for (std::uint64_t key = 0; key < Operations::kMost; ++key) done.remember(operation(key, kStart));
  EXPECT_TRUE(done.full());
  EXPECT_LE(done.bytes(), 40U << 20);
  EXPECT_NE(done.find({0, 1}, kStart), nullptr);
  done.forget_old(kStart + kDay + Millis(1));
  EXPECT_FALSE(done.full());
}

}  // namespace
}  // namespace carillon
