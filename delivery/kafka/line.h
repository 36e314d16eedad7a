// One connection between librdkafka and a broker. What they say passes through here.
//
//     librdkafka ──▶ socket pair ──▶ line ──▶ delivery/broker/link.h ──▶ broker
//
// Operation: the link judges the broker's addresses by the egress rules, whoever named them,
// speaks TLS, and is reset when librdkafka gives its end up: what has not left this machine then
// never does. Of what passes only the frames are looked at: each request and each answer begins
// with its length.
//
// librdkafka sends to a broker whatever its kernel takes, also where the broker has stopped. So
// here a request that stores messages waits until the broker has given a sign of life:
//
// - While answers are awaited and nothing came for a second, it waits for any of them.
// - Where none is awaited and nothing came for a second, the broker is first asked for the
//   versions that it knows. That question is ours; its answer goes no further.
//
// Concurrency: one loop's thread. Handlers that wait in the loop keep it alive.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "delivery/broker/link.h"
#include "delivery/kafka/sockets.h"

namespace carillon {

class KafkaLine : public std::enable_shared_from_this<KafkaLine>, BrokerLink::Events {
 public:
  class Events {
   public:
    virtual ~Events() = default;
    virtual void opened(KafkaLine& line) = 0;
    /// It is closed. `why`: null where librdkafka did it. May drop the line.
    virtual void closed(KafkaLine& line, const Error* why) = 0;
  };

  /// Where it leads: a URL of delivery/kafka/settings.h. `events` must live until `close`.
  KafkaLine(BrokerNetwork& network, Events& events, KafkaSockets::Socket library, const Url& url,
            const ClientTls& tls, Millis silent_for);
  ~KafkaLine() override;
  KafkaLine(const KafkaLine&) = delete;
  KafkaLine& operator=(const KafkaLine&) = delete;

  void open();
  [[nodiscard]] bool is_open() const { return link_->is_open(); }
  /// Whether it was open once.
  [[nodiscard]] bool was_open() const { return was_open_; }
  /// Closes without reporting it. May be called again.
  void close();

 private:
  using Moment = std::chrono::steady_clock::time_point;

  void opened() override;
  void received(std::string_view bytes) override;
  void written() override { pass_requests(is_silent()); }
  void failed(Error error) override { end(&error); }

  void hear_library();
  void tell_library();
  [[nodiscard]] bool is_silent() const;
  void pass_requests(bool silent);
  [[nodiscard]] std::size_t gather_requests(bool silent);
  [[nodiscard]] bool may_begin(std::string_view request, bool silent);
  void ask_for_life();
  [[nodiscard]] bool is_given_up();
  void pass_answers(std::string_view bytes);
  [[nodiscard]] bool begin_answer();
  void end(const Error* why);

  Events* events_;  // null: closed
  KafkaSockets::Socket library_;
  std::shared_ptr<BrokerLink> link_;
  const Millis silent_for_;
  bool was_open_ = false;
  Moment heard_at_{};
  Moment asked_at_{};        // when the first was sent of what is awaited
  std::size_t awaited_ = 0;  // answers
  bool asks_ = false;        // for a sign of life

  bool is_hearing_ = false;       // a read of the library's end is under way
  std::string requests_;          // from the library, not passed yet
  std::size_t request_left_ = 0;  // of the one that is being passed
  std::string to_broker_;

  bool is_telling_ = false;
  std::string answer_head_;
  std::size_t answer_left_ = 0;
  bool drops_answer_ = false;  // it is to our own question
  std::string to_library_;
  std::string being_told_;

  std::array<char, 64 * 1024> in_;
};

}  // namespace carillon
