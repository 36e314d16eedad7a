#include "api/trace_context.h"

#include <algorithm>

#include "base/text.h"
#include "delivery/push_header.h"
#include "tracing/trace_parent.h"

namespace carillon {
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
  const std::string_view kept = kept_tracestate(tracestate);
  if (!kept.empty()) headers.push_back({"tracestate", kept});
}

}  // namespace carillon
