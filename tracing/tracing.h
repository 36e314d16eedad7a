// Tracing as one part of a server: spans of adds and pushes, and the way to their collector.
//
// Concurrency: made, started and stopped on the loop's thread; `tracer` is for any.
#pragma once

#include <string>

#include "tracing/exporter.h"
#include "tracing/traced_sink.h"
#include "tracing/tracer.h"

namespace carillon {

struct TracingOptions {
  std::string otlp_url;        // empty: no spans are made
  std::string trace = "link";  // or "child": a push goes on with the trace of its add
};

class Tracing {
 public:
  /// What is referred to must outlive it. Pushes go to `sink`, and so do the spans.
  Tracing(boost::asio::io_context& loop, Clock& clock, Sink& sink, const TracingOptions& options,
          TargetSettings url_defaults, std::string version)
      : tracer_(clock, options.trace == "child"),
        sink_(sink, tracer_),
        exporter_({loop, sink, tracer_, clock, std::move(url_defaults), options.otlp_url,
                   std::move(version)}) {}

  [[nodiscard]] Sink& sink() { return sink_; }
  [[nodiscard]] Tracer& tracer() { return tracer_; }
  void start() { exporter_.start(); }
  void stop() { exporter_.stop(); }

 private:
  Tracer tracer_;
  TracedSink sink_;
  TraceExporter exporter_;
};

}  // namespace carillon
