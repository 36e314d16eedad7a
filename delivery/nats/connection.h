// What is said on a connection to a NATS server (delivery/broker/connection.h).
//
// Operation: the conversation of delivery/nats/protocol.h. Each message names a subject of its own
// for the answer, so streams may answer in whatever order. The sign of life is a PONG. A server
// that is about to stop says so; then this connection takes no more, and the next one may lead to
// another server.
//
// Limitations: an error that names no message of ours ends the connection.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "delivery/broker/connection.h"
#include "delivery/nats/protocol.h"
#include "delivery/nats/settings.h"

namespace carillon {

class NatsConnection final : public BrokerConnection {
 public:
  explicit NatsConnection(Parts parts);

 private:
  [[nodiscard]] BrokerLink::TlsBegins tls_begins() const override {
    return BrokerLink::TlsBegins::after_a_line;
  }
  Result<> greet(std::string& out, std::string_view password) override;
  void write_question(std::string& out) override;
  Result<> check_message(const Push& push) const override;
  void write_message(std::string& out, BrokerAttempt& attempt) override;
  Result<> read(std::string_view bytes) override;
  [[nodiscard]] bool awaits_answers() const override { return asks_ || unanswered_ > 0; }
  std::vector<BrokerAttempt*> take_unanswered() override;

  [[nodiscard]] Result<> take(const NatsMessage& said);
  [[nodiscard]] Result<> take_info(std::string_view json);
  [[nodiscard]] Result<> log_in(const NatsInfo& info);
  [[nodiscard]] Result<> take_pong();
  [[nodiscard]] Result<> take_answer(const NatsMessage& answer);
  [[nodiscard]] Result<> take_error(std::string_view words);
  [[nodiscard]] bool refuse_first_to(std::string_view subject, std::string_view words);
  void finish(std::size_t index, PushResult result);

  const NatsSettings& settings_;
  const std::string inbox_;  // what the subjects of answers begin with
  NatsReader reader_;
  simdjson::dom::parser json_;
  std::string password_;
  bool is_introduced_ = false;  // the server has said who it is
  bool is_in_ = false;
  bool asks_ = false;  // for a sign of life
  std::uint64_t message_bytes_max_ = 0;

  std::deque<BrokerAttempt*> sent_;  // from the first that is not answered on; null: answered
  std::uint64_t first_ = 1;          // its number
  std::size_t unanswered_ = 0;
};

}  // namespace carillon
