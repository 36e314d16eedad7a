// The first failure of storage, kept for good.
//
// After a write or sync has failed nobody knows what the disk holds, and a second sync that
// succeeds proves nothing (the kernel may have dropped the pages that the first could not write).
// So the first failure is told to the owner, whose part is to end the process, and nothing is
// acknowledged any more.
//
// Concurrency: any thread.
#pragma once

#include <atomic>
#include <functional>
#include <string>

namespace carillon {

class FailureLatch {
 public:
  /// `on_failure` is called at most once, on the thread that failed.
  explicit FailureLatch(std::function<void(std::string)> on_failure)
      : on_failure_(std::move(on_failure)) {}

  void fail(std::string message) {
    if (!failed_.exchange(true)) on_failure_(std::move(message));
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::function<void(std::string)> on_failure_;
  std::atomic<bool> failed_ = false;
};

}  // namespace carillon
