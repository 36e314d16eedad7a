// An instance of librdkafka, which produces messages: set up, and ended.
//
// Operation: targets that share it have the same brokers, credentials, `acks` and `timeout`. TLS,
// names and addresses are none of its business (delivery/kafka/sockets.h).
//
// Concurrency: made on the loop's thread. Its end waits for librdkafka's threads, and may come on
// any thread while the loop's object lives. What was handed over must live until then.
#pragma once

#include <librdkafka/rdkafka.h>

#include "delivery/kafka/sockets.h"
#include "delivery/target.h"

namespace carillon {

class KafkaLibrary {
 public:
  KafkaLibrary(boost::asio::io_context& loop, KafkaSockets::Wanted wanted)
      : sockets_(loop, std::move(wanted)) {}
  ~KafkaLibrary();
  KafkaLibrary(const KafkaLibrary&) = delete;
  KafkaLibrary& operator=(const KafkaLibrary&) = delete;

  /// Whenever there are reports after there were none, it writes a number of 8 bytes to `wakeup`.
  /// Error slugs: unusable_file, network.
  [[nodiscard]] Result<> start(const TargetSettings& target, int messages_max, int wakeup);
  /// It reaches no broker any more. On the loop's thread.
  void disconnect() { sockets_.close(); }
  [[nodiscard]] rd_kafka_t* handle() { return handle_; }
  [[nodiscard]] rd_kafka_queue_t* reports() { return reports_; }

 private:
  KafkaSockets sockets_;
  rd_kafka_t* handle_ = nullptr;
  rd_kafka_queue_t* reports_ = nullptr;
};

/// Messages that one batch has at most, all of which are reported together.
inline constexpr int kKafkaBatchMessages = 500;

}  // namespace carillon
