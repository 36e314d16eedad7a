// The log: one line for one event, a fixed message and the facts of this case beside it.
//
//   log_info("recovered", {{"tasks", 12}, {"took", "31ms"}});
//
// Operation: a message is the same text every time, so that lines can be counted and searched for;
// what differs goes into fields, which stay apart from the message and keep their type up to the
// sink. The program installs the sink once (server/logging.h). Without one, lines go to standard
// error as text for people, which suits tools and tests.
//
// Never logged: payloads, header values, tokens, secrets, the query of a URL.
//
// Why not a logging library: spdlog, which was here, takes text only. Fields had to be written into
// the text and read back out of it, and its queue is bounded in lines, not in bytes.
//
// Concurrency: any thread may log. The sink and the level are set before there are other threads;
// the level may be changed at any time.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"

namespace carillon {

enum class LogLevel : std::uint8_t { trace, debug, info, warning, error, critical, off };

/// "trace" to "critical", and "off".
[[nodiscard]] std::string_view log_level_name(LogLevel level);
/// The level of that name; `info` where there is none.
[[nodiscard]] LogLevel log_level_named(std::string_view name);

/// One fact. Views are looked at during the call only.
struct LogField {
  LogField(std::string_view its_key, std::string_view text) : key(its_key), value(text) {}
  LogField(std::string_view its_key, const std::string& text)
      : LogField(its_key, std::string_view(text)) {}
  LogField(std::string_view its_key, const char* text)
      : LogField(its_key, std::string_view(text)) {}
  template <std::unsigned_integral T>
  LogField(std::string_view its_key, T number) : key(its_key), value(std::uint64_t{number}) {}
  template <std::signed_integral T>
  LogField(std::string_view its_key, T number) : key(its_key), value(std::int64_t{number}) {}

  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t> value;
};
using LogFields = std::span<const LogField>;

class LogSink {
 public:
  virtual ~LogSink() = default;
  /// Any thread; must not block for long.
  virtual void write(LogLevel level, std::string_view message, LogFields fields) = 0;
};

/// Where lines go from now on; null: to standard error. `sink` must outlive its use.
void set_log_sink(LogSink* sink);
/// Lines of less than `level` are not written.
void set_log_level(LogLevel level);

void log_line(LogLevel level, std::string_view message, LogFields fields);
inline void log_info(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::info, message, {fields.begin(), fields.size()});
}
inline void log_warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::warning, message, {fields.begin(), fields.size()});
}
inline void log_error(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::error, message, {fields.begin(), fields.size()});
}
inline void log_critical(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log_line(LogLevel::critical, message, {fields.begin(), fields.size()});
}

/// One line for people, with its end: "2026-11-21T07:00:00.250Z info recovered tasks=12 took=31ms".
/// Values with blanks, quotes or backslashes are quoted, control characters are escaped: no name
/// from outside can forge a line.
[[nodiscard]] std::string format_human_line(WallTime at, LogLevel level, std::string_view message,
                                            LogFields fields);

/// Writes to standard error past the sink, where the process is about to end and may not allocate:
/// nothing where that would block, because nobody reads there any more.
void write_last_words(std::string_view words);

}  // namespace carillon
