// A sink that makes spans of pushes: of those whose task came with a sampled trace.
//
// Operation: such a push gets a span, and a `traceparent` that names it, in place of that of the
// add. By default it begins a trace of its own, with a link to the add's span, since a task may be
// pushed days later and again and again; where the tracer continues traces, it is a child of the
// add's span and keeps its `tracestate`. A task's first attempt also gets a span of the time that
// it waited, within the trace of its add. All other pushes pass through as they are.
//
// Concurrency: as delivery/sink.h.
#pragma once

#include <functional>

#include "delivery/sink.h"
#include "tracing/tracer.h"

namespace carillon {

class TracedSink final : public Sink {
 public:
  /// Both must outlive it.
  TracedSink(Sink& sink, Tracer& tracer) : sink_(sink), tracer_(tracer) {}

  void push(Push push, std::function<void(PushResult)> done) override;
  void reload_files() override { sink_.reload_files(); }
  void stop() override { sink_.stop(); }
  [[nodiscard]] DeliveryStats stats() const override { return sink_.stats(); }

 private:
  Sink& sink_;
  Tracer& tracer_;
};

}  // namespace carillon
