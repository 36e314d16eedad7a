#include "http/listener.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"

namespace carillon {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

Door door_of(const ListenAddress& address) {
  if (address.probes_only) return Door::probes;
  return address.unix_path.empty() ? Door::tcp : Door::local;
}

}  // namespace

Listener::Listener(asio::io_context& loop, BoundSocket bound, const ListenAddress& address)
    : loop_(loop),
      bound_(std::move(bound)),
      pause_(loop),
      door_(door_of(address)),
      tls_(bound_.endpoint ? address.tls : nullptr) {}

void Listener::start(Accepted accepted) {
  accepted_ = std::move(accepted);
  asio::co_spawn(loop_, accept(shared_from_this()), asio::detached);
}

Async<void> Listener::accept(std::shared_ptr<Listener> self) {
  constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
  constexpr auto kPause = std::chrono::milliseconds(100);
  bool failing = false;  // told once, not ten times a second
  auto& acceptor = self->bound_.acceptor;
  while (acceptor.is_open()) {
    Socket socket(self->loop_);
    const auto [ec] = co_await acceptor.async_accept(socket, kToken);
    if (!acceptor.is_open()) break;
    if (!ec) {
      boost::system::error_code ignored;
      if (self->endpoint()) socket.set_option(tcp::no_delay(true), ignored);
      if (std::exchange(failing, false))
        log_info("connections are accepted again", {{"on", self->url()}});
      self->accepted_(std::move(socket), *self);
      continue;
    }
    if (ec == asio::error::connection_aborted) continue;  // gone before it was accepted
    if (!std::exchange(failing, true))
      log_warning("connections cannot be accepted; trying again",
                  {{"on", self->url()}, {"why", ec.message()}});
    self->pause_.expires_after(kPause);
    co_await self->pause_.async_wait(kToken);
  }
}

TlsContext Listener::tls_context() {
  if (!tls_) return nullptr;
  const Result<TlsContext> context = tls_->context();
  if (std::string trouble = tls_->trouble(); trouble != trouble_told_) {
    trouble_told_ = std::move(trouble);
    if (!trouble_told_.empty())
      log_error("the new TLS files are refused; the old ones stay in use",
                {{"why", trouble_told_}});
  }
  return context ? *context : nullptr;
}

void Listener::close() {
  bound_.close();
  pause_.cancel();
}

std::string Listener::url() const {
  if (!endpoint()) return "unix:" + bound_.unix_path;
  const auto address = endpoint()->address();
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(endpoint()->port());
}

}  // namespace carillon
