// What somebody hostile, or a bad neighbour, can do to others: a good target's tasks stay punctual
// beside each attack and the server's memory stays flat.
//
// Operation: a customer has a task due each 50 ms. First without anybody else about, which shows
// what this machine makes of it at the time; then beside the attack. The bounds are for two idle
// cores: 100 ms for the p99 of lateness and 300 MiB of memory. What the machine itself takes
// meanwhile (tests/faults/watch.h) is added, since other work may run beside the test.
//
// Concurrency: the attack runs on the test's thread and may have threads of its own.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include "tests/faults/watch.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {

class Attack : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kResidentMax = std::uint64_t{300} << 20;

  /// Starts the server with this configuration, under `wrapper` (Carillond::run_under), and
  /// measures the customer alone.
  void start(const std::string& config = {}, std::vector<std::string> wrapper = {},
             const std::string& customer_host = "127.0.0.1");
  /// Measures the customer beside `attack`, and holds the bounds.
  void beside(const std::string& name, const std::function<void()>& attack);
  /// How long an attack that has no end of its own should go on.
  [[nodiscard]] Millis length() const { return length_; }
  /// So many tasks, as NDJSON, due at `due`; `more(i)` are further members of each.
  [[nodiscard]] static std::string tasks(std::size_t count, WallTime due,
                                         const std::function<std::string(std::size_t)>& more);
  /// Adds them; how many were created.
  std::size_t add(const std::string& ndjson, std::string* answer = nullptr) const;
  /// A metric's value; `name` with its labels.
  [[nodiscard]] double metric(const std::string& name) const;

  TempDir dir;
  Carillond server{dir / "data", {"--config", dir / "carillon.toml"}};

 private:
  Histogram measure(const std::function<void()>& attack);
  const Millis length_{static_cast<int>(sized(3'000, 20'000))};
  std::string customer_host_;
  Histogram alone_;
};

/// Listens on all loopback addresses, takes every connection and never says a word.
class SilentListener {
 public:
  SilentListener();
  ~SilentListener();
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;

  /// An origin of its own for each `number` from 1 to 16,000.
  [[nodiscard]] std::string url(std::size_t number) const;

 private:
  void accept();
  boost::asio::io_context loop_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::vector<boost::asio::ip::tcp::socket> taken_;
  std::thread thread_;
};

}  // namespace carillon::test
