// A value that is replaced as a whole, now and then, while other threads read it.
//
// Operation: reading is one load. What was replaced is kept until the end, so that whoever reads it
// need not say for how long: this is for what people change, such as options.
//
// Concurrency: any thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace carillon {

template <typename T>
class Snapshot {
 public:
  explicit Snapshot(T value) { replace(std::move(value)); }

  /// Stays as it is.
  [[nodiscard]] const T& read() const { return *current_.load(std::memory_order_acquire); }
  void replace(T value) {
    const std::lock_guard lock(mutex_);
    current_.store(values_.emplace_back(std::make_unique<const T>(std::move(value))).get(),
                   std::memory_order_release);
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<const T>> values_;
  std::atomic<const T*> current_ = nullptr;
};

}  // namespace carillon
