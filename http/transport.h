// The bytes of one connection: TCP, unix socket, or TLS over either, behind one face.
//
// OpenSSL works on the socket itself. Asio's TLS stream would put a pair of memory buffers between
// the two, 70 KiB for each connection however little it does; as it is, a connection that is idle
// holds no buffers at all (SSL_MODE_RELEASE_BUFFERS), and one that has not said anything yet holds
// nothing of TLS.
//
// Limitations: OpenSSL writes to the socket with write(2), so the process must ignore SIGPIPE.
#pragma once

#include <memory>
#include <string_view>
#include <tuple>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/ssl.h>

#include "http/message.h"

namespace carillon {

class Transport {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using Outcome = std::tuple<boost::system::error_code, std::size_t>;

  /// `tls` empty: plain.
  Transport(Socket socket, std::shared_ptr<boost::asio::ssl::context> tls);

  [[nodiscard]] bool is_tls() const { return context_ != nullptr; }
  /// Returns when the client has sent something.
  Async<boost::system::error_code> wait_for_input();
  /// With TLS only, before the first byte is read or written.
  Async<boost::system::error_code> handshake();

  // The awaitables of Asio's own operations, so that no coroutine is put around them.
  Async<Outcome> read_some(boost::asio::mutable_buffer into) {
    if (tls_) return read_tls(into);
    return socket_.async_read_some(into, kToken);
  }
  Async<Outcome> write(boost::asio::const_buffer bytes) {
    if (tls_) return write_tls(bytes);
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
  struct FreeTls {
    void operator()(SSL* tls) const { SSL_free(tls); }
  };

  /// Calls `step` until it does not have to wait for the socket any more.
  template <typename Step>
  Async<Outcome> run_tls(Step step);
  Async<Outcome> read_tls(boost::asio::mutable_buffer into);
  Async<Outcome> write_tls(boost::asio::const_buffer bytes);

  Socket socket_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::unique_ptr<SSL, FreeTls> tls_;
};

}  // namespace carillon
