// The HTTP server: accepts connections and has a service answer their requests.
//
// Operation: one coroutine per connection reads a request, checks its framing more strictly than
// the parser does (http/framing.h), asks the service (http/service.h) and sends its answer;
// keep-alive and pipelined requests are answered in order. TCP, unix sockets and TLS are the same
// code. It knows nothing of what it serves.
//
// Concurrency: everything on one event loop's thread.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.h"
#include "http/bind.h"
#include "http/listener.h"
#include "http/options.h"
#include "http/service.h"

namespace carillon {

struct ConnectionHub;
class HttpConnection;

/// What a server counts; sums are since its start.
struct HttpStats {
  std::size_t open = 0;                      // connections
  std::uint64_t accepted = 0;                // of them, served
  std::uint64_t refused = 0;                 // over the limit on connections
  std::uint64_t given_up = 0;                // slow ones that made room for others
  std::size_t handshakes = 0;                // of TLS, under way
  std::size_t buffer_bytes = 0;              // of bodies that come in and answers that wait
  std::array<std::uint64_t, 6> by_status{};  // answers, by the status' first digit
};

class HttpServer {
 public:
  /// Connections hold `service`, and outlive the server by a moment.
  HttpServer(boost::asio::io_context& loop, std::shared_ptr<HttpService> service,
             const HttpOptions& options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds and starts to accept. Answers what it is bound to, which is more than one where a name
  /// has more than one address: "http://127.0.0.1:43123", "unix:/run/x". Error slug `config`:
  /// cannot resolve or bind, with the address and the system's reason.
  [[nodiscard]] Result<std::vector<std::string>> listen(const ListenAddress& address);
  /// The TCP endpoints it listens on, for the egress rules.
  [[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> endpoints() const;

  /// Takes effect for the next request.
  void reload(const HttpOptions& options);

  [[nodiscard]] HttpStats stats() const;

  /// Stops accepting, lets the requests under way be answered (with Connection: close), closes idle
  /// connections; returns when all are closed, or closes the rest after `deadline`.
  [[nodiscard]] Async<void> drain(Millis deadline);

 private:
  void take(Listener::Socket socket, Listener& from);
  void spawn(Async<void> (*how)(std::shared_ptr<HttpConnection>), Listener::Socket socket,
             Listener& from);
  void stop_listening();
  void close_connections();

  boost::asio::io_context& loop_;
  std::shared_ptr<ConnectionHub> hub_;
  boost::asio::steady_timer all_closed_;
  std::vector<std::shared_ptr<Listener>> listeners_;
};

}  // namespace carillon
