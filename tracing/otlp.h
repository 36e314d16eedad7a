// Spans as OTLP has them in JSON (opentelemetry-proto, ExportTraceServiceRequest): ids in hex,
// times in nanoseconds as text.
//
// Concurrency: pure functions.
#pragma once

#include <span>
#include <string>

#include "tracing/tracer.h"

namespace carillon {

/// The body of one request to a collector. `version`: of this program.
[[nodiscard]] std::string format_otlp(std::span<const Span> spans, std::string_view version);

}  // namespace carillon
