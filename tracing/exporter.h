// Sends spans to a collector by OTLP over HTTP, in JSON.
//
// Operation: each second what has come is sent as a push outside of tasks, lanes and holds, some
// hundred spans at once, one push after the other. A batch that a collector does not take is
// dropped: the next one tells whether it is there again. While one is under way, spans gather, up
// to the tracer's bound. So a collector that hangs costs nothing but its spans.
//
// Concurrency: the loop's thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "delivery/sink.h"
#include "tracing/tracer.h"

namespace carillon {

class TraceExporter {
 public:
  /// What is referred to must outlive it; `sink` is the one that makes no spans.
  struct Parts {
    boost::asio::io_context& loop;
    Sink& sink;
    Tracer& tracer;
    Clock& clock;
    TargetSettings url_defaults;
    std::string url;
    std::string version;
  };
  explicit TraceExporter(Parts parts);

  void start();
  /// What has not been sent is lost.
  void stop();

 private:
  void wait();
  void send();
  void sent(std::size_t count, const PushResult& result);

  Parts its_;
  std::shared_ptr<const TargetSettings> target_;
  boost::asio::steady_timer timer_;
  bool failing_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
