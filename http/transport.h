// The bytes of one connection: TCP, unix socket, or TLS over either, behind one face.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <tuple>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "http/message.h"

namespace carillon {

class Transport {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using Outcome = std::tuple<boost::system::error_code, std::size_t>;

  /// `tls` empty: plain.
  Transport(Socket socket, std::shared_ptr<boost::asio::ssl::context> tls)
      : socket_(std::move(socket)), context_(std::move(tls)) {
    if (context_) tls_.emplace(socket_, *context_);
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
  }

  /// Nothing to do where it is plain.
  Async<boost::system::error_code> handshake();

  // The awaitables of Asio's own operations, so that no coroutine is put around them.
  Async<Outcome> read_some(boost::asio::mutable_buffer into) {
    if (tls_) return tls_->async_read_some(into, kToken);
    return socket_.async_read_some(into, kToken);
  }
  Async<Outcome> write(boost::asio::const_buffer bytes) {
    if (tls_) return boost::asio::async_write(*tls_, bytes, kToken);
    return boost::asio::async_write(socket_, bytes, kToken);
  }
  /// Sends as much as the kernel takes at once and answers how much that was: without a coroutine,
  /// and all of it but where a client does not read. Nothing with TLS, or after an error, which
  /// `write` will meet again.
  [[nodiscard]] std::size_t write_now(std::string_view bytes);

  /// Says that nothing more will be sent; the socket can still be read.
  Async<void> finish_sending();
  /// Makes what is under way end with operation_aborted; the connection can still be used.
  void cancel();
  void close();

 private:
  static constexpr auto kToken = boost::asio::as_tuple(boost::asio::use_awaitable);
  Socket socket_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::optional<boost::asio::ssl::stream<Socket&>> tls_;
};

}  // namespace carillon
