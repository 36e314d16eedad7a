// What is said on a connection to an AMQP broker (delivery/broker/connection.h).
//
// Operation: the conversation of delivery/amqp/protocol.h on one channel. The broker confirms
// messages by their number, in whatever order. One that no queue takes it returns first, and then
// confirms it: that is a failed attempt. While it says that it is blocked, nothing is sent. The
// sign of life is the answer to basic.qos, which limits what we do not do: consume.
//
// Limitations: whatever the broker closes, channel or connection, ends the connection.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "delivery/amqp/protocol.h"
#include "delivery/amqp/settings.h"
#include "delivery/broker/connection.h"

namespace carillon {

class AmqpConnection final : public BrokerConnection {
 public:
  explicit AmqpConnection(Parts parts)
      : BrokerConnection(std::move(parts)), settings_(amqp_settings(target())) {}

 private:
  /// A message that was sent.
  struct Sent {
    BrokerAttempt* attempt = nullptr;  // null: confirmed
    std::string returned{};            // why, where it was
    std::uint16_t code = 0;            // of the return
  };
  using Method = AmqpMethod::Kind;

  Result<> greet(std::string& out, std::string_view password) override;
  void write_question(std::string& out) override;
  void write_heartbeat(std::string& out) override { append_amqp_heartbeat(out); }
  void write_message(std::string& out, BrokerAttempt& attempt) override;
  Result<> read(std::string_view bytes) override;
  [[nodiscard]] bool awaits_answers() const override { return asks_ || unconfirmed_ > 0; }
  std::vector<BrokerAttempt*> take_unanswered() override;

  [[nodiscard]] Result<> take(const AmqpFrame& frame);
  [[nodiscard]] Result<> take_method(const AmqpMethod& method);
  [[nodiscard]] Result<> go_on_greeting(const AmqpMethod& method);
  [[nodiscard]] Result<> tuned(std::uint32_t frame_bytes_max);
  [[nodiscard]] Result<> confirmed(std::uint64_t tag, bool multiple, bool taken);
  void confirm(Sent& sent, bool taken);
  [[nodiscard]] Result<> take_returned_header(std::string_view payload);
  [[nodiscard]] Result<> take_returned_body(std::string_view payload);

  const AmqpSettings& settings_;
  AmqpFrameReader frames_;
  AmqpDecoder decoder_;
  std::string password_;
  Method awaited_ = Method::start;  // while it greets
  bool is_in_ = false;              // the greeting is over
  std::uint32_t frame_bytes_max_ = kAmqpFrameBytesMax;
  bool asks_ = false;  // for a sign of life

  std::deque<Sent> sent_;  // from the first that is not confirmed on
  std::uint64_t first_tag_ = 1;
  std::size_t unconfirmed_ = 0;

  // A return is a method, then a header, then as much body as that says.
  AmqpMethod return_;
  bool awaits_header_ = false;
  std::uint64_t body_left_ = 0;
};

}  // namespace carillon
