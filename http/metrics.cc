#include <prometheus/text_serializer.h>

#include "http/api.h"
#include "http/connection_hub.h"

namespace carillon {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family(MetricType type, std::string name, std::string help) {
  MetricFamily made;
  made.type = type;
  made.name = std::move(name);
  made.help = std::move(help);
  return made;
}

void add_value(MetricFamily& to, double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (to.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  to.metric.push_back(std::move(metric));
}

/// The server's own numbers, which it counts without locks and shows when somebody asks.
std::vector<MetricFamily> families_of(const ConnectionHub& hub) {
  MetricFamily answers =
      family(MetricType::Counter, "carillon_http_answers_total", "Answers by class of status");
  for (std::size_t digit = 2; digit < hub.by_status.size(); ++digit)
    add_value(answers, static_cast<double>(hub.by_status[digit]),
              {{"status", std::to_string(digit) + "xx"}});
  MetricFamily open = family(MetricType::Gauge, "carillon_http_connections", "Connections open");
  add_value(open, static_cast<double>(hub.open));
  MetricFamily accepted = family(MetricType::Counter, "carillon_http_connections_accepted_total",
                                 "Connections that were served");
  add_value(accepted, static_cast<double>(hub.accepted));
  MetricFamily refused = family(MetricType::Counter, "carillon_http_connections_refused_total",
                                "Connections turned away over the limit");
  add_value(refused, static_cast<double>(hub.refused));
  MetricFamily handshakes =
      family(MetricType::Gauge, "carillon_http_handshakes", "TLS handshakes under way");
  add_value(handshakes, static_cast<double>(hub.handshakes.taken()));
  MetricFamily buffers = family(MetricType::Gauge, "carillon_http_buffer_bytes",
                                "Bodies that come in and answers that wait to go out");
  add_value(buffers, static_cast<double>(hub.buffers.held()));
  MetricFamily given_up = family(MetricType::Counter, "carillon_http_connections_given_up_total",
                                 "Slow connections that made room for others");
  add_value(given_up, static_cast<double>(hub.buffers.given_up()));
  return {std::move(answers),    std::move(open),    std::move(accepted), std::move(refused),
          std::move(handshakes), std::move(buffers), std::move(given_up)};
}

}  // namespace

bool Api::draining() const {
  return hub_.drain_announced;
}

std::string Api::metrics() const {
  std::vector<MetricFamily> all = registry_.Collect();
  for (MetricFamily& one : families_of(hub_)) all.push_back(std::move(one));
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace carillon
