#include "http/threads.h"

#include <algorithm>

#include "base/thread.h"
#include "http/options.h"

namespace carillon {

std::size_t http_threads_by_processors() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 9) - 1;
}

HttpThreads::HttpThreads(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    One& one = *threads_.emplace_back(std::make_unique<One>());
    loops_.push_back(&one.loop);
    try {
      one.thread = std::thread([&one] {
        begin_thread("http");
        one.loop.run();
      });
    } catch (...) {
      stop();
      throw;
    }
  }
}

HttpThreads::~HttpThreads() {
  stop();
}

void HttpThreads::stop() {
  for (const auto& one : threads_) one->loop.stop();
  for (const auto& one : threads_) {
    if (one->thread.joinable()) one->thread.join();
  }
}

}  // namespace carillon
