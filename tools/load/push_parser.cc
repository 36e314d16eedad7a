#include "tools/load/push_parser.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace carillon::load {
namespace {

constexpr std::size_t kHeadBytesMax = std::size_t{64} << 10;

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

struct Fields {
  PushHead& head;
  bool has_length = false;

  // Told apart by length first: of a push's fields few share one.
  bool take(std::string_view name, std::string_view value) {
    switch (name.size()) {
      case 10:
        if (same_in_any_case(name, "webhook-id")) head.webhook_id = value;
        if (same_in_any_case(name, "connection")) head.close = same_in_any_case(value, "close");
        return true;
      case 14:
        if (same_in_any_case(name, "carillon-tasks")) return parse_number(value, head.tasks);
        if (!same_in_any_case(name, "content-length")) return true;
        has_length = true;
        return parse_number(value, head.body_bytes);
      case 15:
        if (same_in_any_case(name, "carillon-due-at")) head.due_at = value;
        return true;
      case 16:
        if (same_in_any_case(name, "carillon-task-id")) head.task_id = value;
        if (same_in_any_case(name, "carillon-attempt")) return parse_number(value, head.attempt);
        return true;
      case 17:
        return !same_in_any_case(name, "transfer-encoding");
      default:
        return true;
    }
  }
};

}  // namespace

Parsed parse_push_head(std::string_view bytes, PushHead& head) {
  const std::size_t end = bytes.substr(0, kHeadBytesMax).find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return bytes.size() >= kHeadBytesMax ? Parsed::bad : Parsed::incomplete;
  }
  head = PushHead();
  head.head_bytes = end + 4;
  std::string_view rest = bytes.substr(0, end + 2);
  std::size_t line_end = rest.find("\r\n");
  const std::string_view request_line = rest.substr(0, line_end);
  if (!request_line.ends_with(" HTTP/1.1")) return Parsed::bad;
  rest.remove_prefix(line_end + 2);

  Fields fields{head};
  while (!rest.empty()) {
    line_end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, line_end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return Parsed::bad;
    if (!fields.take(line.substr(0, colon), trimmed(line.substr(colon + 1)))) return Parsed::bad;
    rest.remove_prefix(line_end + 2);
  }
  const bool bodiless = request_line.starts_with("GET ") || request_line.starts_with("DELETE ");
  return fields.has_length || bodiless ? Parsed::complete : Parsed::bad;
}

}  // namespace carillon::load
