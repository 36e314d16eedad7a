#include "storage/log_extent.h"

namespace carillon {

namespace {

constexpr std::uint64_t kSpanBytes = 64 << 10;

}  // namespace

void LogExtent::add(Sequence first, std::uint64_t bytes) {
  if (spans_.empty() || spans_.back().bytes >= kSpanBytes) spans_.push_back({first, 0});
  spans_.back().bytes += bytes;
  bytes_ += bytes;
  end_ = first;
}

void LogExtent::trim(Sequence before) {
  if (before > oldest_) oldest_ = before;
  const auto end_of = [this](std::size_t i) {
    return i + 1 < spans_.size() ? spans_[i + 1].first : end_ + 1;
  };
  while (!spans_.empty() && end_of(0) <= before) {
    bytes_ -= spans_.front().bytes;
    spans_.pop_front();
  }
  if (spans_.empty() || spans_.front().first >= before) return;
  Span& span = spans_.front();
  const double kept = static_cast<double>(end_of(0) - before);
  const double share = kept / static_cast<double>(end_of(0) - span.first);
  const auto left = static_cast<std::uint64_t>(static_cast<double>(span.bytes) * share);
  bytes_ -= span.bytes - left;
  span = {before, left};
}

}  // namespace carillon
