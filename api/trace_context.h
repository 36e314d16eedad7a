// The trace that a request belongs to: `traceparent` and `tracestate` of W3C Trace Context.
//
// They are kept with each task that the request adds, as headers of its push, so that a receiver
// goes on with the trace. What is not well-formed is passed over, both together, as the standard
// asks: a broken trace must not cost a task.
#pragma once

#include <string_view>
#include <vector>

#include "http/message.h"
#include "wheel/task.h"

namespace carillon {

/// Whether it is a `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header): a known
/// version's four fields, or a later version that begins with them.
[[nodiscard]] bool is_traceparent(std::string_view text);

/// Adds the request's trace to a task's headers, unless the task brings a `traceparent` itself.
void keep_trace(const HttpRequest& request, std::vector<Header>& headers);

}  // namespace carillon
