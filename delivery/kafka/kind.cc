// The kind `kafka`: its members, its settings and its sink.

#include <array>
#include <memory>

#include "delivery/kafka/settings.h"
#include "delivery/kafka/sink.h"

namespace carillon {
namespace {

constexpr std::array<std::string_view, 9> kMembers = {"brokers",        "topic",        "acks",
                                                      "sasl_mechanism", "username",     "password",
                                                      "password_file",  "password_env", "tls"};

std::unique_ptr<KindSettings> make_settings() {
  return std::make_unique<KafkaSettings>();
}

std::unique_ptr<Sink> open_sink(const SinkOptions& options) {
  return std::make_unique<KafkaSink>(options);
}

}  // namespace

constinit const TargetKind kKafkaKind{.name = "kafka",
                                      .members = kMembers,
                                      .concurrency = 1000,
                                      .make_settings = make_settings,
                                      .open_sink = open_sink};

}  // namespace carillon
