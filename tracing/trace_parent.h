// What a `traceparent` of W3C Trace Context says.
//
// Concurrency: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace carillon {

struct TraceParent {
  std::string_view trace_id;  // 32 hex digits
  std::string_view span_id;   // 16 hex digits
  bool sampled = false;
};

/// Nothing where it is none (https://www.w3.org/TR/trace-context/#traceparent-header): wanted are a
/// known version's four fields, or a later version that begins with them. Views into `text`.
[[nodiscard]] std::optional<TraceParent> parse_traceparent(std::string_view text);

/// A `tracestate` as far as it is passed on: nothing where it is none, or of more than 512 bytes.
[[nodiscard]] std::string_view kept_tracestate(std::string_view text);

/// One of a span that is sampled.
[[nodiscard]] std::string format_traceparent(std::string_view trace_id, std::string_view span_id);

}  // namespace carillon
