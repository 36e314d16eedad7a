// The server's log: lines on standard error, for people or for programs.
//
// Operation: base/log.h brings messages and fields. As human text that is `2026-11-21T07:00:00.250Z
// info recovered tasks=12 took=31ms`; as JSON the fields become members:
// {"time":...,"level":"info", "message":"recovered","tasks":12,"took":"31ms"}. Of lines with one
// message (whatever their fields) at most kLinesPerSecond are written a second; how many were held
// back is said once the second is over and something is logged. Logging never waits for standard
// error (server/log_writer.h).
//
// Concurrency: any thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace carillon {

/// Makes base/log.h write to standard error. `level`: trace, debug, info, warning, error; `format`:
/// human, json. May be called again. RocksDB and the other libraries do not log here.
void set_up_logging(std::string_view level, std::string_view format);

/// Waits a moment for what was logged to be written: before the process ends.
void flush_log();

/// Lines that were dropped since the start, because nobody read standard error or it could not be
/// written to.
[[nodiscard]] std::uint64_t log_lines_dropped();

enum class LogFormat : std::uint8_t { human, json };

/// One line with its end, as it is written.
[[nodiscard]] std::string format_line(LogFormat format, WallTime at, LogLevel level,
                                      std::string_view message, LogFields fields);

/// Decides which lines are too many. Not thread-safe (the sink's lock guards it).
class LineLimit {
 public:
  static constexpr int kLinesPerSecond = 10;
  /// What to do with a line of `message` at `now`: true, write it. `held_back(message, n)` is
  /// called first for each message of which n lines were not written in the second that is over.
  [[nodiscard]] bool allow(std::string_view message, std::chrono::steady_clock::time_point now,
                           const std::function<void(std::string_view, int)>& held_back);

 private:
  static constexpr std::size_t kMessagesMax = 200;  // told apart in one second
  struct Count {
    std::string message;
    int lines = 0;
  };
  std::vector<Count> counts_;
  std::chrono::steady_clock::time_point second_began_{};
};

}  // namespace carillon
