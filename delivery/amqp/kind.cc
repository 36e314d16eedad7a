// The kind `amqp`: its members, its settings and its sink.

#include <array>
#include <memory>

#include "delivery/amqp/settings.h"
#include "delivery/amqp/sink.h"

namespace carillon {
namespace {

constexpr std::array<std::string_view, 11> kMembers = {
    "url",      "exchange", "routing_key",   "keys",         "persistent", "mandatory",
    "username", "password", "password_file", "password_env", "tls"};

std::unique_ptr<KindSettings> make_settings() {
  return std::make_unique<AmqpSettings>();
}

std::unique_ptr<Sink> open_sink(const SinkOptions& options) {
  return std::make_unique<AmqpSink>(options);
}

}  // namespace

constinit const TargetKind kAmqpKind{.name = "amqp",
                                     .members = kMembers,
                                     .concurrency = 1000,
                                     .make_settings = make_settings,
                                     .open_sink = open_sink};

}  // namespace carillon
