#include "tracing/trace_parent.h"

#include <algorithm>

namespace carillon {
namespace {

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// Of hex digits, not all of them zero.
bool is_id(std::string_view text) {
  return is_lower_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) {
  constexpr std::size_t kBytes = 55;  // 2, 32, 16 and 2 digits, and dashes between
  if (text.size() < kBytes || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  if (!is_lower_hex(version) || version == "ff") return std::nullopt;
  if (text.size() > kBytes && (version == "00" || text[kBytes] != '-')) return std::nullopt;
  const std::string_view flags = text.substr(53, 2);
  const TraceParent parent{text.substr(3, 32), text.substr(36, 16),
                           std::string_view("13579bdf").find(flags[1]) != std::string_view::npos};
  if (!is_id(parent.trace_id) || !is_id(parent.span_id) || !is_lower_hex(flags))
    return std::nullopt;
  return parent;
}

std::string_view kept_tracestate(std::string_view text) {
  constexpr std::size_t kBytesMax = 512;  // more need not be passed on (W3C Trace Context, 3.3.1.5)
  const bool is_one = text.size() <= kBytesMax &&
                      std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  return is_one ? text : std::string_view();
}

std::string format_traceparent(std::string_view trace_id, std::string_view span_id) {
  return std::string("00-").append(trace_id).append("-").append(span_id).append("-01");
}

}  // namespace carillon
