// What is said on a connection to a Redis server (delivery/broker/connection.h).
//
// Operation: AUTH and SELECT, then XADDs, which are answered in their order. Where replicas are
// asked for, each write ends with a WAIT, whose answer decides about the XADDs before it; as the
// server does nothing else for us until then, no more is written. The sign of life is a PING's
// answer. An answer that is none to what was asked ends the connection: from there on nobody knows
// which answer belongs to what.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "delivery/broker/connection.h"
#include "delivery/redis/protocol.h"
#include "delivery/redis/settings.h"

namespace carillon {

enum class RedisCommand : std::uint8_t { auth, select, ping, xadd, wait };

class RedisConnection final : public BrokerConnection {
 public:
  explicit RedisConnection(Parts parts)
      : BrokerConnection(std::move(parts)), settings_(redis_settings(target())) {}

 private:
  /// A command that was sent, whose answer is to come.
  struct Expected {
    RedisCommand command = RedisCommand::ping;
    BrokerAttempt* attempt = nullptr;  // of XADD
  };

  Result<> greet(std::string& out, std::string_view password) override;
  void write_question(std::string& out) override;
  [[nodiscard]] bool takes_messages() const override {
    return settings_.replicas == 0 || expected_.empty();
  }
  void write_message(std::string& out, BrokerAttempt& attempt) override;
  void end_messages(std::string& out) override;
  Result<> read(std::string_view bytes) override;
  [[nodiscard]] bool awaits_answers() const override {
    return !expected_.empty() || !unconfirmed_.empty();
  }
  std::vector<BrokerAttempt*> take_unanswered() override;

  [[nodiscard]] std::string wait_ms() const;
  [[nodiscard]] Result<> answered(const RedisReply& reply);
  void added(BrokerAttempt& attempt, const RedisReply& reply);
  void confirmed(const RedisReply& reply);

  const RedisSettings& settings_;
  RedisReader reader_;
  std::deque<Expected> expected_;           // in the order of the answers
  std::deque<BrokerAttempt*> unconfirmed_;  // added, and the replicas have not been counted
};

}  // namespace carillon
