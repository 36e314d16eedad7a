#include "api/trace_context.h"

#include <algorithm>

#include "base/text.h"
#include "delivery/push_header.h"
#include "tracing/trace_parent.h"

namespace carillon {
namespace {

constexpr std::size_t kTraceStateBytesMax = 512;  // more need not be passed on

bool is_tracestate(std::string_view text) {
  return text.size() <= kTraceStateBytesMax &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

void keep_trace(std::string_view traceparent, std::string_view tracestate,
                std::vector<Header>& headers) {
  if (traceparent.empty() || !parse_traceparent(traceparent)) return;
  const auto names_trace = [](const Header& header) {
    return same_in_any_case(header.name, "traceparent") ||
           same_in_any_case(header.name, "tracestate");
  };
  if (!check_push_header("traceparent", traceparent) || std::ranges::any_of(headers, names_trace)) {
    return;
  }
  headers.push_back({"traceparent", traceparent});
  if (!tracestate.empty() && is_tracestate(tracestate)) {
    headers.push_back({"tracestate", tracestate});
  }
}

}  // namespace carillon
