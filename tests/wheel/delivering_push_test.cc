#include <gtest/gtest.h>

#include "wheel/arena.h"

namespace carillon {
namespace {

TEST(DeliveringPush, that_nobody_knows_of_has_code_0) {
  EXPECT_FALSE(DeliveringPush().known());
  EXPECT_EQ(DeliveringPush().code(), 0U);
  EXPECT_TRUE(DeliveringPush(0, Millis(0)).known()) << "it was, and had no status";
}

TEST(DeliveringPush, keeps_each_status_that_delivers) {
  for (std::uint32_t status = 200; status < 300; ++status)
    EXPECT_EQ(DeliveringPush(status, Millis(7)).status(), status);
  EXPECT_EQ(DeliveringPush(0, Millis(7)).status(), 0U);
  EXPECT_EQ(DeliveringPush(503, Millis(7)).status(), 0U) << "that is none";
}

TEST(DeliveringPush, is_exact_to_16_s_and_then_to_a_quarter_of_one) {
  const auto kept = [](std::int64_t ms) { return DeliveringPush(200, Millis(ms)).took().count(); };
  for (std::int64_t ms = 0; ms < 16'384; ++ms) ASSERT_EQ(kept(ms), ms);
  for (std::int64_t ms = 16'384; ms < 4'000'000; ms += 997) {
    ASSERT_LE(kept(ms), ms);
    ASSERT_GT(kept(ms), ms - 256);
  }
  EXPECT_EQ(kept(-5), 0) << "the clock was set back meanwhile";
  EXPECT_EQ(kept(INT64_MAX), 16'383 * 256);
}

TEST(DeliveringPush, is_told_by_its_code_alone) {
  std::size_t told = 0;
  for (std::uint64_t code = 0; code < (1U << DeliveringPush::kBits); ++code) {
    const auto push = DeliveringPush::of(code);
    if (!push) continue;
    ++told;
    ASSERT_EQ(push->code(), code);
    ASSERT_EQ(DeliveringPush(push->status(), push->took()), *push);
  }
  // 101 statuses, exact times, and quarters from 16,384 ms on.
  EXPECT_EQ(told, 101U * (16'384 + 16'384 - 64));
  EXPECT_FALSE(DeliveringPush::of(std::uint64_t{1} << DeliveringPush::kBits));
}

TEST(Entry, that_is_delivered_has_how_beside_when) {
  Arena arena;
  Entry& entry = arena[arena.allocate()];
  const DeliveringPush push(204, Millis(12'345));
  const WallTime last(Millis((std::int64_t{1} << 42) - 1));
  for (const WallTime at : {WallTime(), WallTime(Millis(1'763'700'000'123)), last}) {
    entry.set_finished(at, push);
    EXPECT_EQ(entry.finished_at(), at);
    EXPECT_EQ(entry.delivering_push(), push);
    entry.set_finished(at, {});
    EXPECT_EQ(entry.finished_at(), at);
    EXPECT_FALSE(entry.delivering_push().known());
  }
}

}  // namespace
}  // namespace carillon
