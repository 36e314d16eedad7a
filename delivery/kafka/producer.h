// A producer of librdkafka, and its connections to the brokers of one cluster.
//
// Operation: messages are handed to librdkafka, which batches them, knows which broker leads which
// partition, and repeats what was not answered; a broker drops what it got before (the idempotent
// producer, where all replicas are to answer). A message is over when its delivery report comes,
// and not before; that is after the target's `timeout` at the latest, give or take a second. Its
// body is not copied: it stays where the push has it.
//
// Where no broker can be reached, or none lets us in, what waits is over at once: librdkafka would
// keep it until its time is up. It says when there are reports by writing to a descriptor that the
// loop waits for; they are taken some hundred at a time.
//
// Concurrency: one loop's thread. librdkafka has threads of its own, one for each broker.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "delivery/broker/link.h"
#include "delivery/kafka/library.h"
#include "delivery/kafka/line.h"
#include "delivery/kafka/settings.h"
#include "delivery/sink.h"

namespace carillon {

/// One push under way.
struct KafkaAttempt {
  Push push;
  std::function<void(PushResult)> done;
  std::uint64_t purges_before = 0;  // the producer's own
};

class KafkaProducer : public std::enable_shared_from_this<KafkaProducer>, KafkaLine::Events {
 public:
  /// Whom it reports to; from inside `push` only `closed`. `ended` may do anything.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void connected() = 0;
    virtual void disconnected() = 0;
    virtual void ended(KafkaProducer& producer, KafkaAttempt& attempt, PushResult result) = 0;
    /// It takes no more messages; those under way end after this.
    virtual void closed(KafkaProducer& producer) = 0;
  };
  struct Parts {
    BrokerNetwork& network;
    Events& events;
    Millis silent_for;
    int messages_max;  // that it holds at once
    /// Its messages are of this target and of all that share it.
    std::shared_ptr<const TargetSettings> target;
    std::string key;                 // the owner's to use
    std::shared_ptr<void> attempts;  // kept until librdkafka has let go of them
  };

  /// Error slugs: unusable_file, network.
  [[nodiscard]] static Result<std::shared_ptr<KafkaProducer>> make(Parts parts);
  /// Reports nothing. Waits for librdkafka's threads where that was not taken.
  ~KafkaProducer() override { drop(); }
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;

  /// Error slug: not_now where it holds as many as it may.
  [[nodiscard]] Result<> push(KafkaAttempt& attempt);
  /// Reports nothing from now on.
  void drop();
  /// After `drop`: what may be ended on another thread.
  [[nodiscard]] std::unique_ptr<KafkaLibrary> take_library() { return std::move(library_); }

  [[nodiscard]] const std::string& key() const { return its_.key; }
  [[nodiscard]] std::size_t connections_open() const;
  [[nodiscard]] bool is_idle() const { return carried_ == 0; }
  /// It takes no more messages.
  [[nodiscard]] bool is_closed() const { return is_closed_; }
  /// When the last message was handed to it.
  [[nodiscard]] std::chrono::steady_clock::time_point used_at() const { return used_at_; }

 private:
  explicit KafkaProducer(Parts parts);
  void connect(KafkaSockets::Socket library, const std::string& broker);
  void opened(KafkaLine& line) override;
  void closed(KafkaLine& line, const Error* why) override;

  void wait_for_reports();
  void take_reports();
  [[nodiscard]] std::size_t take_report(rd_kafka_event_t& event);
  void take_error(rd_kafka_event_t& event);
  [[nodiscard]] PushResult result_of(const rd_kafka_message_t& message) const;
  void give_up_waiting();
  void take_no_more();

  Parts its_;
  Events* events_;  // null: dropped
  const KafkaSettings& settings_;
  boost::asio::posix::stream_descriptor wakeup_;
  std::unique_ptr<KafkaLibrary> library_;
  std::vector<std::shared_ptr<KafkaLine>> lines_;
  /// What went wrong last; nothing once a broker was reached.
  std::optional<Error> problem_;
  bool is_closed_ = false;
  std::uint64_t purges_ = 0;  // that librdkafka was told to make
  std::size_t carried_ = 0;
  std::chrono::steady_clock::time_point used_at_{};
};

}  // namespace carillon
