// Receivers that misbehave, each in one way, for a server in another process.
//
// Operation: a Hostility says how to be bad and what the server makes of it; a HostileReceiver is
// so, on a thread of its own, over tests/delivery/receiver.h.
#pragma once

#include <atomic>
#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "tests/delivery/receiver.h"
#include "tests/net/certificate.h"

namespace carillon::test {

struct Hostility {
  std::string name;
  /// Where to push to; empty: to a HostileReceiver that does `reaction` to every request.
  std::string url;
  Reaction reaction;
  std::optional<CertificateRequest> certificate;  // then it speaks TLS

  // What is promised.
  std::string state = "dead";  // that each task ends up in, or is in until it is cancelled
  int attempts = 2;            // until then
  std::string error;           // a regular expression for a part of `last_error`
  Millis retry_pause{0};       // at least so long between the attempts
};

/// All but those that need a socket of their own.
[[nodiscard]] std::vector<Hostility> hostilities();

class HostileReceiver {
 public:
  explicit HostileReceiver(const Hostility& hostility);
  ~HostileReceiver();
  HostileReceiver(const HostileReceiver&) = delete;
  HostileReceiver& operator=(const HostileReceiver&) = delete;

  /// The JSON of a target that pushes here.
  [[nodiscard]] std::string target(Millis timeout, int attempts) const;
  /// The shortest time between two pushes of one task.
  [[nodiscard]] Millis shortest_pause() const { return Millis(shortest_pause_ms_); }

 private:
  using Moment = std::chrono::steady_clock::time_point;
  Reaction react(const ReceivedRequest& request);

  std::string url_;
  TempDir dir_;
  CertificateFiles certificate_;
  Reaction reaction_;
  std::map<std::string, Moment> last_push_;  // by task
  std::atomic<std::int64_t> shortest_pause_ms_{std::numeric_limits<std::int64_t>::max()};
  boost::asio::io_context loop_;
  std::unique_ptr<Receiver> receiver_;
  std::thread thread_;
};

}  // namespace carillon::test
