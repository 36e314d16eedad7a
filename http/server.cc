#include "http/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/api.h"
#include "http/connection.h"
#include "http/listener.h"

namespace carillon {

namespace asio = boost::asio;

class HttpServer::Impl {
 public:
  Impl(asio::io_context& loop, Engine& engine, prometheus::Registry& registry, HttpOptions options)
      : loop_(loop),
        hub_(std::make_shared<ConnectionHub>()),
        api_(std::make_shared<Api>(engine, registry, *hub_, options)),
        all_closed_(loop) {
    hub_->service = api_;
    hub_->settings = std::make_shared<ConnectionSettings>(loop, options);
    set_bounds(options.limits);
    hub_->closed = [this] {
      if (hub_->open == 0) all_closed_.cancel();
    };
  }

  ~Impl() {
    stop_listening();
    close_connections();
    hub_->closed = nullptr;
  }

  Result<std::vector<std::string>> listen(const ListenAddress& address) {
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

  [[nodiscard]] std::vector<asio::ip::tcp::endpoint> endpoints() const {
    std::vector<asio::ip::tcp::endpoint> all;
    for (const auto& listener : listeners_) {
      if (const auto endpoint = listener->endpoint()) all.push_back(*endpoint);
    }
    return all;
  }

  void reload(HttpOptions options) {
    set_bounds(options.limits);
    hub_->settings = std::make_shared<ConnectionSettings>(loop_, options);
    api_->set_options(std::move(options));
  }

  void announce_drain() { hub_->drain_announced = true; }

  Async<void> drain(Millis deadline) {
    stop_listening();
    hub_->drain_announced = true;
    hub_->draining = true;
    for (auto next = hub_->connections.begin(); next != hub_->connections.end();)
      (next++)->close_if_idle();
    if (hub_->open > 0) {
      all_closed_.expires_after(deadline);
      co_await all_closed_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    close_connections();
  }

 private:
  /// Over the limit, so many more at a time are told so; the rest are only closed.
  static constexpr std::size_t kTurnedAwayMax = 128;
  /// Probes come in whatever clients do, and clients whatever probes do.
  static constexpr std::size_t kProbesMax = 32;

  void take(Listener::Socket socket, Listener& from) {
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

  void spawn(Async<void> (*how)(std::shared_ptr<HttpConnection>), Listener::Socket socket,
             Listener& from) {
    TlsContext tls = from.tls_context();
    if (from.is_tls() && !tls) return;
    auto connection = std::make_shared<HttpConnection>(loop_, hub_, std::move(socket), from.door(),
                                                       std::move(tls));
    asio::co_spawn(loop_, how(std::move(connection)), asio::detached);
  }

  void set_bounds(const HttpLimits& limits) {
    hub_->handshakes.set_most(limits.handshakes_max);
    hub_->buffers.set_most(limits.buffer_bytes_max);
  }

  void stop_listening() {
    for (const auto& listener : listeners_) listener->close();
  }

  void close_connections() {
    for (auto next = hub_->connections.begin(); next != hub_->connections.end();) (next++)->close();
  }

  asio::io_context& loop_;
  std::shared_ptr<ConnectionHub> hub_;
  std::shared_ptr<Api> api_;  // held by the hub too: connections outlive this object by a moment
  asio::steady_timer all_closed_;
  std::vector<std::shared_ptr<Listener>> listeners_;
};

HttpServer::HttpServer(asio::io_context& loop, Engine& engine, prometheus::Registry& registry,
                       HttpOptions options)
    : impl_(std::make_unique<Impl>(loop, engine, registry, std::move(options))) {}

HttpServer::~HttpServer() = default;

Result<std::vector<std::string>> HttpServer::listen(const ListenAddress& address) {
  return impl_->listen(address);
}

std::vector<asio::ip::tcp::endpoint> HttpServer::endpoints() const {
  return impl_->endpoints();
}

void HttpServer::reload(HttpOptions options) {
  impl_->reload(std::move(options));
}

void HttpServer::announce_drain() {
  impl_->announce_drain();
}

asio::awaitable<void> HttpServer::drain(Millis deadline) {
  return impl_->drain(deadline);
}

}  // namespace carillon
