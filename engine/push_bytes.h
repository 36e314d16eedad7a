// How many bytes of contents are being pushed, and who may have more of them.
//
// A push holds its content until it is over, which for a receiver that hangs is its time-out. So
// the bytes under way are bounded, and no target can take those that others need: it may hold as
// many more as are free beside what it holds (the same rule as for slots, shard/shard.h). Small
// contents are not asked about: slots bound them well enough, and a target with small payloads
// never waits for another's large ones.
//
// Operation: `admit` before a push, `release` after it. What is not admitted is put aside with
// `park` and comes back, in its order for each target, from `next_admitted`.
//
// Concurrency: none.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "shard/shard.h"

namespace carillon {

class PushBytes {
 public:
  static constexpr std::uint64_t kSmall = 4096;

  explicit PushBytes(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// Whether a push of so many bytes may begin; counted if so.
  [[nodiscard]] bool admit(const TargetKey& key, std::uint64_t bytes) {
    if (bytes <= kSmall) return true;
    const auto parked = parked_.find(key);
    if (parked != parked_.end()) return false;
    return begin(key, bytes);
  }
  void release(const TargetKey& key, std::uint64_t bytes) {
    if (bytes <= kSmall) return;
    bytes_ -= bytes;
    const auto held = held_.find(key);
    held->second -= bytes;
    if (held->second == 0) held_.erase(held);
  }
  void park(const Fired& fired, std::uint64_t bytes) {
    std::deque<Parked>& queue = parked_[fired.target];
    if (queue.empty()) order_.push_back(fired.target);
    queue.push_back({fired, bytes});
  }
  struct Parked {
    Fired fired;
    std::uint64_t bytes = 0;
  };
  /// One that may begin now, counted; target after target.
  [[nodiscard]] std::optional<Parked> next_admitted() {
    for (std::size_t tries = order_.size(); tries > 0; --tries) {
      const TargetKey key = order_.front();
      order_.pop_front();
      const auto queue = parked_.find(key);
      const Parked next = queue->second.front();
      const bool may = begin(key, next.bytes);
      if (may) queue->second.pop_front();
      if (queue->second.empty()) {
        parked_.erase(queue);
      } else {
        order_.push_back(key);
      }
      if (may) return next;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct KeyHash {
    std::size_t operator()(const TargetKey& key) const { return key.low; }
  };
  [[nodiscard]] bool begin(const TargetKey& key, std::uint64_t bytes) {
    const auto held = held_.find(key);
    const std::uint64_t its = held == held_.end() ? 0 : held->second;
    const std::uint64_t left = bytes_max_ - std::min(bytes_max_, bytes_);
    if (bytes_ > 0 && its + bytes > left) return false;
    bytes_ += bytes;
    held_[key] += bytes;
    return true;
  }

  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::unordered_map<TargetKey, std::uint64_t, KeyHash> held_;
  std::unordered_map<TargetKey, std::deque<Parked>, KeyHash> parked_;
  std::deque<TargetKey> order_;  // of targets with something parked
};

}  // namespace carillon
