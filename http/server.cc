#include "http/server.h"

#include <algorithm>
#include <future>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

#include "http/connection.h"

namespace carillon {

namespace asio = boost::asio;

namespace {

/// Over the limit, so many more at a time are told so; the rest are only closed.
constexpr std::size_t kTurnedAwayMax = 128;
/// Probes come in whatever clients do, and clients whatever probes do.
constexpr std::size_t kProbesMax = 32;
/// How long connections that were closed may take to end.
constexpr Millis kClosing{1000};

/// A socket on its way to another loop, closed if it does not get there.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(other.release()) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

}  // namespace

HttpServer::HttpServer(asio::io_context& home, std::vector<asio::io_context*> loops,
                       std::shared_ptr<HttpService> service, const HttpOptions& options)
    : home_(home), shared_(std::make_shared<ServerShared>()), all_closed_(home) {
  if (loops.empty()) loops.push_back(&home);
  shared_->closed = [this, alive = std::weak_ptr(alive_), &home] {
    asio::post(home, [this, alive] {
      if (!alive.expired()) all_closed_.cancel();
    });
  };
  for (asio::io_context* const loop : loops) {
    auto hub = std::make_shared<ConnectionHub>();
    hub->service = service;
    hub->server = shared_;
    places_.push_back({*loop, std::move(hub)});
  }
  reload(options);
}

HttpServer::~HttpServer() {
  stop_listening();
  shared_->draining = false;
  for (const Place& place : places_) close_connections(*place.hub);
}

/// Does something to the hub of each loop on its thread, at once where that is the caller's.
void HttpServer::on_each(const std::function<void(const Place&)>& work) {
  for (const Place& place : places_) asio::dispatch(place.loop, [place, work] { work(place); });
}

Result<std::vector<std::string>> HttpServer::listen(const ListenAddress& address) {
  if (&places_.front().loop == &home_) return listen_here(address);
  std::promise<Result<std::vector<std::string>>> done;
  asio::post(places_.front().loop, [&] { done.set_value(listen_here(address)); });
  return done.get_future().get();
}

Result<std::vector<std::string>> HttpServer::listen_here(const ListenAddress& address) {
  asio::io_context& loop = places_.front().loop;
  auto bound = bind_all(loop, address);
  if (!bound) return bound.error();
  std::vector<std::string> urls;
  for (BoundSocket& socket : *bound) {
    auto listener = std::make_shared<Listener>(loop, std::move(socket), address);
    urls.push_back(listener->url());
    if (const auto endpoint = listener->endpoint()) endpoints_.push_back(*endpoint);
    listener->start(
        [this](Listener::Socket accepted, Listener& from) { take(std::move(accepted), from); });
    listeners_.push_back(std::move(listener));
  }
  return urls;
}

void HttpServer::reload(const HttpOptions& options) {
  connections_max_ = options.limits.connections_max;
  shared_->buffers.set_most(options.limits.buffer_bytes_max);
  // Who has to wait for a slot loses nothing by it.
  const std::size_t handshakes_max =
      std::max<std::size_t>(options.limits.handshakes_max / places_.size(), 1);
  on_each([options, handshakes_max](const Place& place) {
    place.hub->handshakes.set_most(handshakes_max);
    place.hub->settings = std::make_shared<ConnectionSettings>(place.loop, options);
  });
}

HttpStats HttpServer::stats() const {
  HttpStats stats;
  stats.open = shared_->clients_open + shared_->probes_open;
  stats.accepted = accepted_;
  stats.refused = refused_;
  stats.given_up = shared_->buffers.given_up();
  stats.buffer_bytes = shared_->buffers.held();
  for (const Place& place : places_) {
    const ConnectionHub& hub = *place.hub;
    stats.handshakes += hub.handshakes.taken();
    for (std::size_t i = 0; i < stats.by_status.size(); ++i) stats.by_status[i] += hub.by_status[i];
  }
  return stats;
}

Async<void> HttpServer::drain(Millis deadline) {
  shared_->draining = true;
  co_await asio::co_spawn(places_.front().loop, stop_listening_there(*this), asio::use_awaitable);
  on_each([](const Place& place) {
    auto& connections = place.hub->connections;
    for (auto next = connections.begin(); next != connections.end();) (next++)->close_if_idle();
  });
  const MonoTime until = std::chrono::steady_clock::now() + deadline;
  co_await wait_until_closed(until);
  on_each([](const Place& place) { close_connections(*place.hub); });
  co_await wait_until_closed(until + kClosing);
}

Async<void> HttpServer::stop_listening_there(HttpServer& server) {
  server.stop_listening();
  co_return;
}

Async<void> HttpServer::wait_until_closed(MonoTime until) {
  while (shared_->clients_open + shared_->probes_open > 0 &&
         std::chrono::steady_clock::now() < until) {
    all_closed_.expires_at(until);
    co_await all_closed_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void HttpServer::take(Listener::Socket socket, Listener& from) {
  const bool probes = from.door() == Door::probes;
  const std::size_t open = (probes ? shared_->probes_open : shared_->clients_open).load();
  const std::size_t most = probes ? kProbesMax : connections_max_.load();
  if (open >= most) {
    ++refused_;
    if (from.is_tls() || open >= most + kTurnedAwayMax) return;
    spawn(&HttpConnection::turn_away, std::move(socket), from);
    return;
  }
  ++accepted_;
  spawn(&HttpConnection::serve, std::move(socket), from);
}

/// The loops take turns.
void HttpServer::spawn(Serve how, Listener::Socket socket, Listener& from) {
  OpenSlot slot(shared_, from.door());
  TlsContext tls = from.tls_context();
  if (from.is_tls() && !tls) return;
  const Place& place = places_[next_place_++ % places_.size()];
  const auto begin = [how, place, door = from.door()](Listener::Socket its, TlsContext context,
                                                      OpenSlot open) {
    auto connection = std::make_shared<HttpConnection>(place.loop, place.hub, std::move(its), door,
                                                       std::move(context), std::move(open));
    asio::co_spawn(place.loop, how(std::move(connection)), asio::detached);
  };
  if (&place.loop == &from.loop()) return begin(std::move(socket), std::move(tls), std::move(slot));
  boost::system::error_code failed;
  const auto protocol = socket.local_endpoint(failed).protocol();
  Descriptor descriptor(failed ? -1 : socket.release(failed));
  if (failed) return;
  asio::post(place.loop, [begin, &loop = place.loop, protocol, descriptor = std::move(descriptor),
                          tls = std::move(tls), slot = std::move(slot)]() mutable {
    Listener::Socket its(loop);
    boost::system::error_code refused;
    its.assign(protocol, descriptor.get(), refused);
    if (refused) return;
    descriptor.release();
    begin(std::move(its), std::move(tls), std::move(slot));
  });
}

void HttpServer::stop_listening() {
  for (const auto& listener : listeners_) listener->close();
}

void HttpServer::close_connections(ConnectionHub& hub) {
  for (auto next = hub.connections.begin(); next != hub.connections.end();) (next++)->close();
}

}  // namespace carillon
