#include "storage/worker.h"

#include "base/thread.h"

namespace carillon {

Worker::Worker(const char* name)
    : thread_([this, name] {
        begin_thread(name);
        run();
      }) {}

Worker::~Worker() {
  close();
}

void Worker::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void Worker::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace carillon
