// What the connections of one server share.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>

#include "http/message.h"
#include "http/response_head.h"
#include "net/deadlines.h"

namespace carillon {

/// What may change while connections are open; each takes the new one with its next request.
struct ConnectionSettings {
  ConnectionSettings(boost::asio::io_context& loop, const HttpLimits& how)
      : limits(how),
        header(loop, how.header_timeout),
        body(loop, how.body_timeout),
        idle(loop, how.idle_timeout),
        linger(loop, std::chrono::seconds(2)) {}
  HttpLimits limits;
  Deadlines header, body, idle, linger;
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

/// What the connections of one server share.
struct ConnectionHub {
  std::shared_ptr<HttpService> service;
  std::shared_ptr<ConnectionSettings> settings;
  boost::intrusive::list<OpenConnection, boost::intrusive::constant_time_size<false>> connections;
  std::size_t open = 0;
  bool draining = false;
  std::function<void()> closed;  // after each that ends
  HttpDate date;

  // Counted since the start.
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;                 // over the limit on connections
  std::array<std::uint64_t, 6> by_status{};  // answers, by the status' first digit
};

}  // namespace carillon
