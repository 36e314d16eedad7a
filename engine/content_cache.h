// Contents that will be pushed within the next moments, so that firing never waits for the disk.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "wheel/task.h"

namespace carillon {

/// Bounded by bytes: the longest-held contents go first; whoever misses one fetches it again.
class ContentCache {
 public:
  using Row = std::shared_ptr<const std::string>;

  explicit ContentCache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  [[nodiscard]] bool contains(TaskNumber number) const { return rows_.contains(number); }

  void put(TaskNumber number, std::string row) {
    const auto [at, fresh] = rows_.try_emplace(number);
    if (!fresh) return;
    bytes_ += row.size() + kOverhead;
    at->second = std::make_shared<const std::string>(std::move(row));
    order_.push_back(number);
    while (bytes_ > bytes_max_ && !order_.empty()) {
      static_cast<void>(take(order_.front()));
      order_.pop_front();
    }
    // Contents that were taken leave their number behind in the order.
    while (order_.size() > 2 * rows_.size() + kSlack) {
      if (const TaskNumber oldest = order_.front(); contains(oldest)) order_.push_back(oldest);
      order_.pop_front();
    }
  }

  /// Empty where it is not held; no longer held afterwards.
  [[nodiscard]] Row take(TaskNumber number) {
    const auto found = rows_.find(number);
    if (found == rows_.end()) return nullptr;
    Row row = std::move(found->second);
    rows_.erase(found);
    bytes_ -= row->size() + kOverhead;
    return row;
  }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  static constexpr std::uint64_t kOverhead = 128;
  static constexpr std::size_t kSlack = 1024;
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::unordered_map<TaskNumber, Row> rows_;
  std::deque<TaskNumber> order_;
};

}  // namespace carillon
