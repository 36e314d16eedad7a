#include <array>
#include <cmath>
#include <cstring>

#include "base/json.h"
#include "base/text.h"

namespace carillon {
namespace {

bool is_plain(char c, bool utf8) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != '"' && byte != '\\' && (utf8 || byte < 0x80);
}

/// Whether `text` is ASCII with nothing to escape, eight bytes at a time: a byte's top bit shows
/// where it is not. ("Determine if a word has a byte less than n", S. E. Anderson, Bit Twiddling
/// Hacks; for bytes below 0x80 it is exact, and the others show by themselves.)
bool all_plain_ascii(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
  constexpr std::uint64_t kTops = kOnes * 0x80;
  const auto has_zero = [](std::uint64_t word) { return (word - kOnes) & ~word; };
  while (!text.empty()) {
    std::uint64_t word = kOnes * ' ';
    const std::size_t count = std::min(text.size(), sizeof(word));
    std::memcpy(&word, text.data(), count);
    const std::uint64_t bad = word | (word - kOnes * 0x20) | has_zero(word ^ (kOnes * '"')) |
                              has_zero(word ^ (kOnes * '\\'));
    if ((bad & kTops) != 0) return false;
    text.remove_prefix(count);
  }
  return true;
}

/// Appends `text` between quotes.
void append_quoted(std::string& out, std::string_view text) {
  const std::size_t at = out.size();
  out.resize(at + text.size() + 2);
  out[at] = '"';
  std::memcpy(out.data() + at + 1, text.data(), text.size());
  out.back() = '"';
}

void append_escaped(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (byte >= 0x80) {
    out += "\\ufffd";
    return;
  }
  std::array<char, 2> digits;
  write_hex(digits.data(), byte, 2);
  out += "\\u00";
  out.append(digits.data(), digits.size());
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  if (all_plain_ascii(text)) return append_quoted(out, text);
  const bool utf8 = simdjson::validate_utf8(text.data(), text.size());
  out += '"';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_plain(text[i], utf8)) continue;
    out.append(text.substr(begin, i - begin));
    append_escaped(out, text[i]);
    begin = i + 1;
  }
  out.append(text.substr(begin));
  out += '"';
}

void JsonWriter::separate() {
  if (!first_ && !after_key_) out_ += ',';
  first_ = false;
  after_key_ = false;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  out_ += '{';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  out_ += '}';
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  out_ += '[';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  out_ += ']';
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_.push_back(':');
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::unsigned_integer(std::uint64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::real(double number) {
  if (!std::isfinite(number)) return null();  // JSON has no other word for it
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool yes) {
  return raw(yes ? "true" : "false");
}

JsonWriter& JsonWriter::null() {
  return raw("null");
}

JsonWriter& JsonWriter::moment(WallTime moment) {
  separate();
  out_ += '"';
  append_moment(out_, moment);
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::duration(Millis duration) {
  return string(format_duration(duration));
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

}  // namespace carillon
