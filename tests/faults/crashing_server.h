// carillond_failpoints on one data directory, which dies and comes back.
//
// Concurrency: the test's thread.
#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "tests/faults/server_address.h"
#include "tests/support/process.h"

namespace carillon::test {

class CrashingServer {
 public:
  CrashingServer(std::string data_dir, ServerAddress& address);

  /// Starts it; with `failpoint` ("commit.written:3") it ends itself there, or with ":hold" behind
  /// it, one of its threads stays there.
  void launch(const std::string& failpoint = {});
  /// Waits until it is ready and publishes its address; false where it ended before.
  bool await_ready();
  /// kill -9; returns when it is gone.
  void kill();
  /// SIGTERM; returns when it is gone. A test failure where that takes minutes.
  Ending stop();
  /// Whether it ends within `patience`.
  bool ends_within(Millis patience);

  /// Whether it comes to this failpoint and is held there, in time.
  [[nodiscard]] bool held_at(const std::string& failpoint);
  /// Whether the one that ended was ended by this failpoint.
  [[nodiscard]] bool ended_at(const std::string& failpoint) const;
  [[nodiscard]] Millis longest_until_ready() const { return longest_until_ready_; }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] std::string log() const { return process_->errors(); }

 private:
  std::string data_dir_;
  ServerAddress& address_;
  std::string url_;
  std::unique_ptr<Process> process_;
  MonoTime launched_{};
  Millis longest_until_ready_{0};
};

}  // namespace carillon::test
