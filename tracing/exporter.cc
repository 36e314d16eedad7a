#include "tracing/exporter.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "delivery/http/settings.h"
#include "tracing/otlp.h"

namespace carillon {
namespace {

constexpr std::chrono::seconds kEach(1);
constexpr std::size_t kBatchMax = 512;
constexpr Millis kPatience = std::chrono::seconds(5);

}  // namespace

TraceExporter::TraceExporter(Parts parts) : its_(std::move(parts)), timer_(its_.loop) {
  its_.url_defaults.timeout = kPatience;
  // What receivers are sent and shown is not for the collector.
  auto own = std::make_shared<HttpSettings>(http_settings(its_.url_defaults));
  own->method = "POST";
  own->headers.clear();
  own->secrets.clear();
  its_.url_defaults.own = std::move(own);
  target_ = std::make_shared<const TargetSettings>(std::move(its_.url_defaults));
}

void TraceExporter::start() {
  wait();
}

void TraceExporter::stop() {
  alive_.reset();
  timer_.cancel();
}

void TraceExporter::wait() {
  timer_.expires_after(kEach);
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
    if (!error && !alive.expired()) send();
  });
}

void TraceExporter::send() {
  const std::vector<Span> spans = its_.tracer.take(kBatchMax);
  if (spans.empty()) return wait();
  const auto body = std::make_shared<const std::string>(format_otlp(spans, its_.version));
  Push push;
  push.target = target_;
  push.row = body;
  push.content.id = "carillon-spans";
  push.content.target = its_.url;
  push.content.body = *body;
  push.content.content_type = "application/json";
  push.content.body_is_json = true;
  push.content.webhook_id = "carillon-spans";
  push.due = its_.clock.wall();
  its_.sink.push(std::move(push), [this, alive = std::weak_ptr(alive_),
                                   count = spans.size()](const PushResult& result) {
    if (!alive.expired()) sent(count, result);
  });
}

void TraceExporter::sent(std::size_t count, const PushResult& result) {
  const bool failed = result.kind != PushResult::Kind::delivered;
  if (failed) its_.tracer.note_lost(count);
  if (failed != failing_) {
    if (failed) log_warning("spans are dropped", {{"why", result.error}});
    if (!failed) log_info("spans are taken again");
    failing_ = failed;
  }
  // More may wait already; after a failure the collector gets a pause.
  if (failed || count < kBatchMax) return wait();
  send();
}

}  // namespace carillon
