// The settings that targets of kind `nats` add to those of all brokers: to which subject messages
// are published, and the credentials of NATS.
#pragma once

#include <string>

#include "delivery/broker/settings.h"
#include "delivery/target.h"

namespace carillon {

extern const TargetKind kNatsKind;

inline constexpr UrlSchemes kNatsSchemes{"nats", "tls", "4222", "4222"};

/// Of a user of NATS, as a credentials file holds them.
struct NatsCredentials {
  std::string jwt;
  std::string seed;  // of the key that proves it; secret
};

struct NatsSettings final : BrokerSettings {
  NatsSettings() : BrokerSettings(kNatsKind, kNatsSchemes) {}

  std::string subject;     // of each message whose task has no key
  std::string creds_file;  // in place of a user name and password

  /// As the file has them now; empty where none is named. Error slug: unusable_file.
  [[nodiscard]] Result<NatsCredentials> read_credentials() const;

 private:
  Result<> read_own(std::string_view key, simdjson::ondemand::value from) override;
  Result<> check_own(const Url& parsed) const override;
  [[nodiscard]] bool is_key(std::string_view key) const override;
  Result<> check_own_files() const override;
  [[nodiscard]] SecretFiles own_secret_files() const override {
    return {{"creds_file", creds_file}};
  }
  void write_own(JsonWriter& json) const override;
  void write_own_trust(JsonWriter& json) const override;
  [[nodiscard]] bool equals_own(const BrokerSettings& other) const override;
  [[nodiscard]] std::shared_ptr<BrokerSettings> copy() const override;
};

/// Those of a target whose kind this is.
[[nodiscard]] const NatsSettings& nats_settings(const TargetSettings& target);

}  // namespace carillon
