#include "base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace carillon {

void Histogram::record(Micros value) {
  const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
  const int power = std::max(0, static_cast<int>(std::bit_width(micros)) - 1 - kSubBits);
  const std::size_t index = (static_cast<std::size_t>(power) << kSubBits) + (micros >> power);
  ++buckets_[std::min(index, buckets_.size() - 1)];
  ++count_;
  sum_ += micros;
  max_ = std::max(max_, Micros(static_cast<std::int64_t>(micros)));
}

Histogram::Micros Histogram::quantile(double fraction) const {
  if (count_ == 0) return Micros(0);
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t index = 0; index < buckets_.size(); ++index) {
    seen += buckets_[index];
    if (seen < wanted) continue;
    // Below two full sub-bucket ranges a bucket holds one value; above, powers start to double.
    const std::size_t power = index < (2U << kSubBits) ? 0 : (index >> kSubBits) - 1;
    const std::uint64_t top = ((index - (power << kSubBits) + 1) << power) - 1;
    return std::min(max_, Micros(static_cast<std::int64_t>(top)));
  }
  return max_;
}

double Histogram::mean_micros() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

}  // namespace carillon
