// The log: lines on standard error, for people or for programs.
//
// Operation: every layer logs through spdlog's default logger, a short message with the facts after
// it as key=value words, which `fields` writes:
//
//   spdlog::info("recovered" + fields({{"tasks", "12"}, {"took", "31ms"}}));
//
// As human text that is `2026-11-21 07:00:00.250 info recovered tasks=12 took=31ms`; as JSON the
// words become members: {"time":...,"level":"info","message":"recovered","tasks":12,"took":"31ms"}.
// Control characters are escaped in both, so no name from outside can forge a line. Of lines with
// one message (whatever their fields) at most kLinesPerSecond are written a second; how many were
// held back is said once the second is over and something is logged.
//
// Never logged: payloads, header values, tokens, secrets, the query of a URL.
//
// Concurrency: thread-safe, as spdlog is.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace carillon {

/// Makes the default logger. `level`: trace, debug, info, warning, error; `format`: human, json.
/// May be called again. RocksDB and the other libraries do not log here.
void set_up_logging(std::string_view level, std::string_view format);

/// " key=value" for each; values with blanks, quotes or control characters are quoted and escaped.
[[nodiscard]] std::string fields(
    std::initializer_list<std::pair<std::string_view, std::string_view>> pairs);

enum class LogFormat : std::uint8_t { human, json };

/// One line with its end, as it is written. `level` is spdlog's name for it.
[[nodiscard]] std::string format_line(LogFormat format, WallTime at, std::string_view level,
                                      std::string_view text);

/// Decides which lines are too many. Not thread-safe (the sink's lock guards it).
class LineLimit {
 public:
  static constexpr int kLinesPerSecond = 10;
  /// What to do with a line `text` at `now`: true, write it. `held_back(message, n)` is called
  /// first for each message of which n lines were not written in the second that is over.
  [[nodiscard]] bool allow(std::string_view text, std::chrono::steady_clock::time_point now,
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
