// Stands between a client and a server, and can lose what the server answers, or hold up what
// either says as a network does that is cut.
//
// Concurrency: one thread of its own carries the bytes; members from the test's.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace carillon::test {

class Proxy {
 public:
  /// Carries between a free port of 127.0.0.1 and `server_port` there.
  explicit Proxy(std::uint16_t server_port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  [[nodiscard]] std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
  /// From now on nothing that the server says arrives.
  void lose_answers() { losing_ = true; }
  /// From now on what the client says, or the server, or both, gets no further.
  void hold(bool of_client, bool of_server) {
    holding_client_ = of_client;
    holding_server_ = of_server;
  }
  /// What was held up arrives now, late.
  void let_through() { hold(false, false); }

 private:
  struct Pair {
    int client = -1;
    int server = -1;
  };
  void run();
  void accept_one();
  /// False: one of the two has left.
  [[nodiscard]] bool carry(const Pair& pair) const;

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::vector<Pair> pairs_;
  std::atomic<bool> losing_ = false;
  std::atomic<bool> holding_client_ = false;
  std::atomic<bool> holding_server_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace carillon::test
