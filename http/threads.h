// The threads on which connections are served, each with a loop of its own.
//
// They must outlive the loop of the service: what the service still has to answer when it ends
// belongs to their connections.
#pragma once

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace carillon {

class HttpThreads {
 public:
  /// None: connections are served on the loop of the service.
  explicit HttpThreads(std::size_t count);
  /// Stops.
  ~HttpThreads();
  HttpThreads(const HttpThreads&) = delete;
  HttpThreads& operator=(const HttpThreads&) = delete;

  [[nodiscard]] const std::vector<boost::asio::io_context*>& loops() const { return loops_; }
  /// Ends the threads, wherever their connections are; then the caller's thread may end these.
  void stop();

 private:
  struct One {
    // Sockets are used on the loop's thread alone; other threads only post to it.
    boost::asio::io_context loop{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        loop.get_executor()};
    std::thread thread;
  };
  std::vector<std::unique_ptr<One>> threads_;
  std::vector<boost::asio::io_context*> loops_;
};

}  // namespace carillon
