// The spans of a request that adds tasks: of the request, and of the commit that it waits for.
//
// Operation: made for a request whose trace is sampled. What is kept with its tasks is then the
// `traceparent` of this span, so that their pushes tell where they come from.
//
// Concurrency: one request's thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"
#include "tracing/tracer.h"

namespace carillon {

class AddSpan {
 public:
  /// Null where the request has no sampled trace.
  [[nodiscard]] static std::unique_ptr<AddSpan> begin(Tracer& tracer, const HttpRequest& request);

  /// What is kept in place of the request's own.
  [[nodiscard]] std::string_view traceparent() const { return traceparent_; }
  /// The tasks are handed over, and what came of them is known.
  void commit_begins() { commit_from_ = tracer_.now(); }
  void commit_ends();
  /// The request is answered.
  void end(int status);

 private:
  AddSpan(Tracer& tracer, Span span);

  Tracer& tracer_;
  Span span_;
  std::string traceparent_;
  WallMicros commit_from_{};
};

}  // namespace carillon
