// A gate before a Kafka broker that speaks neither TLS nor SASL, as librdkafka's mock does not: it
// does both in its place, on a free port of 127.0.0.1, on the test's own loop.
//
// Operation: where the broker says where it is, the gate's port stands in the place of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "tests/net/certificate.h"

namespace carillon {

class KafkaGate {
 public:
  struct Options {
    std::optional<CertificateFiles> tls{};
    std::string username{};  // set: nobody else is let in (PLAIN)
    std::string password{};
  };
  /// `broker`: "127.0.0.1:PORT".
  KafkaGate(boost::asio::io_context& loop, const std::string& broker, Options options);
  ~KafkaGate();
  KafkaGate(const KafkaGate&) = delete;
  KafkaGate& operator=(const KafkaGate&) = delete;

  /// HOST:PORT.
  [[nodiscard]] std::string broker() const;
  void set_password(const std::string& password);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace carillon
