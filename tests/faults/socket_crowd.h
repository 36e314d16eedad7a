// Many connections to the server that say what they are told, and nothing else.
//
// Operation: raw sockets that never block; each step goes once over all of them.
// Concurrency: one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/end_to_end/carillond.h"

namespace carillon::test {

/// `wanted`, or as many as this process may have, which is raised as far as it goes.
[[nodiscard]] std::size_t sockets_at_most(std::size_t wanted);

class SocketCrowd {
 public:
  /// Connects. `kernel_bytes`: what the kernel holds of each on this side; 0: as it likes.
  SocketCrowd(const Carillond& server, std::size_t count, int kernel_bytes = 0);
  ~SocketCrowd();
  SocketCrowd(const SocketCrowd&) = delete;
  SocketCrowd& operator=(const SocketCrowd&) = delete;

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  /// As much of `bytes` as each socket takes at once; bytes in all.
  std::size_t send(std::string_view bytes);
  /// Up to so many bytes from each, of which the first 64 are kept.
  void receive(std::size_t bytes_each);
  /// How many the server has closed, as far as `receive` and `send` saw.
  [[nodiscard]] std::size_t closed() const;
  /// Of those that an answer came for, how many got this status.
  [[nodiscard]] std::size_t answered(int status) const;
  /// Goes on with `step` every `pause` until all are closed; false if `patience` ends first.
  template <typename Step>
  [[nodiscard]] bool until_closed(std::chrono::milliseconds patience,
                                  std::chrono::milliseconds pause, const Step& step) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (closed() < size()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      step();
      std::this_thread::sleep_for(pause);
    }
    return true;
  }
  /// Is gone without a word: the server's kernel never hears of it.
  void vanish();

 private:
  struct Member {
    int socket = -1;
    bool closed = false;
    std::string head;  // of what came
  };
  std::vector<Member> members_;
};

}  // namespace carillon::test
