#include "http/transport.h"

namespace carillon {

Async<boost::system::error_code> Transport::handshake() {
  if (!tls_) co_return boost::system::error_code();
  const auto [ec] = co_await tls_->async_handshake(boost::asio::ssl::stream_base::server, kToken);
  co_return ec;
}

std::size_t Transport::write_now(std::string_view bytes) {
  if (tls_) return 0;
  boost::system::error_code ignored;
  return socket_.send(boost::asio::buffer(bytes.data(), bytes.size()), 0, ignored);
}

Async<void> Transport::finish_sending() {
  if (tls_) co_await tls_->async_shutdown(kToken);
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Transport::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace carillon
