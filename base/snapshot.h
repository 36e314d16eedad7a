// A value that is replaced as a whole while other threads read it.
//
// Concurrency: any thread. What was read stays as it is.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace carillon {

template <typename T>
class Snapshot {
 public:
  explicit Snapshot(T value) { replace(std::move(value)); }

  [[nodiscard]] std::shared_ptr<const T> read() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  void replace(T value) {
    auto fresh = std::make_shared<const T>(std::move(value));
    const std::lock_guard lock(mutex_);
    value_.swap(fresh);  // the old one goes outside the lock
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace carillon
