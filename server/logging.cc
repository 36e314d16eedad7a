#include "server/logging.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include <unistd.h>

#include "base/json.h"
#include "server/log_writer.h"

namespace carillon {
namespace {

// Some thousand lines: more than a reader that is merely slow falls behind.
constexpr std::size_t kQueueBytesMax = std::size_t{256} << 10;
// How long the end of the process waits for the last lines to be written.
constexpr Millis kFlushPatience{300};

std::string json_line(WallTime at, LogLevel level, std::string_view message, LogFields fields) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().key("time").moment(at).key("level").string(log_level_name(level));
  json.key("message").string(message);
  for (const LogField& field : fields) {
    json.key(field.key);
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      json.string(*text);
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      json.integer(*number);
    } else {
      json.unsigned_integer(std::get<std::uint64_t>(field.value));
    }
  }
  json.end_object();
  return line += '\n';
}

class StderrSink final : public LogSink {
 public:
  StderrSink()
      : writer_(STDERR_FILENO, kQueueBytesMax, [this](std::uint64_t lines) {
          const LogField fields[] = {{"lines", lines}};
          return format_line(format_, SystemClock().wall(), LogLevel::warning,
                             "log lines were dropped, because standard error did not take them",
                             fields);
        }) {}

  void set_format(LogFormat format) { format_ = format; }
  [[nodiscard]] LogWriter& writer() { return writer_; }

  void write(LogLevel level, std::string_view message, LogFields fields) override {
    const std::lock_guard lock(mutex_);
    const bool allowed = level >= LogLevel::critical ||
                         limit_.allow(message, std::chrono::steady_clock::now(),
                                      [this](std::string_view what, int lines) {
                                        const LogField facts[] = {{"like", what}, {"lines", lines}};
                                        put(LogLevel::warning, "held back lines", facts);
                                      });
    if (allowed) put(level, message, fields);
  }

 private:
  void put(LogLevel level, std::string_view message, LogFields fields) {
    writer_.write(format_line(format_, SystemClock().wall(), level, message, fields));
  }

  std::atomic<LogFormat> format_ = LogFormat::human;
  std::mutex mutex_;
  LineLimit limit_;
  LogWriter writer_;
};

StderrSink* stderr_sink = nullptr;  // never freed: threads may log until the process has ended

}  // namespace

std::string format_line(LogFormat format, WallTime at, LogLevel level, std::string_view message,
                        LogFields fields) {
  return format == LogFormat::json ? json_line(at, level, message, fields)
                                   : format_human_line(at, level, message, fields);
}

bool LineLimit::allow(std::string_view message, std::chrono::steady_clock::time_point now,
                      const std::function<void(std::string_view, int)>& held_back) {
  if (now - second_began_ >= std::chrono::seconds(1)) {
    for (const auto& [what, lines] : counts_) {
      if (lines > kLinesPerSecond) held_back(what, lines - kLinesPerSecond);
    }
    counts_.clear();
    second_began_ = now;
  }
  auto count = std::ranges::find(counts_, message, &Count::message);
  if (count == counts_.end() && counts_.size() == kMessagesMax) count = counts_.begin();
  if (count == counts_.end()) count = counts_.insert(count, Count{.message = std::string(message)});
  return ++count->lines <= kLinesPerSecond;
}

void set_up_logging(std::string_view level, std::string_view format) {
  if (stderr_sink == nullptr) stderr_sink = new StderrSink();
  stderr_sink->set_format(format == "json" ? LogFormat::json : LogFormat::human);
  set_log_level(log_level_named(level));
  set_log_sink(stderr_sink);
}

void flush_log() {
  if (stderr_sink != nullptr) stderr_sink->writer().flush(kFlushPatience);
}

std::uint64_t log_lines_dropped() {
  return stderr_sink == nullptr ? 0 : stderr_sink->writer().dropped();
}

}  // namespace carillon
