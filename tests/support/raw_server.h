// A server that answers whatever it is asked with the same bytes: for clients that must survive it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

namespace carillon::test {

class RawServer {
 public:
  /// Listens on a free port of 127.0.0.1; aborts where it cannot. Each connection's request is
  /// answered with `answer`. Then the connection is closed; or, where `trickle` is given, one more
  /// byte is sent each time that has passed, until the client leaves.
  explicit RawServer(std::string answer,
                     std::chrono::milliseconds trickle = std::chrono::milliseconds(0));
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  /// "http://127.0.0.1:43123".
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void serve();
  void answer_one(int client) const;

  std::string answer_;
  std::chrono::milliseconds trickle_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// An answer with its length: "HTTP/1.1 200 OK" with `content_type` and `body`.
[[nodiscard]] std::string http_answer(int status, std::string_view content_type,
                                      std::string_view body);

}  // namespace carillon::test
