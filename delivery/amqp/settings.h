// The settings that targets of kind `amqp` add to those of all brokers: to which exchange messages
// go, with which routing key, and how much the broker is to take care of them.
#pragma once

#include <string>

#include "delivery/broker/settings.h"
#include "delivery/target.h"

namespace carillon {

extern const TargetKind kAmqpKind;

inline constexpr UrlSchemes kAmqpSchemes{"amqp", "amqps", "5672", "5671"};

struct AmqpSettings final : BrokerSettings {
  AmqpSettings() : BrokerSettings(kAmqpKind, kAmqpSchemes) {}

  std::string exchange;     // empty: the default one, where the routing key names a queue
  std::string routing_key;  // of each message whose task has no key
  bool persistent = true;   // messages outlive the broker, as far as their queue does
  bool mandatory = true;    // a message that no queue takes is a failed attempt

  /// The path of the URL, decoded; "/" where there is none.
  [[nodiscard]] std::string vhost() const;

 private:
  Result<> read_own(std::string_view key, simdjson::ondemand::value from) override;
  Result<> check_own(const Url& parsed) const override;
  [[nodiscard]] bool is_key(std::string_view key) const override;
  void write_own(JsonWriter& json) const override;
  [[nodiscard]] bool equals_own(const BrokerSettings& other) const override;
  [[nodiscard]] std::shared_ptr<BrokerSettings> copy() const override;
};

/// Those of a target whose kind this is.
[[nodiscard]] const AmqpSettings& amqp_settings(const TargetSettings& target);

}  // namespace carillon
