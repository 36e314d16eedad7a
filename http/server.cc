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
    hub_->settings = std::make_shared<ConnectionSettings>(loop, options.limits);
    hub_->closed = [this] {
      if (hub_->open == 0) all_closed_.cancel();
    };
  }

  ~Impl() {
    stop_listening();
    close_connections();
    hub_->closed = nullptr;
  }

  Result<std::string> listen(const ListenAddress& address) {
    auto listener = std::make_shared<Listener>(loop_, address);
    if (const auto bound = listener->bind(); !bound) return bound.error();
    listener->start(
        [this](Listener::Socket socket, const auto& tls) { accepted(std::move(socket), tls); });
    listeners_.push_back(listener);
    return Result<std::string>(boost::system::in_place_value, listener->url());
  }

  [[nodiscard]] std::vector<asio::ip::tcp::endpoint> endpoints() const {
    std::vector<asio::ip::tcp::endpoint> all;
    for (const auto& listener : listeners_) {
      if (const auto endpoint = listener->endpoint()) all.push_back(*endpoint);
    }
    return all;
  }

  void reload(HttpOptions options) {
    hub_->settings = std::make_shared<ConnectionSettings>(loop_, options.limits);
    api_->set_options(std::move(options));
  }

  Async<void> drain(Millis deadline) {
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

 private:
  /// Over the limit, so many more at a time are told so; the rest are only closed.
  static constexpr std::size_t kTurnedAwayMax = 128;

  void accepted(Listener::Socket socket, const std::shared_ptr<asio::ssl::context>& tls) {
    const std::size_t most = hub_->settings->limits.connections_max;
    if (hub_->open >= most) {
      ++hub_->refused;
      if (tls || hub_->open >= most + kTurnedAwayMax) return;
      auto connection = std::make_shared<HttpConnection>(hub_, std::move(socket), tls);
      asio::co_spawn(loop_, HttpConnection::turn_away(std::move(connection)), asio::detached);
      return;
    }
    ++hub_->accepted;
    auto connection = std::make_shared<HttpConnection>(hub_, std::move(socket), tls);
    asio::co_spawn(loop_, HttpConnection::serve(std::move(connection)), asio::detached);
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

Result<std::string> HttpServer::listen(const ListenAddress& address) {
  return impl_->listen(address);
}

std::vector<asio::ip::tcp::endpoint> HttpServer::endpoints() const {
  return impl_->endpoints();
}

void HttpServer::reload(HttpOptions options) {
  impl_->reload(std::move(options));
}

asio::awaitable<void> HttpServer::drain(Millis deadline) {
  return impl_->drain(deadline);
}

}  // namespace carillon
