// The real server, started for a test on a data directory, killed, stopped and started again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/sized.h"
#include "tools/client/api_client.h"

namespace carillon::test {

/// The path of one of our own programs.
[[nodiscard]] std::string program(const std::string& name);

class Carillond {
 public:
  /// `arguments` go on top of the data directory and a free port on loopback.
  explicit Carillond(std::string data_dir, std::vector<std::string> arguments = {});

  /// What starts the program from now on: the path of one that ends with exec, and its arguments
  /// ("/usr/bin/env", "LD_PRELOAD=...").
  void run_under(std::vector<std::string> wrapper) { wrapper_ = std::move(wrapper); }

  /// Starts it and waits until it is ready; a test failure and false if it does not get there.
  bool start();
  /// kill -9, and waits until it is gone.
  void kill();
  /// SIGTERM, and its exit code; -1 where it did not end in time or by a signal.
  int stop();

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] const std::string& data_dir() const { return data_dir_; }
  [[nodiscard]] Process& process() { return *process_; }
  /// A connection of its own to the server as it runs now.
  [[nodiscard]] std::unique_ptr<client::ApiClient> connect() const;
  /// One call over a connection of its own; a test failure where it has no answer.
  client::ApiAnswer call(std::string_view method, std::string_view path,
                         std::string_view body = {}) const;

 private:
  std::string data_dir_;
  std::vector<std::string> arguments_;
  std::vector<std::string> wrapper_;
  std::string url_;
  std::unique_ptr<Process> process_;
};

}  // namespace carillon::test
