// The kind `nats`: its members, its settings and its sink.

#include <array>
#include <memory>

#include "delivery/nats/settings.h"
#include "delivery/nats/sink.h"

namespace carillon {
namespace {

constexpr std::array<std::string_view, 9> kMembers = {"url",           "subject",      "keys",
                                                      "creds_file",    "username",     "password",
                                                      "password_file", "password_env", "tls"};

std::unique_ptr<KindSettings> make_settings() {
  return std::make_unique<NatsSettings>();
}

std::unique_ptr<Sink> open_sink(const SinkOptions& options) {
  return std::make_unique<NatsSink>(options);
}

}  // namespace

constinit const TargetKind kNatsKind{.name = "nats",
                                     .members = kMembers,
                                     .concurrency = 1000,
                                     .make_settings = make_settings,
                                     .open_sink = open_sink};

}  // namespace carillon
