#include "tracing/traced_sink.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "tracing/trace_parent.h"

namespace carillon {
namespace {

/// The header of that name; null: there is none.
Header* find(std::vector<Header>& headers, std::string_view name) {
  const auto found = std::ranges::find_if(
      headers, [name](const Header& header) { return same_in_any_case(header.name, name); });
  return found == headers.end() ? nullptr : &*found;
}

/// What a push with a header of its own keeps alive.
struct Kept {
  std::shared_ptr<const std::string> row;
  std::string traceparent;
};

void describe(const Push& push, Span& span) {
  span.attributes.emplace_back("carillon.task.id", std::string(push.content.id));
  span.attributes.emplace_back("carillon.attempt", std::int64_t{push.attempt});
  if (!push.target->name.empty())
    span.attributes.emplace_back("carillon.target", push.target->name);
}

Span waiting(const Push& push, const TraceParent& add, Tracer& tracer) {
  Span span{.trace_id = std::string(add.trace_id),
            .span_id = tracer.make_span_id(),
            .parent_id = std::string(add.span_id),
            .name = "wait",
            .from = push.content.created_at,
            .to = tracer.now()};
  describe(push, span);
  return span;
}

Span pushing(const Push& push, const TraceParent& add, std::string_view trace_state,
             Tracer& tracer) {
  Span span{.trace_id = {},
            .span_id = tracer.make_span_id(),
            .name = "push",
            .kind = Span::Kind::producer,
            .from = tracer.now()};
  if (tracer.continues()) {
    span.trace_id = add.trace_id;
    span.parent_id = add.span_id;
    span.trace_state = trace_state;
  } else {
    span.trace_id = tracer.make_trace_id();
    span.link = {std::string(add.trace_id), std::string(add.span_id)};
  }
  describe(push, span);
  return span;
}

}  // namespace

void TracedSink::push(Push push, std::function<void(PushResult)> done) {
  Header* const parent = find(push.content.headers, "traceparent");
  const auto add = parent == nullptr ? std::nullopt : parse_traceparent(parent->value);
  if (!add || !add->sampled) return sink_.push(std::move(push), std::move(done));
  if (push.attempt == 1) tracer_.record(waiting(push, *add, tracer_));
  const Header* const state = find(push.content.headers, "tracestate");
  auto span = std::make_shared<Span>(pushing(
      push, *add, state == nullptr ? std::string_view() : kept_tracestate(state->value), tracer_));
  auto kept = std::make_shared<Kept>();
  kept->row = push.row;
  kept->traceparent = format_traceparent(span->trace_id, span->span_id);
  parent->value = kept->traceparent;
  if (!tracer_.continues()) {
    std::erase_if(push.content.headers,
                  [](const Header& header) { return same_in_any_case(header.name, "tracestate"); });
  }
  push.row = std::shared_ptr<const std::string>(kept, kept->row.get());
  sink_.push(std::move(push), [&tracer = tracer_, span, done = std::move(done)](PushResult result) {
    span->to = tracer.now();
    if (result.status != 0)
      span->attributes.emplace_back("http.response.status_code", std::int64_t{result.status});
    span->error = result.error;
    tracer.record(std::move(*span));
    done(std::move(result));
  });
}

}  // namespace carillon
