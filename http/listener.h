// One listening socket: accepts connections and hands them on.
//
// Where the process has no file descriptors left, accepting pauses for a moment instead of trying
// again at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "http/bind.h"
#include "http/message.h"

namespace carillon {

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using Accepted = std::function<void(Socket socket, Listener& listener)>;

  Listener(boost::asio::io_context& loop, BoundSocket bound, const ListenAddress& address);

  /// Accepts from now on, until `close`.
  void start(Accepted accepted);
  void close();

  [[nodiscard]] boost::asio::io_context& loop() const { return loop_; }
  [[nodiscard]] Door door() const { return door_; }
  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
  /// For a connection that has just come; empty where it is plain.
  [[nodiscard]] TlsContext tls_context();
  /// "http://127.0.0.1:43123", "https://...", "unix:/run/x".
  [[nodiscard]] std::string url() const;
  /// Empty for a unix socket.
  [[nodiscard]] const std::optional<boost::asio::ip::tcp::endpoint>& endpoint() const {
    return bound_.endpoint;
  }

 private:
  static Async<void> accept(std::shared_ptr<Listener> self);

  boost::asio::io_context& loop_;
  BoundSocket bound_;
  boost::asio::steady_timer pause_;
  Door door_;
  std::shared_ptr<WatchedTls> tls_;
  std::string trouble_told_;  // with the files of `tls_`
  Accepted accepted_;
};

}  // namespace carillon
