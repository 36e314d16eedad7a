// What the connections of one server share: those of one loop, and those of all.
//
// Concurrency: a hub is on its loop's thread, but for its tallies, which every thread may read.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>

#include "base/tally.h"
#include "http/budget.h"
#include "http/host_rule.h"
#include "http/options.h"
#include "http/response_head.h"
#include "http/service.h"
#include "http/slots.h"
#include "net/deadlines.h"

namespace carillon {

/// What may change while connections are open; each takes the new one with its next request.
struct ConnectionSettings {
  ConnectionSettings(boost::asio::io_context& loop, const HttpOptions& options)
      : limits(options.limits),
        hosts(options.hosts),
        header(loop, limits.header_timeout),
        body(loop, limits.body_timeout),
        idle(loop, limits.idle_timeout),
        handshake(loop, std::min(limits.header_timeout, kHandshake)),
        linger(loop, std::chrono::seconds(2)) {}
  /// Two round trips and a signature, and time for a very slow network.
  static constexpr Millis kHandshake{std::chrono::seconds(5)};
  HttpLimits limits;
  HostRule hosts;
  Deadlines header, body, idle, handshake, linger;
};

/// A connection as its server knows it.
class OpenConnection : public boost::intrusive::list_base_hook<
                           boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual ~OpenConnection() = default;
  /// Closes it where it waits for a request.
  virtual void close_if_idle() = 0;
  virtual void close() = 0;
};

/// What the connections of one server share, on all its loops.
struct ServerShared {
  // Connections, from when they are accepted. Those at doors for probes are counted apart.
  std::atomic<std::size_t> clients_open = 0;
  std::atomic<std::size_t> probes_open = 0;
  std::atomic<bool> draining = false;  // connections end with the request that they are at
  std::function<void()> closed;        // after each that ends while draining; any thread
  Budget buffers{0};  // bytes of bodies that come in and of answers that wait to go out
};

/// A connection's place among those that are open.
class OpenSlot {
 public:
  OpenSlot(std::shared_ptr<ServerShared> server, Door door)
      : server_(std::move(server)), door_(door) {
    ++count();
  }
  ~OpenSlot() {
    if (!server_) return;
    --count();
    if (server_->draining) server_->closed();
  }
  OpenSlot(OpenSlot&& other) noexcept = default;
  OpenSlot& operator=(OpenSlot&&) = delete;

 private:
  [[nodiscard]] std::atomic<std::size_t>& count() const {
    return door_ == Door::probes ? server_->probes_open : server_->clients_open;
  }
  std::shared_ptr<ServerShared> server_;
  Door door_;
};

/// What the connections of one loop share.
struct ConnectionHub {
  std::shared_ptr<HttpService> service;
  std::shared_ptr<ServerShared> server;
  std::shared_ptr<ConnectionSettings> settings;
  boost::intrusive::list<OpenConnection, boost::intrusive::constant_time_size<false>> connections;
  HttpDate date;

  Slots handshakes{0};
  std::size_t handshakes_begun = 0;  // in this turn of the loop

  std::array<Tally, 6> by_status;  // answers since the start, by the status' first digit
};

}  // namespace carillon
