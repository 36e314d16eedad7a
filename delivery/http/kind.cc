// The kind `http`: its members, its settings and its sink.

#include <array>
#include <memory>

#include "delivery/http/settings.h"
#include "delivery/http/sink.h"

namespace carillon {
namespace {

constexpr std::array<std::string_view, 7> kMembers = {
    "url", "method", "headers", "connection_max_age", "batch", "secrets", "tls"};

std::unique_ptr<KindSettings> make_settings() {
  return std::make_unique<HttpSettings>();
}

std::unique_ptr<Sink> open_sink(const SinkOptions& options) {
  return std::make_unique<HttpSink>(options);
}

}  // namespace

constinit const TargetKind kHttpKind{.name = "http",
                                     .members = kMembers,
                                     .concurrency = 64,
                                     .make_settings = make_settings,
                                     .open_sink = open_sink};

}  // namespace carillon
