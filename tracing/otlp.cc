#include "tracing/otlp.h"

#include <string_view>

#include "base/json.h"

namespace carillon {
namespace {

constexpr int kStatusError = 2;
constexpr int kTraceIsSampled = 1;

std::string nanos(WallMicros time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

void append_text(JsonWriter& json, std::string_view key, std::string_view value) {
  json.begin_object().key("key").string(key);
  json.key("value").begin_object().key("stringValue").string(value).end_object().end_object();
}

void append_attributes(JsonWriter& json, const Span& span) {
  if (span.attributes.empty()) return;  // as protobuf's own JSON leaves it out
  json.key("attributes").begin_array();
  for (const auto& [key, value] : span.attributes) {
    if (const auto* const text = std::get_if<std::string>(&value)) {
      append_text(json, key, *text);
      continue;
    }
    json.begin_object().key("key").string(key).key("value").begin_object();
    // A whole number of 64 bits is a text in protobuf's JSON.
    json.key("intValue").string(std::to_string(std::get<std::int64_t>(value)));
    json.end_object().end_object();
  }
  json.end_array();
}

void append_span(JsonWriter& json, const Span& span) {
  json.begin_object().key("traceId").string(span.trace_id).key("spanId").string(span.span_id);
  if (!span.trace_state.empty()) json.key("traceState").string(span.trace_state);
  if (!span.parent_id.empty()) json.key("parentSpanId").string(span.parent_id);
  json.key("flags").integer(kTraceIsSampled);
  json.key("name").string(span.name).key("kind").integer(static_cast<int>(span.kind));
  json.key("startTimeUnixNano").string(nanos(span.from));
  json.key("endTimeUnixNano").string(nanos(span.to));
  append_attributes(json, span);
  if (span.link) {
    json.key("links").begin_array().begin_object();
    json.key("traceId").string(span.link->trace_id).key("spanId").string(span.link->span_id);
    json.end_object().end_array();
  }
  if (!span.error.empty()) {
    json.key("status").begin_object().key("message").string(span.error);
    json.key("code").integer(kStatusError).end_object();
  }
  json.end_object();
}

}  // namespace

std::string format_otlp(std::span<const Span> spans, std::string_view version) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("resourceSpans").begin_array().begin_object();
  json.key("resource").begin_object().key("attributes").begin_array();
  append_text(json, "service.name", "carillon");
  append_text(json, "service.version", version);
  json.end_array().end_object();
  json.key("scopeSpans").begin_array().begin_object();
  json.key("scope").begin_object().key("name").string("carillon").end_object();
  json.key("spans").begin_array();
  for (const Span& span : spans) append_span(json, span);
  json.end_array().end_object().end_array();
  json.end_object().end_array().end_object();
  return body;
}

}  // namespace carillon
