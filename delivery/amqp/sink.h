// Pushes to RabbitMQ and what else speaks AMQP 0-9-1: each becomes a message.
//
// Operation: as delivery/broker/sink.h; targets with another `exchange` have connections of their
// own, as the broker ends all that is under way beside a message to an exchange that is missing or
// forbidden.
//
// Concurrency: as delivery/sink.h.
//
// Limitations: one broker, which the URL names. Log-in by name and password (PLAIN) only.
#pragma once

#include <memory>
#include <string>

#include "delivery/broker/sink.h"

namespace carillon {

class AmqpSink final : public BrokerSink {
 public:
  explicit AmqpSink(const SinkOptions& options, const BrokerSinkOptions& own = {})
      : BrokerSink(options, own) {}

 private:
  Result<> check_push(const Push& push) const override;
  void append_key(std::string& key, const TargetSettings& target) const override;
  std::shared_ptr<BrokerConnection> make_connection(BrokerConnection::Parts parts) const override;
};

}  // namespace carillon
