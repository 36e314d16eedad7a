#include "api/trace_context.h"

#include <algorithm>

#include "base/text.h"
#include "delivery/push_header.h"

namespace carillon {
namespace {

constexpr std::size_t kTraceStateBytesMax = 512;  // more need not be passed on

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// Of that many lower-case hex digits, not all of them zero.
bool is_id(std::string_view text) {
  return is_lower_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

bool is_tracestate(std::string_view text) {
  return text.size() <= kTraceStateBytesMax &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

bool is_traceparent(std::string_view text) {
  constexpr std::size_t kBytes = 55;  // 2, 32, 16 and 2 digits, and dashes between
  if (text.size() < kBytes || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2);
  if (!is_lower_hex(version) || version == "ff") return false;
  if (text.size() > kBytes && (version == "00" || text[kBytes] != '-')) return false;
  return is_id(text.substr(3, 32)) && is_id(text.substr(36, 16)) &&
         is_lower_hex(text.substr(53, 2));
}

void keep_trace(const HttpRequest& request, std::vector<Header>& headers) {
  if (request.traceparent.empty() || !is_traceparent(request.traceparent)) return;
  const auto names_trace = [](const Header& header) {
    return same_in_any_case(header.name, "traceparent") ||
           same_in_any_case(header.name, "tracestate");
  };
  if (!check_push_header("traceparent", request.traceparent) ||
      std::ranges::any_of(headers, names_trace)) {
    return;
  }
  headers.push_back({"traceparent", request.traceparent});
  if (!request.tracestate.empty() && is_tracestate(request.tracestate)) {
    headers.push_back({"tracestate", request.tracestate});
  }
}

}  // namespace carillon
