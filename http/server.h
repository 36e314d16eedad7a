// The HTTP server: accepts connections and answers API calls from the engine.
//
// Operation: one coroutine per connection reads a request, checks its framing more strictly than
// the parser does (http/framing.h), authenticates, routes (http/routes.h) and answers; keep-alive
// and pipelined requests are answered in order. TCP, unix sockets and TLS are the same code.
//
// Concurrency: everything on one event loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <prometheus/registry.h>

#include "base/result.h"
#include "base/time.h"
#include "net/tls.h"

namespace carillon {

class Engine;

enum class Role { read, write, admin };  // each includes the ones before it

/// What is kept of a token: SHA-256 of the text that follows "Bearer ".
struct Token {
  std::string name;    // for logs; never secret
  std::string sha256;  // 32 bytes
  Role role = Role::read;
};

struct HttpLimits {
  std::size_t body_bytes_max = std::size_t{1} << 20;
  std::size_t batch_bytes_max = std::size_t{16} << 20;
  std::size_t batch_tasks_max = 10'000;
  std::size_t header_bytes_max = std::size_t{16} << 10;
  std::size_t header_fields_max = 100;
  std::size_t uri_bytes_max = std::size_t{8} << 10;
  std::size_t json_depth_max = 64;
  std::size_t connections_max = 10'000;
  std::size_t handshakes_max = 512;  // of TLS, under way at once; each takes some 60 KiB
  /// Of bodies that come in and answers that wait to go out, of all connections together.
  std::size_t buffer_bytes_max = std::size_t{64} << 20;
  Millis header_timeout{std::chrono::seconds(10)};
  Millis body_timeout{std::chrono::seconds(60)};
  Millis idle_timeout{std::chrono::seconds(60)};
};

struct HttpOptions {
  HttpLimits limits;
  std::vector<Token> tokens;  // none: everyone may do everything
  /// Names beside `localhost` that requests may be for while there are no tokens; see
  /// http/host_rule.h.
  std::vector<std::string> hosts;
  std::string version;  // shown by /v1/stats
};

/// Where to listen.
struct ListenAddress {
  std::string unix_path = {};  // empty: TCP

  // Of a unix socket: who may connect.
  unsigned unix_mode = 0700;
  std::string unix_group = {};  // a name or a number; empty: the process's own

  // Of TCP.
  std::string host = {};                      // an address, or a name: each of its addresses
  std::uint16_t port = 0;                     // 0: any free one
  std::shared_ptr<WatchedTls> tls = nullptr;  // empty: plain
  /// Refuse to listen where other machines can connect.
  bool loopback_only = false;

  /// Only /healthz, /readyz and /metrics are served, without a token.
  bool probes_only = false;
};

class HttpServer {
 public:
  /// `engine` and `registry` must outlive it. Until the engine is ready only /healthz, /readyz and
  /// /metrics are answered; the rest gets 503 `not_ready`.
  HttpServer(boost::asio::io_context& loop, Engine& engine, prometheus::Registry& registry,
             HttpOptions options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds and starts to accept. Answers what it is bound to, which is more than one where a name
  /// has more than one address: "http://127.0.0.1:43123", "unix:/run/x". Error slug `config`:
  /// cannot resolve or bind, with the address and the system's reason.
  [[nodiscard]] Result<std::vector<std::string>> listen(const ListenAddress& address);
  /// The TCP endpoints it listens on, for the egress rules.
  [[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> endpoints() const;

  /// Takes effect for the next request (tokens, limits).
  void reload(HttpOptions options);

  /// /readyz says draining from now on; all else goes on.
  void announce_drain();
  /// Stops accepting, lets the requests under way be answered (with Connection: close), closes idle
  /// connections; returns when all are closed, or closes the rest after `deadline`.
  [[nodiscard]] boost::asio::awaitable<void> drain(Millis deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carillon
