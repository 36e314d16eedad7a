#include "bench/peers/resp.h"

#include <charconv>

namespace carillon::bench {

void append_command(std::string& out, std::size_t words) {
  out.append("*").append(std::to_string(words)).append("\r\n");
}

void append_word(std::string& out, std::string_view word) {
  out.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
}

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
  append_command(out, words.size());
  for (const std::string_view word : words) append_word(out, word);
}

Parsed next_token(std::string_view bytes, std::size_t& at, Token& token) {
  const std::size_t end = bytes.find("\r\n", at);
  if (end == std::string_view::npos) return Parsed::incomplete;
  const std::string_view line = bytes.substr(at, end - at);
  if (line.empty()) return Parsed::bad;
  token = {line.front(), 0, line.substr(1)};
  std::size_t behind = end + 2;
  if (token.type == '+' || token.type == '-') {
    at = behind;
    return Parsed::complete;
  }
  if (token.type != ':' && token.type != '$' && token.type != '*') return Parsed::bad;
  const char* const line_end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data() + 1, line_end, token.number);
  if (parsed.ec != std::errc{} || parsed.ptr != line_end) return Parsed::bad;
  token.text = {};
  if (token.type == '$' && token.number >= 0) {
    const auto size = static_cast<std::size_t>(token.number);
    if (bytes.size() < behind + size + 2) return Parsed::incomplete;
    token.text = bytes.substr(behind, size);
    if (bytes.substr(behind + size, 2) != "\r\n") return Parsed::bad;
    behind += size + 2;
  }
  at = behind;
  return Parsed::complete;
}

Parsed parse_replies(std::string_view bytes, std::uint64_t count, Replies& replies) {
  replies = {};
  Token token;
  while (count > 0) {
    const Parsed parsed = next_token(bytes, replies.bytes, token);
    if (parsed != Parsed::complete) return parsed;
    --count;
    if (token.type == '-') ++replies.errors;
    if (token.type == '*' && token.number > 0) count += static_cast<std::uint64_t>(token.number);
    if (token.type == '*' && token.number < 0) ++replies.errors;  // EXEC that was given up
    if (token.type != ':') continue;
    replies.last_integer = token.number;
    if (token.number == 0) ++replies.zeros;
  }
  return Parsed::complete;
}

}  // namespace carillon::bench
