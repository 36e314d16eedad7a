#include "http/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/connection.h"

namespace carillon {

namespace asio = boost::asio;

namespace {

/// Over the limit, so many more at a time are told so; the rest are only closed.
constexpr std::size_t kTurnedAwayMax = 128;
/// Probes come in whatever clients do, and clients whatever probes do.
constexpr std::size_t kProbesMax = 32;

}  // namespace

HttpServer::HttpServer(asio::io_context& loop, std::shared_ptr<HttpService> service,
                       const HttpOptions& options)
    : loop_(loop), hub_(std::make_shared<ConnectionHub>()), all_closed_(loop) {
  hub_->service = std::move(service);
  hub_->closed = [this] {
    if (hub_->open == 0) all_closed_.cancel();
  };
  reload(options);
}

HttpServer::~HttpServer() {
  stop_listening();
  close_connections();
  hub_->closed = nullptr;
}

Result<std::vector<std::string>> HttpServer::listen(const ListenAddress& address) {
  auto bound = bind_all(loop_, address);
  if (!bound) return bound.error();
  std::vector<std::string> urls;
  for (BoundSocket& socket : *bound) {
    auto listener = std::make_shared<Listener>(loop_, std::move(socket), address);
    urls.push_back(listener->url());
    listener->start(
        [this](Listener::Socket accepted, Listener& from) { take(std::move(accepted), from); });
    listeners_.push_back(std::move(listener));
  }
  return urls;
}

std::vector<asio::ip::tcp::endpoint> HttpServer::endpoints() const {
  std::vector<asio::ip::tcp::endpoint> all;
  for (const auto& listener : listeners_) {
    if (const auto endpoint = listener->endpoint()) all.push_back(*endpoint);
  }
  return all;
}

void HttpServer::reload(const HttpOptions& options) {
  hub_->handshakes.set_most(options.limits.handshakes_max);
  hub_->buffers.set_most(options.limits.buffer_bytes_max);
  hub_->settings = std::make_shared<ConnectionSettings>(loop_, options);
}

HttpStats HttpServer::stats() const {
  return {.open = hub_->open,
          .accepted = hub_->accepted,
          .refused = hub_->refused,
          .given_up = hub_->buffers.given_up(),
          .handshakes = hub_->handshakes.taken(),
          .buffer_bytes = hub_->buffers.held(),
          .by_status = hub_->by_status};
}

Async<void> HttpServer::drain(Millis deadline) {
  stop_listening();
  hub_->draining = true;
  for (auto next = hub_->connections.begin(); next != hub_->connections.end();)
    (next++)->close_if_idle();
  if (hub_->open > 0) {
    all_closed_.expires_after(deadline);
    co_await all_closed_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  close_connections();
}

void HttpServer::take(Listener::Socket socket, Listener& from) {
  const bool probes = from.door() == Door::probes;
  const std::size_t open = probes ? hub_->probes_open : hub_->open - hub_->probes_open;
  const std::size_t most = probes ? kProbesMax : hub_->settings->limits.connections_max;
  if (open >= most) {
    ++hub_->refused;
    if (from.is_tls() || open >= most + kTurnedAwayMax) return;
    spawn(&HttpConnection::turn_away, std::move(socket), from);
    return;
  }
  ++hub_->accepted;
  spawn(&HttpConnection::serve, std::move(socket), from);
}

void HttpServer::spawn(Async<void> (*how)(std::shared_ptr<HttpConnection>), Listener::Socket socket,
                       Listener& from) {
  TlsContext tls = from.tls_context();
  if (from.is_tls() && !tls) return;
  auto connection =
      std::make_shared<HttpConnection>(loop_, hub_, std::move(socket), from.door(), std::move(tls));
  asio::co_spawn(loop_, how(std::move(connection)), asio::detached);
}

void HttpServer::stop_listening() {
  for (const auto& listener : listeners_) listener->close();
}

void HttpServer::close_connections() {
  for (auto next = hub_->connections.begin(); next != hub_->connections.end();) (next++)->close();
}

}  // namespace carillon
