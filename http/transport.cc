#include "http/transport.h"

#include <boost/asio/error.hpp>
#include <openssl/err.h>

namespace carillon {

namespace asio = boost::asio;
using boost::system::error_code;

Transport::Transport(Socket socket, std::shared_ptr<asio::ssl::context> tls)
    : socket_(std::move(socket)), context_(std::move(tls)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
}

Async<error_code> Transport::wait_for_input() {
  const auto [ec] = co_await socket_.async_wait(Socket::wait_read, kToken);
  co_return ec;
}

Async<error_code> Transport::handshake() {
  tls_.reset(SSL_new(context_->native_handle()));
  if (!tls_ || SSL_set_fd(tls_.get(), socket_.native_handle()) != 1)
    co_return asio::error::no_memory;
  SSL_set_mode(tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
  const auto [ec, count] =
      co_await run_tls([tls = tls_.get()](std::size_t&) { return SSL_accept(tls); });
  co_return ec;
}

template <typename Step>
Async<Transport::Outcome> Transport::run_tls(Step step) {
  for (;;) {
    // Closed meanwhile: the descriptor's number may be another connection's already.
    if (!socket_.is_open()) co_return Outcome(asio::error::operation_aborted, 0);
    // What another connection left in this thread's queue would be taken for ours.
    ERR_clear_error();
    std::size_t count = 0;
    const int result = step(count);
    if (result > 0) co_return Outcome(error_code(), count);
    const int reason = SSL_get_error(tls_.get(), result);
    if (reason == SSL_ERROR_ZERO_RETURN) co_return Outcome(asio::error::eof, 0);
    if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE)
      co_return Outcome(asio::error::connection_aborted, 0);
    const auto [ec] = co_await socket_.async_wait(
        reason == SSL_ERROR_WANT_READ ? Socket::wait_read : Socket::wait_write, kToken);
    if (ec) co_return Outcome(ec, 0);
  }
}

Async<Transport::Outcome> Transport::read_tls(asio::mutable_buffer into) {
  return run_tls([tls = tls_.get(), into](std::size_t& count) {
    return SSL_read_ex(tls, into.data(), into.size(), &count);
  });
}

Async<Transport::Outcome> Transport::write_tls(asio::const_buffer bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto [ec, count] =
        co_await run_tls([tls = tls_.get(), rest = bytes + written](std::size_t& sent) {
          return SSL_write_ex(tls, rest.data(), rest.size(), &sent);
        });
    if (ec) co_return Outcome(ec, written);
    written += count;
  }
  co_return Outcome(error_code(), written);
}

std::size_t Transport::write_now(std::string_view bytes) {
  if (context_) return 0;
  error_code ignored;
  return socket_.send(asio::buffer(bytes.data(), bytes.size()), 0, ignored);
}

Async<void> Transport::finish_sending() {
  if (tls_) {
    co_await run_tls([tls = tls_.get()](std::size_t&) {
      // 0: ours is sent, the peer's has not come; nobody waits for that.
      const int result = SSL_shutdown(tls);
      return result == 0 ? 1 : result;
    });
  }
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace carillon
