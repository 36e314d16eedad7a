#include "base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace carillon {

void Histogram::record(Micros value) {
  const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
  const int power = std::max(0, static_cast<int>(std::bit_width(micros)) - 1 - kSubBits);
  const std::size_t index = (static_cast<std::size_t>(power) << kSubBits) + (micros >> power);
  ++its_.buckets[std::min(index, its_.buckets.size() - 1)];
  ++count_;
  its_.sum += micros;
  its_.max = std::max(its_.max, Micros(static_cast<std::int64_t>(micros)));
}

Histogram::Micros Histogram::quantile(double fraction) const {
  if (count_ == 0) return Micros(0);
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t index = 0; index < its_.buckets.size(); ++index) {
    seen += its_.buckets[index];
    if (seen < wanted) continue;
    // Below two full sub-bucket ranges a bucket holds one value; above, powers start to double.
    const std::size_t power = index < (2U << kSubBits) ? 0 : (index >> kSubBits) - 1;
    const std::uint64_t top = ((index - (power << kSubBits) + 1) << power) - 1;
    return std::min(its_.max, Micros(static_cast<std::int64_t>(top)));
  }
  return its_.max;
}

double Histogram::mean_micros() const {
  return count_ == 0 ? 0 : static_cast<double>(its_.sum) / static_cast<double>(count_);
}

Histogram::Histogram(const Parts& parts)
    : its_(parts),
      count_(std::accumulate(parts.buckets.begin(), parts.buckets.end(), std::uint64_t{0})) {}

Histogram Histogram::since(const Histogram& before) const {
  Parts parts = its_;
  for (std::size_t i = 0; i < parts.buckets.size(); ++i) {
    if (parts.buckets[i] < before.its_.buckets[i]) return *this;
    parts.buckets[i] -= before.its_.buckets[i];
  }
  parts.sum -= std::min(parts.sum, before.its_.sum);
  return Histogram(parts);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < its_.buckets.size(); ++i) its_.buckets[i] += other.its_.buckets[i];
  count_ += other.count_;
  its_.sum += other.its_.sum;
  its_.max = std::max(its_.max, other.its_.max);
}

}  // namespace carillon
