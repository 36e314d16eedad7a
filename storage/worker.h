// A thread that runs what it is given, in order.
//
// Concurrency: `post` from any thread; `close` once, from a thread other than its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace carillon {

class Worker {
 public:
  /// `name` is the thread's, as top and gdb show it; at most 15 bytes.
  explicit Worker(const char* name);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Runs `work` after all that came before it. Dropped after `close`.
  void post(std::function<void()> work);
  /// Returns when all that was posted has run. Idempotent.
  void close();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace carillon
