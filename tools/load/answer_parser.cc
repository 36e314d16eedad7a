#include "tools/load/answer_parser.h"

#include <charconv>
#include <string>

#include "base/text.h"

namespace carillon::load {

Parsed parse_answer_head(std::string_view bytes, AnswerHead& head) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return Parsed::incomplete;
  head = AnswerHead();
  head.head_bytes = end + 4;
  std::string_view rest = bytes.substr(0, end + 2);
  if (!rest.starts_with("HTTP/1.1 ") || rest.size() < 12) return Parsed::bad;
  const auto status = std::from_chars(rest.data() + 9, rest.data() + 12, head.status);
  if (status.ec != std::errc{} || status.ptr != rest.data() + 12) return Parsed::bad;
  bool has_length = head.status == 204;
  rest.remove_prefix(rest.find("\r\n") + 2);
  while (!rest.empty()) {
    const std::size_t line_end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, line_end);
    rest.remove_prefix(line_end + 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return Parsed::bad;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    if (same_in_any_case(name, "connection")) head.close = same_in_any_case(value, "close");
    if (!same_in_any_case(name, "content-length")) continue;
    const char* const value_end = value.data() + value.size();
    const auto length = std::from_chars(value.data(), value_end, head.body_bytes);
    if (length.ec != std::errc{} || length.ptr != value_end) return Parsed::bad;
    has_length = true;
  }
  return has_length ? Parsed::complete : Parsed::bad;
}

Parsed parse_http_answer(std::string_view bytes, std::uint64_t tasks, Answer& answer) {
  AnswerHead head;
  const Parsed parsed = parse_answer_head(bytes, head);
  if (parsed != Parsed::complete) return parsed;
  const std::size_t whole = head.head_bytes + head.body_bytes;
  if (bytes.size() < whole) return Parsed::incomplete;
  answer = {head.status, whole, 0, head.close};
  if (tasks > 1) {
    answer.failed = trailing_count(bytes.substr(head.head_bytes, head.body_bytes), "failed");
  }
  return Parsed::complete;
}

std::uint64_t trailing_count(std::string_view body, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":";
  const std::size_t at = body.rfind(key);
  if (at == std::string_view::npos) return 0;
  std::string_view rest = body.substr(at + key.size());
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  std::uint64_t number = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return number;
}

}  // namespace carillon::load
