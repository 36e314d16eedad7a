// The sockets that librdkafka talks on. Each is one end of a pair on this machine, and the other
// end is ours: so librdkafka looks no name up and connects to nothing. What it says goes on over
// connections that we make (delivery/kafka/line.h), as they are for all other brokers.
//
// Concurrency: librdkafka's callbacks come on its own threads. What they ask for is told on the
// loop's.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <librdkafka/rdkafka.h>

namespace carillon {

class KafkaSockets {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  /// It wants to talk to this broker, by the name that librdkafka gives it.
  using Wanted = std::function<void(Socket ours, const std::string& broker)>;

  /// `wanted` is called on the loop, until `close`.
  KafkaSockets(boost::asio::io_context& loop, Wanted wanted);
  ~KafkaSockets();
  KafkaSockets(const KafkaSockets&) = delete;
  KafkaSockets& operator=(const KafkaSockets&) = delete;

  /// Makes an instance use them. This must outlive it.
  void serve(rd_kafka_conf_t* conf);
  /// What librdkafka wants from now on ends at once. On the loop.
  void close();

 private:
  [[nodiscard]] int open();
  [[nodiscard]] int connect(int theirs, const char* broker);
  int close_end(int theirs);

  boost::asio::io_context& loop_;
  std::mutex mutex_;  // over what follows
  std::shared_ptr<const Wanted> wanted_;
  std::unordered_map<int, int> ours_;  // of those that are not connected yet, by the other end
};

/// The host and port of "sasl_plaintext://HOST:PORT/NODE", as a URL has them.
[[nodiscard]] std::string kafka_host_and_port(std::string_view broker);

}  // namespace carillon
