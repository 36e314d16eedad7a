#include "storage/log_extent.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(LogExtent, bytes_of_rows_add_up_and_trimmed_ones_go) {
  LogExtent extent;
  for (Sequence first = 1; first <= 100; ++first) extent.add(first, 100'000);
  EXPECT_EQ(extent.bytes(), 10'000'000U);
  extent.trim(51);
  EXPECT_EQ(extent.bytes(), 5'000'000U);
  EXPECT_EQ(extent.oldest(), 51U);
  extent.trim(101);
  EXPECT_EQ(extent.bytes(), 0U);
  extent.add(101, 7);
  EXPECT_EQ(extent.bytes(), 7U);
}

TEST(LogExtent, trim_inside_a_span_is_right_to_within_the_span) {
  LogExtent extent;
  for (Sequence first = 1; first <= 10'000; ++first) extent.add(first, 60);
  extent.trim(2'501);
  EXPECT_NEAR(static_cast<double>(extent.bytes()), 7'500.0 * 60, 65'536.0);
}

TEST(LogExtent, trimming_again_or_lower_changes_nothing) {
  LogExtent extent;
  for (Sequence first = 1; first <= 10; ++first) extent.add(first, 100'000);
  extent.trim(5);
  extent.trim(5);
  extent.trim(2);
  EXPECT_EQ(extent.bytes(), 600'000U);
  EXPECT_EQ(extent.oldest(), 5U);
}

}  // namespace
}  // namespace carillon
