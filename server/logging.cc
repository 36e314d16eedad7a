#include "server/logging.h"

#include <algorithm>
#include <cstdio>
#include <mutex>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "base/json.h"

namespace carillon {
namespace {

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

struct Field {
  std::string_view key;
  std::string value;
};

/// Takes `key=value` or `key="quoted"` off the front of `text` (which starts with the blank before
/// it); false, with `text` as it was, if that is not what is there.
bool take_field(std::string_view& text, Field& field) {
  std::string_view rest = text;
  if (!rest.starts_with(' ')) return false;
  rest.remove_prefix(1);
  std::size_t key = 0;
  while (key < rest.size() && is_key_character(rest[key])) ++key;
  if (key == 0 || key == rest.size() || rest[key] != '=') return false;
  field.key = rest.substr(0, key);
  field.value.clear();
  rest.remove_prefix(key + 1);
  if (!rest.starts_with('"')) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    field.value = rest.substr(0, end);
    text = rest.substr(end);
    return true;
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      text = rest.substr(i + 1);
      return true;
    }
    if (rest[i] == '\\' && i + 1 < rest.size()) {
      const char escaped = rest[++i];
      field.value += escaped == 'n' ? '\n' : escaped;
    } else {
      field.value += rest[i];
    }
  }
  return false;
}

/// Where the run of fields begins that ends the text; its length if there is none.
std::size_t fields_begin(std::string_view text) {
  for (std::size_t blank = text.find(' '); blank != text.npos; blank = text.find(' ', blank + 1)) {
    std::string_view rest = text.substr(blank);
    Field field;
    while (take_field(rest, field)) {
    }
    if (rest.empty()) return blank;
  }
  return text.size();
}

/// A number as JSON writes it: digits, with at most one dot between them.
bool is_plain_number(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 15 || !digit(text.front()) || !digit(text.back())) return false;
  if (text.size() > 1 && text[0] == '0' && text[1] != '.') return false;
  return std::ranges::all_of(text, [&](char c) { return digit(c) || c == '.'; }) &&
         std::ranges::count(text, '.') <= 1;
}

std::string human_line(WallTime at, std::string_view level, std::string_view text) {
  std::string line = format_moment(at);
  line += ' ';
  line += level;
  line += ' ';
  for (const char c : text) {
    if (is_control(c)) {
      char escape[5];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(c) & 0xffU);
      line += escape;
    } else {
      line += c;
    }
  }
  return line += '\n';
}

std::string json_line(WallTime at, std::string_view level, std::string_view text) {
  const std::size_t split = fields_begin(text);
  std::string line;
  JsonWriter json(line);
  json.begin_object().key("time").moment(at).key("level").string(level).key("message").string(
      text.substr(0, split));
  std::string_view rest = text.substr(split);
  Field field;
  while (take_field(rest, field)) {
    json.key(field.key);
    if (is_plain_number(field.value)) {
      json.raw(field.value);
    } else {
      json.string(field.value);
    }
  }
  json.end_object();
  return line += '\n';
}

class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit StderrSink(LogFormat format) : format_(format) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    const auto at = std::chrono::floor<Millis>(message.time);
    const std::string_view level(spdlog::level::to_string_view(message.level).data(),
                                 spdlog::level::to_string_view(message.level).size());
    const bool allowed =
        message.level >= spdlog::level::critical ||
        limit_.allow(text, std::chrono::steady_clock::now(), [&](std::string_view what, int lines) {
          write(at, "warning",
                "held back lines" + fields({{"like", what}, {"lines", std::to_string(lines)}}));
        });
    if (allowed) write(at, level, text);
  }
  void flush_() override { std::fflush(stderr); }

 private:
  void write(WallTime at, std::string_view level, std::string_view text) const {
    const std::string line = format_line(format_, at, level, text);
    std::fwrite(line.data(), 1, line.size(), stderr);
  }

  LogFormat format_;
  LineLimit limit_;
};

}  // namespace

std::string fields(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  std::string text;
  for (const auto& [key, value] : pairs) {
    text += ' ';
    text += key;
    text += '=';
    const bool plain = !value.empty() && std::ranges::none_of(value, [](char c) {
      return is_control(c) || c == ' ' || c == '"' || c == '\\';
    });
    if (plain) {
      text += value;
      continue;
    }
    text += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text;
}

std::string format_line(LogFormat format, WallTime at, std::string_view level,
                        std::string_view text) {
  return format == LogFormat::json ? json_line(at, level, text) : human_line(at, level, text);
}

bool LineLimit::allow(std::string_view text, std::chrono::steady_clock::time_point now,
                      const std::function<void(std::string_view, int)>& held_back) {
  if (now - second_began_ >= std::chrono::seconds(1)) {
    for (const auto& [message, lines] : counts_) {
      if (lines > kLinesPerSecond) held_back(message, lines - kLinesPerSecond);
    }
    counts_.clear();
    second_began_ = now;
  }
  const std::string_view message = text.substr(0, fields_begin(text));
  auto count = std::ranges::find(counts_, message, &Count::message);
  if (count == counts_.end() && counts_.size() == kMessagesMax) count = counts_.begin();
  if (count == counts_.end()) count = counts_.insert(count, Count{.message = std::string(message)});
  return ++count->lines <= kLinesPerSecond;
}

void set_up_logging(std::string_view level, std::string_view format) {
  auto sink = std::make_shared<StderrSink>(format == "json" ? LogFormat::json : LogFormat::human);
  auto logger = std::make_shared<spdlog::logger>("carillon", std::move(sink));
  logger->set_level(spdlog::level::from_str(std::string(level)));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace carillon
