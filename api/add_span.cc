#include "api/add_span.h"

#include <utility>

#include "tracing/trace_parent.h"

namespace carillon {

std::unique_ptr<AddSpan> AddSpan::begin(Tracer& tracer, const HttpRequest& request) {
  const auto parent = parse_traceparent(request.traceparent);
  if (!parent || !parent->sampled) return nullptr;
  Span span{.trace_id = std::string(parent->trace_id),
            .span_id = tracer.make_span_id(),
            .parent_id = std::string(parent->span_id),
            .trace_state = std::string(kept_tracestate(request.tracestate)),
            .name = "add",
            .kind = Span::Kind::server,
            .from = tracer.now()};
  return std::unique_ptr<AddSpan>(new AddSpan(tracer, std::move(span)));
}

AddSpan::AddSpan(Tracer& tracer, Span span)
    : tracer_(tracer),
      span_(std::move(span)),
      traceparent_(format_traceparent(span_.trace_id, span_.span_id)) {}

void AddSpan::commit_ends() {
  tracer_.record({.trace_id = span_.trace_id,
                  .span_id = tracer_.make_span_id(),
                  .parent_id = span_.span_id,
                  .name = "commit",
                  .from = commit_from_,
                  .to = tracer_.now()});
}

void AddSpan::end(int status) {
  constexpr int kServerErrors = 500;
  span_.to = tracer_.now();
  span_.attributes.emplace_back("http.response.status_code", std::int64_t{status});
  if (status >= kServerErrors) span_.error = "it was not added";
  tracer_.record(std::move(span_));
}

}  // namespace carillon
