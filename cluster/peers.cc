#include "cluster/peers.h"

#include <array>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <sys/socket.h>

#include "base/log.h"
#include "cluster/wire.h"
#include "delivery/errors.h"
#include "net/url.h"

namespace carillon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::minutes kToldAgainAfter{1};
constexpr std::chrono::seconds kPoolsLookedAtEach{1};

MonoTime now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

struct Peers::Connection {
  Connection(const asio::any_io_executor& loop, Url its_url)
      : url(std::move(its_url)), stream(loop) {}

  /// Whether the node neither closed it nor said anything, as far as the kernel knows by now.
  [[nodiscard]] bool is_quiet() {
    char byte = 0;
    const auto got = ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  Url url;
  beast::tcp_stream stream;
  TlsContext tls_context;
  std::optional<asio::ssl::stream<beast::tcp_stream&>> tls;
  beast::flat_buffer input;
  MonoTime kept_at{};
};

namespace {

struct Exchanged {
  boost::system::error_code error;
  unsigned status = 0;
  bool keep_alive = false;
  std::string body;
};

template <typename Stream>
Async<Exchanged> exchange(Stream& stream, beast::flat_buffer& input, const std::string& head,
                          const std::string& body, std::size_t bytes_max) {
  Exchanged exchanged;
  const std::array<asio::const_buffer, 2> request = {asio::buffer(head), asio::buffer(body)};
  const auto [unsent, sent] = co_await asio::async_write(stream, request, kNoThrow);
  if (unsent) {
    exchanged.error = unsent;
    co_return exchanged;
  }
  http::response_parser<http::string_body> parser;
  parser.body_limit(bytes_max);
  const auto [failed, read] = co_await http::async_read(stream, input, parser, kNoThrow);
  exchanged.error = failed;
  if (failed) co_return exchanged;
  exchanged.status = parser.get().result_int();
  exchanged.keep_alive = parser.keep_alive();
  exchanged.body = std::move(parser.get().body());
  co_return exchanged;
}

Async<Result<std::vector<tcp::endpoint>>> look_up(const Url& url) {
  std::vector<tcp::endpoint> endpoints;
  boost::system::error_code no_literal;
  const auto address = asio::ip::make_address(url.host, no_literal);
  if (!no_literal) {
    endpoints.emplace_back(address, url.port_number());
    co_return endpoints;
  }
  const auto loop = co_await asio::this_coro::executor;
  tcp::resolver resolver(loop);
  const auto [failed, found] =
      co_await resolver.async_resolve(url.lookup_name(), url.port, kNoThrow);
  if (failed) co_return network_error("look up " + url.host + ": " + failed.message());
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

std::string head_of(const Url& url, const std::string& signature, std::size_t body_bytes) {
  std::string head = "POST ";
  head.append(kPeerCallPath).append(" HTTP/1.1\r\nHost: ").append(url.host_header());
  head.append("\r\nAuthorization: ").append(signature);
  head.append("\r\nContent-Type: application/octet-stream\r\nContent-Length: ");
  head.append(std::to_string(body_bytes)).append("\r\n\r\n");
  return head;
}

PeerReply unsent(Error why) {
  return {PeerReply::Came::unsent, nullptr, std::move(why)};
}

PeerReply lost(std::string why) {
  return {PeerReply::Came::lost, nullptr, network_error(std::move(why))};
}

}  // namespace

Peers::Peers(Clock& clock, Options options)
    : clock_(clock), options_(std::move(options)), tls_(options_.tls) {}

Peers::~Peers() = default;

Async<Result<Peers::Kept>> Peers::connect(const std::string& url) {
  const Result<Url> parsed = parse_url(url);
  if (!parsed) co_return parsed.error();
  const auto loop = co_await asio::this_coro::executor;
  auto made = std::make_unique<Connection>(loop, *parsed);
  const auto endpoints = co_await look_up(made->url);
  if (!endpoints) co_return endpoints.error();
  made->stream.expires_after(options_.connect_limit);
  const auto [failed, endpoint] = co_await made->stream.async_connect(*endpoints, kNoThrow);
  if (failed) co_return network_error("connect to " + url + ": " + failed.message());
  boost::system::error_code unimportant;
  made->stream.socket().set_option(tcp::no_delay(true), unimportant);
  if (!made->url.tls) co_return made;
  const Result<TlsContext> context = tls_.context();
  if (!context) co_return context.error();
  made->tls_context = *context;
  made->tls.emplace(made->stream, *made->tls_context);
  if (const Result<> ok = expect_tls_host(made->tls->native_handle(), made->url.host); !ok)
    co_return ok.error();
  made->stream.expires_after(options_.connect_limit);
  const auto [refused] =
      co_await made->tls->async_handshake(asio::ssl::stream_base::client, kNoThrow);
  if (refused) {
    const std::string why = tls_verify_failure(made->tls->native_handle());
    co_return network_error("TLS with " + url + ": " + (why.empty() ? refused.message() : why));
  }
  co_return made;
}

Async<PeerReply> Peers::call(NodeAddress to, std::string body, Millis time_limit) {
  const auto executor = co_await asio::this_coro::executor;
  const void* const loop = &asio::query(executor, asio::execution::context);
  Kept connection = take(loop, to.url);
  if (!connection) {
    Result<Kept> made = co_await connect(to.url);
    if (!made) co_return unsent(made.error());
    connection = *std::move(made);
  }
  const std::string head =
      head_of(connection->url, options_.seal.sign(clock_.real(), body), body.size());
  connection->stream.expires_after(std::min(time_limit, options_.call_limit_max));
  Exchanged exchanged;
  if (connection->tls) {
    exchanged = co_await exchange(*connection->tls, connection->input, head, body,
                                  options_.answer_bytes_max);
  } else {
    exchanged = co_await exchange(connection->stream, connection->input, head, body,
                                  options_.answer_bytes_max);
  }
  if (exchanged.error) co_return lost(exchanged.error.message());
  if (exchanged.keep_alive) keep(loop, to.url, std::move(connection));
  co_return understand(to, exchanged.status, std::move(exchanged.body));
}

PeerReply Peers::understand(const NodeAddress& from, unsigned status, std::string body) {
  PeerReply reply;
  reply.bytes = std::make_shared<const std::string>(std::move(body));
  if (status == 200) {
    reply.came = PeerReply::Came::answered;
    return reply;
  }
  Answer<> refused;
  // What stands between nodes may have answered in this one's place.
  if (!decode_answer(reply.bytes, refused) || refused)
    return lost("it answered " + std::to_string(status));
  reply.came = PeerReply::Came::refused;
  reply.why = std::move(refused).error();
  if (reply.why.slug == "unauthorized") tell_refused(from, reply.why);
  return reply;
}

void Peers::tell_refused(const NodeAddress& by, const Error& why) {
  {
    const std::lock_guard lock(mutex_);
    const auto [told, is_first] = told_.try_emplace(by.node, now());
    if (!is_first && now() - told->second < kToldAgainAfter) return;
    told->second = now();
  }
  log_error("a node of the cluster refuses the calls of this one",
            {{"node", by.node}, {"url", by.url}, {"why", why.detail}});
}

/// One that was kept and still stands; null: none.
Peers::Kept Peers::take(const void* loop, const std::string& url) {
  for (;;) {
    Kept connection;
    {
      const std::lock_guard lock(mutex_);
      Pools& pools = pools_[loop];
      drop_old(pools, now());
      const auto found = pools.by_url.find(url);
      if (found == pools.by_url.end()) return nullptr;
      connection = std::move(found->second.back());
      found->second.pop_back();
      if (found->second.empty()) pools.by_url.erase(found);
    }
    if (connection->is_quiet()) return connection;
  }
}

void Peers::keep(const void* loop, const std::string& url, Kept connection) {
  connection->kept_at = now();
  connection->stream.expires_never();
  const std::lock_guard lock(mutex_);
  Pools& pools = pools_[loop];
  drop_old(pools, connection->kept_at);
  std::vector<Kept>& kept = pools.by_url[url];
  if (kept.size() < options_.idle_max) kept.push_back(std::move(connection));
}

/// Of one loop, on its thread.
void Peers::drop_old(Pools& pools, MonoTime at) const {
  if (at - pools.looked_at < kPoolsLookedAtEach) return;
  pools.looked_at = at;
  for (auto next = pools.by_url.begin(); next != pools.by_url.end();) {
    const auto its = next++;
    std::erase_if(its->second,
                  [&](const Kept& one) { return at - one->kept_at > options_.idle_for; });
    if (its->second.empty()) pools.by_url.erase(its);
  }
}

std::string encode_peer_refusal(const Refusal& refusal) {
  return encode_answer(Answer<>(refusal));
}

}  // namespace carillon
