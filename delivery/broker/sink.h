// Pushes to brokers: what the sinks of all such kinds do alike.
//
// Operation: all pushes to one broker with the same credentials go over one connection
// (delivery/broker/connection.h), but for targets with another `timeout`, and what else a kind
// keeps apart, so that one that waits for long does not keep the others waiting. An attempt's time
// begins with the push; it includes connecting. A push of which not a byte went out goes to a new
// connection when its own, having been fit for use, breaks.
//
// Concurrency: as delivery/sink.h.
//
// Limitations: at most 64 connections of each kind.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "delivery/broker/connection.h"
#include "delivery/broker/link.h"
#include "delivery/broker/routes.h"
#include "delivery/sink.h"
#include "net/deadlines.h"

namespace carillon {

/// What only tests choose otherwise.
struct BrokerSinkOptions {
  /// A connection on which nothing came for so long is asked for a sign of life before more is sent
  /// on it.
  Millis silent_for{std::chrono::seconds(1)};
  /// How often a connection is looked at: whether it is used, and whether the broker is there.
  Millis look_each{std::chrono::seconds(30)};
};

class BrokerSink : public Sink, BrokerConnection::Events {
 public:
  ~BrokerSink() override { stop(); }
  void push(Push push, std::function<void(PushResult)> done) final;
  void reload_files() final { network_.tls_contexts.forget(); }
  void stop() final;
  [[nodiscard]] DeliveryStats stats() const final { return stats_; }

 protected:
  BrokerSink(const SinkOptions& options, const BrokerSinkOptions& own);

  /// Why such a push cannot be sent, if it cannot.
  [[nodiscard]] virtual Result<> check_push(const Push& push) const = 0;
  /// Appends what keeps connections of this kind apart beside where they lead and `timeout`.
  virtual void append_key(std::string& key, const TargetSettings& target) const = 0;
  [[nodiscard]] virtual std::shared_ptr<BrokerConnection> make_connection(
      BrokerConnection::Parts parts) const = 0;

 private:
  static constexpr std::size_t kConnectionsMax = 64;

  void ready() final { ++stats_.connections_made; }
  void closed(BrokerConnection& connection) final;
  void ended(BrokerAttempt& attempt, PushResult result) final;
  void unsent(BrokerAttempt& attempt, const Error& why, bool was_ready) final;

  [[nodiscard]] BrokerAttempt& new_attempt();
  [[nodiscard]] Result<> start(BrokerAttempt& attempt);
  [[nodiscard]] std::string key_for(const TargetSettings& target) const;
  [[nodiscard]] Result<std::shared_ptr<BrokerConnection>> connection_for(const Push& push);
  [[nodiscard]] bool close_an_idle_one();
  void expired(BrokerAttempt& attempt);
  void fail_later(BrokerAttempt& attempt, const Error& error);
  [[nodiscard]] Deadlines& deadlines(Millis length);

  boost::asio::io_context& loop_;
  const BrokerSinkOptions own_;
  DeliveryStats stats_;
  BrokerNetwork network_;
  Deadlines answers_;
  Deadlines heartbeats_;
  std::map<Millis, Deadlines> deadlines_;
  BrokerRoutes routes_;  // to `connections_`
  std::unordered_map<std::string, std::shared_ptr<BrokerConnection>> connections_;
  std::deque<BrokerAttempt> attempts_;  // all there are, under way or spare
  std::vector<BrokerAttempt*> spare_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // empty once stopped
};

}  // namespace carillon
