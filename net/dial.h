// Opening one connection to one of several addresses of a receiver.
//
// Operation: the addresses are begun one after the other, each 250 ms after the one before it, or
// at once when that one failed; the first that is connected is taken and the others are given up
// (RFC 8305, "Happy Eyeballs"). So a dead address costs a quarter of a second and not a time-out.
// Where what follows fails on the address that was taken, a TLS handshake for instance, `go_on`
// takes the next.
//
// Concurrency: one loop's thread. Handlers that wait in the loop keep it alive; after `close` they
// do nothing.
//
// Limitations: at most four addresses are tried at the same moment, each of which takes a
// descriptor; when a fifth is begun, the oldest is given up.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/deadlines.h"

namespace carillon {

class Dial : public std::enable_shared_from_this<Dial> {
 public:
  using tcp = boost::asio::ip::tcp;
  using Error = boost::system::error_code;
  /// True: connected, `take_socket` and `endpoint` tell to what. False: no address is left.
  using Done = std::function<void(bool connected)>;

  /// `next`: when the next address is begun; `each`: how long one may take. Both must outlive it.
  /// At least one endpoint. `done` is called once after the start and each `go_on`, never inside.
  Dial(boost::asio::io_context& loop, std::vector<tcp::endpoint> endpoints, Deadlines& next,
       Deadlines& each, Done done);
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  void start() { begin_next(); }
  [[nodiscard]] tcp::socket take_socket() { return std::move(*taken_); }
  [[nodiscard]] const tcp::endpoint& endpoint() const { return endpoint_; }
  /// The connection that was taken is no good, for this reason: on to the next address.
  void go_on(const std::string& why);
  /// Gives everything up; no call back from now on. May be called again.
  void close();

  /// The addresses that failed, or that had not answered when another did.
  [[nodiscard]] const std::vector<tcp::endpoint>& unreachable() const { return unreachable_; }
  /// Why the last one failed, for a person: "connect to 10.0.0.7:443: Connection refused".
  [[nodiscard]] std::string problem() const;
  /// Whether one failed because the process may open no more files.
  [[nodiscard]] bool lacked_descriptor() const { return lacked_descriptor_; }

 private:
  struct Try {
    Try(boost::asio::io_context& loop, const tcp::endpoint& to, std::function<void()> expired)
        : socket(loop), endpoint(to), deadline(std::move(expired)) {}
    tcp::socket socket;
    tcp::endpoint endpoint;
    Deadline deadline;
  };

  void begin_next();
  void connect(const std::shared_ptr<Try>& one);
  void ended(const std::shared_ptr<Try>& one, Error failed);
  void give_up(const std::shared_ptr<Try>& one, const std::string& why);
  void move_on();
  void note_failure(const tcp::endpoint& endpoint, const std::string& why);

  boost::asio::io_context& loop_;
  std::vector<tcp::endpoint> endpoints_;
  std::size_t begun_ = 0;
  Deadlines& next_;
  Deadlines& each_;
  Done done_;
  Deadline begin_deadline_;
  std::vector<std::shared_ptr<Try>> under_way_;  // the oldest first
  std::optional<tcp::socket> taken_;
  tcp::endpoint endpoint_;
  std::vector<tcp::endpoint> unreachable_;
  std::string last_failure_;
  bool lacked_descriptor_ = false;
};

/// "10.0.0.7:443", "[::1]:80".
[[nodiscard]] std::string endpoint_text(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace carillon
