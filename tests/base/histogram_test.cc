#include "base/histogram.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace carillon {
namespace {

using Micros = Histogram::Micros;

TEST(Histogram, EmptyAnswersZero) {
  const Histogram empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_EQ(empty.quantile(0.5), Micros(0));
  EXPECT_EQ(empty.max(), Micros(0));
  EXPECT_EQ(empty.mean_micros(), 0);
}

TEST(Histogram, SmallValuesAreExact) {
  for (int value = 0; value < 128; ++value) {
    Histogram one;
    one.record(Micros(value));
    EXPECT_EQ(one.quantile(0.5), Micros(value));
  }
}

TEST(Histogram, BucketEndsAreWithinAFraction) {
  // A second, far larger value keeps max() from hiding the bucket's upper end.
  for (std::int64_t value = 1; value < (std::int64_t{1} << 39); value = value * 9 / 8 + 1) {
    Histogram two;
    two.record(Micros(value));
    two.record(Micros(std::int64_t{1} << 40));
    const std::int64_t answered = two.quantile(0.5).count();
    EXPECT_GE(answered, value);
    EXPECT_LE(static_cast<double>(answered - value), 0.016 * static_cast<double>(value)) << value;
  }
}

TEST(Histogram, QuantilesOfManyAgreeWithSorting) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> spread(8, 2);
  Histogram histogram;
  std::vector<std::int64_t> all;
  for (int i = 0; i < 100'000; ++i) {
    all.push_back(static_cast<std::int64_t>(spread(random)));
    histogram.record(Micros(all.back()));
  }
  std::ranges::sort(all);
  for (const double fraction : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(fraction * 100'000)) - 1;
    const auto truth = static_cast<double>(all[rank]);
    const auto answered = static_cast<double>(histogram.quantile(fraction).count());
    EXPECT_GE(answered, truth) << fraction;
    EXPECT_LE(answered, truth * 1.016 + 1) << fraction;
  }
}

TEST(Histogram, NegativeCountsAsZeroAndHugeAsLast) {
  Histogram histogram;
  histogram.record(Micros(-5));
  EXPECT_EQ(histogram.quantile(1), Micros(0));
  histogram.record(Micros(std::int64_t{1} << 60));
  EXPECT_EQ(histogram.max(), Micros(std::int64_t{1} << 60));
  EXPECT_LE(histogram.quantile(1), histogram.max());
}

TEST(Histogram, SinceIsWhatWasRecordedSince) {
  Histogram values;
  values.record(Histogram::Micros(5));
  const Histogram before = values;
  values.record(Histogram::Micros(40));
  values.record(Histogram::Micros(60));
  const Histogram since = values.since(before);
  EXPECT_EQ(since.count(), 2U);
  EXPECT_EQ(since.quantile(0.5), Histogram::Micros(40));
  EXPECT_DOUBLE_EQ(since.mean_micros(), 50);
  EXPECT_EQ(before.since(values).count(), 1U) << "not its past: all of it";
}

TEST(Histogram, MergeIsAsIfRecordedTogether) {
  Histogram left, right, both;
  for (int i = 1; i < 1000; ++i) {
    (i % 3 == 0 ? left : right).record(Micros(i * i));
    both.record(Micros(i * i));
  }
  left.merge(right);
  EXPECT_EQ(left.count(), both.count());
  EXPECT_EQ(left.max(), both.max());
  EXPECT_EQ(left.mean_micros(), both.mean_micros());
  for (const double f : {0.1, 0.5, 0.99}) EXPECT_EQ(left.quantile(f), both.quantile(f));
  left.reset();
  EXPECT_EQ(left.count(), 0U);
}

}  // namespace
}  // namespace carillon
