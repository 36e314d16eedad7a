// Pushes to Redis streams: each becomes an entry (XADD).
//
// Operation: as delivery/broker/sink.h; targets with another number of `replicas` have connections
// of their own.
//
// Concurrency: as delivery/sink.h.
//
// Limitations: one server, which the URL names; no Cluster, no Sentinel.
#pragma once

#include <memory>
#include <string>

#include "delivery/broker/sink.h"

namespace carillon {

class RedisSink final : public BrokerSink {
 public:
  explicit RedisSink(const SinkOptions& options, const BrokerSinkOptions& own = {})
      : BrokerSink(options, own) {}

 private:
  Result<> check_push(const Push& push) const override;
  void append_key(std::string& key, const TargetSettings& target) const override;
  std::shared_ptr<BrokerConnection> make_connection(BrokerConnection::Parts parts) const override;
};

}  // namespace carillon
