// A histogram of durations in log-linear buckets: constant memory, at most 1.6 % off.
//
// The layout is that of HdrHistogram (Gil Tene): 64 linear sub-buckets in each power of two of
// microseconds, from 1 us to over 12 days.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace carillon {

class Histogram {
  static constexpr int kSubBits = 6;
  static constexpr int kPowers = 35;

 public:
  using Micros = std::chrono::microseconds;
  /// What it is made of, to be sent elsewhere and put together again.
  struct Parts {
    std::array<std::uint64_t, (kPowers + 1) << kSubBits> buckets{};
    std::uint64_t sum = 0;
    Micros max{0};
  };
  Histogram() = default;
  explicit Histogram(const Parts& parts);

  /// Counts one value; negative ones count as zero.
  void record(Micros value);
  /// The smallest recorded magnitude that at least `fraction` (0 to 1) of all values do not exceed,
  /// as the upper end of its bucket; 0 where nothing was recorded.
  [[nodiscard]] Micros quantile(double fraction) const;
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Micros max() const { return its_.max; }
  [[nodiscard]] double mean_micros() const;
  void merge(const Histogram& other);
  /// What was recorded since it was `before`. Where that is none of its own past, all of it.
  [[nodiscard]] Histogram since(const Histogram& before) const;
  void reset() { *this = Histogram(); }
  [[nodiscard]] const Parts& parts() const { return its_; }

 private:
  Parts its_;
  std::uint64_t count_ = 0;
};

}  // namespace carillon
