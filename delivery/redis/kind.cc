// The kind `redis`: its members, its settings and its sink.

#include <array>
#include <memory>

#include "delivery/redis/settings.h"
#include "delivery/redis/sink.h"

namespace carillon {
namespace {

constexpr std::array<std::string_view, 9> kMembers = {"url",           "stream",       "maxlen",
                                                      "replicas",      "username",     "password",
                                                      "password_file", "password_env", "tls"};

std::unique_ptr<KindSettings> make_settings() {
  return std::make_unique<RedisSettings>();
}

std::unique_ptr<Sink> open_sink(const SinkOptions& options) {
  return std::make_unique<RedisSink>(options);
}

}  // namespace

constinit const TargetKind kRedisKind{.name = "redis",
                                      .members = kMembers,
                                      .concurrency = 1000,
                                      .make_settings = make_settings,
                                      .open_sink = open_sink};

}  // namespace carillon
