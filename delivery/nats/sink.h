// Pushes to streams of NATS JetStream: each becomes a message, published to a subject that a stream
// listens to.
//
// Operation: as delivery/broker/sink.h.
//
// Concurrency: as delivery/sink.h.
//
// Limitations: one server, or one of several behind one name. What a server says of others is not
// followed, and none is asked to shake hands for TLS before it has greeted us.
#pragma once

#include <memory>
#include <string>

#include "delivery/broker/sink.h"

namespace carillon {

class NatsSink final : public BrokerSink {
 public:
  explicit NatsSink(const SinkOptions& options, const BrokerSinkOptions& own = {})
      : BrokerSink(options, own) {}

 private:
  Result<> check_push(const Push& push) const override;
  void append_key(std::string& key, const TargetSettings& target) const override;
  std::shared_ptr<BrokerConnection> make_connection(BrokerConnection::Parts parts) const override;
};

}  // namespace carillon
