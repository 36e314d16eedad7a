// The settings of a target of kind `redis`: which stream of which database receives, how long it
// may grow, and how many replicas must have an entry.
#pragma once

#include <cstdint>
#include <string>

#include "delivery/broker/settings.h"
#include "delivery/target.h"

namespace carillon {

extern const TargetKind kRedisKind;

inline constexpr UrlSchemes kRedisSchemes{"redis", "rediss", "6379", "6379"};

struct RedisSettings final : BrokerSettings {
  RedisSettings() : BrokerSettings(kRedisKind, kRedisSchemes) {}

  std::string stream;          // the key that entries are added to
  std::uint32_t maxlen = 0;    // about as many entries are kept; 0: all
  std::uint32_t replicas = 0;  // that must have an entry before it counts as delivered

  /// The number of the database: the path of the URL.
  [[nodiscard]] std::uint32_t database() const;

 private:
  Result<> read_own(std::string_view key, simdjson::ondemand::value from) override;
  Result<> check_own(const Url& parsed) const override;
  void write_own(JsonWriter& json) const override;
  [[nodiscard]] bool equals_own(const BrokerSettings& other) const override;
  [[nodiscard]] std::shared_ptr<BrokerSettings> copy() const override;
};

/// Those of a target whose kind this is.
[[nodiscard]] const RedisSettings& redis_settings(const TargetSettings& target);

}  // namespace carillon
