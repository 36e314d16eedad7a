#include "delivery/delivery.h"

#include <algorithm>

#include "base/check.h"
#include "delivery/kind.h"

namespace carillon {

Delivery::Delivery(const SinkOptions& options) {
  for (const TargetKind* kind : kinds()) sinks_.emplace_back(kind, kind->open_sink(options));
}

Delivery::~Delivery() = default;

void Delivery::push(Push push, std::function<void(PushResult)> done) {
  const TargetKind* const kind = &push.target->own->kind();
  const auto sink = std::ranges::find(sinks_, kind, [](const auto& one) { return one.first; });
  CARILLON_CHECK(sink != sinks_.end());
  sink->second->push(std::move(push), std::move(done));
}

void Delivery::reload_files() {
  for (const auto& [kind, sink] : sinks_) sink->reload_files();
}

void Delivery::stop() {
  for (const auto& [kind, sink] : sinks_) sink->stop();
}

DeliveryStats Delivery::stats() const {
  DeliveryStats all;
  for (const auto& [kind, sink] : sinks_) {
    const DeliveryStats its = sink->stats();
    all.in_flight += its.in_flight;
    all.connections_open += its.connections_open;
    all.connections_made += its.connections_made;
    all.connections_reused += its.connections_reused;
  }
  return all;
}

}  // namespace carillon
