#include "tools/load/generator.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "tools/load/answer_parser.h"

namespace carillon::load {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Mono = std::chrono::steady_clock;
using Socket = asio::generic::stream_protocol::socket;
template <typename T>
using Async = asio::awaitable<T>;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadBytes = std::size_t{16} << 10;
constexpr Millis kReconnectPause{50};
constexpr int kReconnectsMax = 100;  // in a row; then the connection gives up

/// What all connections of a run share.
struct Run {
  Pace pace;
  Workload& workload;
  asio::generic::stream_protocol::endpoint server;
  LoadResult result;
  Mono::time_point start;
  std::uint64_t sent = 0;
  bool over = false;

  /// Takes the next request and the moment it is due to be sent; nothing at the end.
  std::optional<Mono::time_point> claim(Request& request) {
    if (over) return std::nullopt;
    auto due = Mono::now();
    if (pace.per_second > 0) {
      const std::chrono::duration<double> offset(static_cast<double>(sent) / pace.per_second);
      due = start + std::chrono::duration_cast<Mono::duration>(offset);
    }
    const bool late = pace.duration.count() > 0 && due - start >= pace.duration;
    if (late || !workload.next(request)) {
      over = true;
      return std::nullopt;
    }
    ++sent;
    return due;
  }

  void answered(const Request& request, Mono::time_point since, unsigned status,
                std::string_view body) {
    const auto took = Mono::now() - since;
    result.time.record(std::chrono::duration_cast<Histogram::Micros>(took));
    ++result.requests;
    ++result.statuses[status];
    workload.answered(request, status);
    const bool good = status >= 200 && status < 300;
    const std::uint64_t failed = good && request.tasks > 1 ? trailing_count(body, "failed") : 0;
    const std::uint64_t refused = good ? std::min(failed, request.tasks) : request.tasks;
    result.refused += refused;
    result.tasks += request.tasks - refused;
  }
};

/// One connection and the bytes it has read beyond the last answer.
struct Link {
  explicit Link(asio::io_context& loop) : socket(loop) {}
  Socket socket;
  std::string in;
  bool connected = false;
};

Async<bool> connect(Run& run, Link& wire) {
  asio::steady_timer timer(wire.socket.get_executor());
  for (int tries = 0; tries < kReconnectsMax; ++tries) {
    wire.in.clear();
    error_code ignored;
    wire.socket.close(ignored);
    auto [code] = co_await wire.socket.async_connect(run.server, kTuple);
    if (!code) {
      if (run.server.protocol().family() != AF_UNIX) {
        wire.socket.set_option(asio::ip::tcp::no_delay(true), ignored);
      }
      wire.connected = true;
      co_return true;
    }
    timer.expires_after(kReconnectPause);
    co_await timer.async_wait(kTuple);
  }
  co_return false;
}

/// Reads one whole answer; false where the connection broke.
Async<bool> read_answer(Link& wire, AnswerHead& head, std::string& body) {
  while (true) {
    const Parsed parsed = parse_answer_head(wire.in, head);
    if (parsed == Parsed::bad) co_return false;
    if (parsed == Parsed::complete && wire.in.size() >= head.head_bytes + head.body_bytes) break;
    const std::size_t had = wire.in.size();
    wire.in.resize(had + kReadBytes);
    auto [code, got] = co_await wire.socket.async_read_some(
        asio::buffer(wire.in.data() + had, kReadBytes), kTuple);
    wire.in.resize(had + got);
    if (code) co_return false;
  }
  body.assign(wire.in, head.head_bytes, head.body_bytes);
  wire.in.erase(0, head.head_bytes + head.body_bytes);
  if (head.close) wire.connected = false;
  co_return true;
}

Async<void> drive(asio::io_context& loop, Run& run) {
  Link wire(loop);
  asio::steady_timer timer(loop);
  Request request;
  AnswerHead head;
  std::string body;
  while (auto due = run.claim(request)) {
    if (*due > Mono::now()) {
      timer.expires_at(*due);
      co_await timer.async_wait(kTuple);
    }
    if (!wire.connected && !co_await connect(run, wire)) {
      ++run.result.broken;
      co_return;
    }
    const auto since = run.pace.per_second > 0 ? *due : Mono::now();
    auto [unsent, sent] =
        co_await asio::async_write(wire.socket, asio::buffer(request.bytes), kTuple);
    if (unsent || !co_await read_answer(wire, head, body)) {
      ++run.result.broken;
      wire.connected = false;
      continue;
    }
    run.answered(request, since, head.status, body);
  }
}

using Located = asio::generic::stream_protocol::endpoint;

// The endpoint is constructible from anything, an Error too; so say which is meant.
Result<Located> locate(asio::io_context& loop, const client::Endpoint& server) {
  using boost::system::in_place_error;
  using boost::system::in_place_value;
  if (server.tls) {
    return {in_place_error, Error{"bad_server", "the load generator speaks plain http only", ""}};
  }
  if (!server.unix_path.empty()) {
    return {in_place_value, asio::local::stream_protocol::endpoint(server.unix_path)};
  }
  error_code code;
  asio::ip::tcp::resolver resolver(loop);
  const auto found = resolver.resolve(server.host, server.port, code);
  if (code) {
    return {in_place_error,
            Error{"unreachable", "resolve " + server.host + ": " + code.message(), ""}};
  }
  return {in_place_value, found.begin()->endpoint()};
}

Result<> probe(asio::io_context& loop, const asio::generic::stream_protocol::endpoint& server) {
  Socket socket(loop);
  error_code code;
  socket.connect(server, code);
  if (code) return Error{"unreachable", "cannot connect: " + code.message(), ""};
  return {};
}

}  // namespace

Result<LoadResult> run_load(const client::Endpoint& server, const Pace& pace, Workload& workload) {
  asio::io_context loop(1);
  const auto located = locate(loop, server);
  if (!located) return located.error();
  if (auto reached = probe(loop, *located); !reached) return reached.error();
  Run run{pace, workload, *located, {}, Mono::now()};
  for (std::size_t i = 0; i < pace.connections; ++i) {
    asio::co_spawn(loop, drive(loop, run), asio::detached);
  }
  loop.run();
  const std::chrono::duration<double> took = Mono::now() - run.start;
  run.result.seconds = took.count();
  return run.result;
}

}  // namespace carillon::load
