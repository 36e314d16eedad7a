#include "base/log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>

#include <poll.h>
#include <unistd.h>

namespace carillon {
namespace {

constexpr std::array<std::string_view, 7> kNames = {"trace", "debug",    "info", "warning",
                                                    "error", "critical", "off"};

std::atomic<LogSink*> installed_sink = nullptr;
std::atomic<LogLevel> least_level = LogLevel::info;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

void append_escaped(std::string& line, std::string_view text) {
  for (const char c : text) {
    if (is_control(c)) {
      char escape[5];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(c) & 0xffU);
      line += escape;
    } else {
      line += c;
    }
  }
}

void append_value(std::string& line, std::string_view text) {
  const bool plain = !text.empty() && std::ranges::none_of(text, [](char c) {
    return is_control(c) || c == ' ' || c == '"' || c == '\\';
  });
  if (plain) {
    line += text;
    return;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  quoted += '"';
  append_escaped(line, quoted);
}

}  // namespace

std::string_view log_level_name(LogLevel level) {
  return kNames[static_cast<std::size_t>(level)];
}

LogLevel log_level_named(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  return found == kNames.end() ? LogLevel::info
                               : static_cast<LogLevel>(std::distance(kNames.begin(), found));
}

void set_log_sink(LogSink* sink) {
  installed_sink = sink;
}

void set_log_level(LogLevel level) {
  least_level = level;
}

void log_line(LogLevel level, std::string_view message, LogFields fields) {
  if (level < least_level) return;
  if (LogSink* sink = installed_sink) return sink->write(level, message, fields);
  const std::string line = format_human_line(SystemClock().wall(), level, message, fields);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string format_human_line(WallTime at, LogLevel level, std::string_view message,
                              LogFields fields) {
  std::string line = format_moment(at);
  line += ' ';
  line += log_level_name(level);
  line += ' ';
  append_escaped(line, message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      append_value(line, *text);
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      line += std::to_string(*number);
    } else {
      line += std::to_string(std::get<std::uint64_t>(field.value));
    }
  }
  return line += '\n';
}

void write_last_words(std::string_view words) {
  pollfd error_stream{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&error_stream, 1, 0) != 1 || (error_stream.revents & POLLOUT) == 0) return;
  // A pipe that has room at all takes this much without waiting.
  constexpr std::size_t kAtOnce = 4096;
  words = words.substr(0, kAtOnce);
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, words.data(), words.size());
}

}  // namespace carillon
