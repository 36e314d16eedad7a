// The trace that a request belongs to: `traceparent` and `tracestate` of W3C Trace Context.
//
// They are kept with each task that the request adds, as headers of its push, so that a receiver
// goes on with the trace. What is not well-formed is passed over, both together, as the standard
// asks: a broken trace must not cost a task.
#pragma once

#include <string_view>
#include <vector>

#include "wheel/task.h"

namespace carillon {

/// Adds a request's trace to a task's headers, unless the task brings a `traceparent` itself.
void keep_trace(std::string_view traceparent, std::string_view tracestate,
                std::vector<Header>& headers);

}  // namespace carillon
