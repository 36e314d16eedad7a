// A real program under test: started, watched, signalled, and always ended.
//
// Operation: what it writes on stdout and stderr is gathered by one thread each, so that it never
// blocks on a full pipe and a test can wait for a line.
//
// Concurrency: one test thread. Only this very process is ever signalled, by its own id.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace carillon::test {

/// How a process ended: by itself with `code`, or by `signal`.
struct Ending {
  int code = -1;
  int signal = 0;
  friend bool operator==(const Ending&, const Ending&) = default;
};

class Process {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;
  /// Starts `command[0]` (a path) with the rest as its arguments and `environment` on top of our
  /// own, without CARILLON_* of our own. `input` is its standard input. Aborts where it cannot be
  /// started.
  explicit Process(std::vector<std::string> command, const Environment& environment = {},
                   const std::string& input = {});
  /// Kills it where it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] int pid() const;
  void signal(int number) const;
  /// Stops it; when this returns none of its threads runs any more, until `go_on`.
  void freeze() const;
  void go_on() const;

  /// The groups of the first line on stderr, from its start, that `regex` is found in; nothing if
  /// the program ends or `patience` is over first.
  [[nodiscard]] std::optional<std::vector<std::string>> wait_for_line(
      const std::string& regex, std::chrono::milliseconds patience = std::chrono::seconds(30));
  /// Nothing where it still runs after `patience`.
  [[nodiscard]] std::optional<Ending> wait(
      std::chrono::milliseconds patience = std::chrono::seconds(30));

  /// All it has written so far; after `wait`, all it ever wrote.
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Runs a program to its end.
struct Finished {
  Ending ending;
  std::string output;
  std::string errors;
};
[[nodiscard]] Finished run_program(std::vector<std::string> command,
                                   const Process::Environment& environment = {},
                                   const std::string& input = {},
                                   std::chrono::milliseconds patience = std::chrono::minutes(2));

}  // namespace carillon::test
