// The HTTP server: accepts connections and has a service answer their requests.
//
// Operation: one coroutine per connection reads a request, checks its framing more strictly than
// the parser does (http/framing.h), asks the service (http/service.h) and sends its answer;
// keep-alive and pipelined requests are answered in order. TCP, unix sockets and TLS are the same
// code. It knows nothing of what it serves.
//
// Connections are spread over the loops of some threads in turn (http/threads.h), or are all on the
// loop of the service; a connection stays on its loop. What connections share, of a loop and of the
// server, is in http/connection_hub.h.
//
// Concurrency: its members are for the home loop's thread; `stats` is for any.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.h"
#include "base/tally.h"
#include "http/bind.h"
#include "http/listener.h"
#include "http/options.h"
#include "http/service.h"

namespace carillon {

struct ConnectionHub;
struct ServerShared;
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
  /// `loops`: of the threads on which connections are; empty: they are on `home`. Connections hold
  /// `service`, and outlive the server by a moment.
  HttpServer(boost::asio::io_context& home, std::vector<boost::asio::io_context*> loops,
             std::shared_ptr<HttpService> service, const HttpOptions& options);
  /// No loop may run any more.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds and starts to accept. Answers what it is bound to, which is more than one where a name
  /// has more than one address: "http://127.0.0.1:43123", "unix:/run/x". Error slug `config`:
  /// cannot resolve or bind, with the address and the system's reason.
  [[nodiscard]] Result<std::vector<std::string>> listen(const ListenAddress& address);
  /// The TCP endpoints it listens on, for the egress rules.
  [[nodiscard]] const std::vector<boost::asio::ip::tcp::endpoint>& endpoints() const {
    return endpoints_;
  }

  /// Takes effect for the next request.
  void reload(const HttpOptions& options);

  [[nodiscard]] HttpStats stats() const;

  /// Stops accepting, lets the requests under way be answered (with Connection: close), closes idle
  /// connections; returns when all are closed, or closes the rest after `deadline`.
  [[nodiscard]] Async<void> drain(Millis deadline);

 private:
  using Serve = Async<void> (*)(std::shared_ptr<HttpConnection>);
  /// A loop, and what its connections share.
  struct Place {
    boost::asio::io_context& loop;
    std::shared_ptr<ConnectionHub> hub;
  };

  Result<std::vector<std::string>> listen_here(const ListenAddress& address);
  void take(Listener::Socket socket, Listener& from);
  void spawn(Serve how, Listener::Socket socket, Listener& from);
  [[nodiscard]] Async<void> wait_until_closed(MonoTime until);
  static Async<void> stop_listening_there(HttpServer& server);
  void stop_listening();
  static void close_connections(ConnectionHub& hub);
  void on_each(const std::function<void(const Place&)>& work);

  boost::asio::io_context& home_;
  std::vector<Place> places_;  // at least one; listeners are at the first
  std::shared_ptr<ServerShared> shared_;
  std::atomic<std::size_t> connections_max_ = 0;
  boost::asio::steady_timer all_closed_;
  std::vector<boost::asio::ip::tcp::endpoint> endpoints_;
  // On the first loop's thread.
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::size_t next_place_ = 0;
  Tally accepted_;
  Tally refused_;
  /// Gone when the server is: what was posted looks here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
