// The settings that targets of kind `kafka` add to those of all brokers: the brokers that lead to
// the cluster, the topic, and what an answer must mean.
#pragma once

#include <string>
#include <vector>

#include "delivery/broker/settings.h"
#include "delivery/target.h"

namespace carillon {

extern const TargetKind kKafkaKind;

inline constexpr UrlSchemes kKafkaSchemes{"kafka", "kafkas", "9092", "9092"};

struct KafkaSettings final : BrokerSettings {
  KafkaSettings() : BrokerSettings(kKafkaKind, kKafkaSchemes) {}

  std::vector<std::string> brokers;  // HOST:PORT of each; they name the others
  std::string topic;
  bool acks_all = true;  // else the leader's answer is enough
  std::string sasl_mechanism = "PLAIN";

  /// TLS is used where `tls` is named.
  Result<std::vector<Url>> receivers() const override;
  /// Any is taken.
  Result<> check_key(std::string_view /*key*/) const override { return {}; }

 private:
  Result<> read_own(std::string_view key, simdjson::ondemand::value from) override;
  Result<> check_own(const Url& first) const override;
  [[nodiscard]] bool shows_tls() const override { return names_tls; }
  void write_own(JsonWriter& json) const override;
  void write_own_trust(JsonWriter& json) const override;
  [[nodiscard]] bool equals_own(const BrokerSettings& other) const override;
  [[nodiscard]] std::shared_ptr<BrokerSettings> copy() const override;
};

/// Those of a target whose kind this is.
[[nodiscard]] const KafkaSettings& kafka_settings(const TargetSettings& target);

}  // namespace carillon
