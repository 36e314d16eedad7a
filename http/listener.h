// One listening socket: accepts connections and hands them on.
//
// Where the process has no file descriptors left, accepting pauses for a moment instead of trying
// again at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/message.h"
#include "http/server.h"

namespace carillon {

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using Accepted =
      std::function<void(Socket socket, const std::shared_ptr<boost::asio::ssl::context>& tls)>;

  Listener(boost::asio::io_context& loop, ListenAddress address);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Binds and listens. Error slug: config.
  [[nodiscard]] Result<> bind();
  /// Accepts from now on, until `close`.
  void start(Accepted accepted);
  void close();

  /// "http://127.0.0.1:43123", "https://...", "unix:/run/x".
  [[nodiscard]] std::string url() const;
  /// Empty for a unix socket.
  [[nodiscard]] std::optional<boost::asio::ip::tcp::endpoint> endpoint() const;

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;
  static Async<void> accept(std::shared_ptr<Listener> self);
  Result<> bind_unix();
  Result<> bind_tcp();

  boost::asio::io_context& loop_;
  ListenAddress address_;
  Acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::optional<boost::asio::ip::tcp::endpoint> endpoint_;
  Accepted accepted_;
  bool bound_ = false;
};

}  // namespace carillon
