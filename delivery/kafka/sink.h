// Pushes to topics of Kafka: each becomes a message.
//
// Operation: targets with the same brokers, credentials, `acks` and `timeout` share a producer
// (delivery/kafka/producer.h). An attempt ends with its delivery report alone. A producer that was
// not used for ten minutes is ended, by a thread of its own, since that waits for librdkafka's.
//
// Concurrency: as delivery/sink.h.
//
// Limitations: at most 64 producers. A push to a broker that has just stopped lasts as long as
// `timeout`.
#pragma once

#include <deque>
#include <future>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "delivery/broker/link.h"
#include "delivery/broker/routes.h"
#include "delivery/kafka/producer.h"
#include "delivery/sink.h"
#include "net/deadlines.h"

namespace carillon {

/// What only tests choose otherwise.
struct KafkaSinkOptions {
  /// A connection on which nothing came for so long is asked for a sign of life before more is sent
  /// on it.
  Millis silent_for{std::chrono::seconds(1)};
  /// How often producers are looked at, and after how long one that is not used is ended.
  Millis look_each{std::chrono::seconds(30)};
  Millis unused_for{std::chrono::minutes(10)};
  int messages_max = 100'000;  // that a producer holds at once
};

class KafkaSink final : public Sink, KafkaProducer::Events {
 public:
  explicit KafkaSink(const SinkOptions& options, const KafkaSinkOptions& own = {});
  ~KafkaSink() override { stop(); }
  void push(Push push, std::function<void(PushResult)> done) override;
  void reload_files() override { network_.tls_contexts.forget(); }
  void stop() override;
  [[nodiscard]] DeliveryStats stats() const override { return stats_; }

 private:
  static constexpr std::size_t kProducersMax = 64;

  void connected() override;
  void disconnected() override { --stats_.connections_open; }
  void ended(KafkaProducer& producer, KafkaAttempt& attempt, PushResult result) override;
  void closed(KafkaProducer& producer) override;

  [[nodiscard]] KafkaAttempt& new_attempt();
  [[nodiscard]] Result<> start(KafkaAttempt& attempt);
  [[nodiscard]] Result<std::shared_ptr<KafkaProducer>> producer_for(const Push& push);
  void fail_later(KafkaAttempt& attempt, const Error& error);
  void over(KafkaAttempt& attempt, PushResult result);
  void look_after();
  [[nodiscard]] bool retire_an_idle_one(Millis unused_for);
  void retire_leaving_later();
  void retire(KafkaProducer& producer);

  boost::asio::io_context& loop_;
  const KafkaSinkOptions own_;
  DeliveryStats stats_;
  BrokerNetwork network_;
  Deadlines looks_;
  Deadline look_;
  BrokerRoutes routes_;
  std::unordered_map<std::string, std::shared_ptr<KafkaProducer>> producers_;
  std::vector<std::shared_ptr<KafkaProducer>> leaving_;  // which take no more messages
  std::vector<std::future<void>> ending_;
  /// All attempts there are, under way or spare; null once stopped.
  std::shared_ptr<std::deque<KafkaAttempt>> attempts_ =
      std::make_shared<std::deque<KafkaAttempt>>();
  std::vector<KafkaAttempt*> spare_;
};

}  // namespace carillon
