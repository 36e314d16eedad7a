#include "tools/client/api_client.h"

#include <array>
#include <cerrno>
#include <tuple>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <sys/socket.h>

namespace carillon::client {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

template <typename T>
using Async = asio::awaitable<T>;
using Sink = std::function<bool(std::string_view)>;
using Tcp = beast::tcp_stream;
using Tls = beast::ssl_stream<beast::tcp_stream>;
using Local = beast::basic_stream<asio::local::stream_protocol>;
using RequestMessage = http::request<http::string_body>;
using AnswerParser = http::response_parser<http::buffer_body>;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

constexpr std::uint64_t kAnswerBytesMax = std::uint64_t{64} << 20;
constexpr std::string_view kStreamType = "application/x-ndjson";

/// Whether the server has closed (or unasked, written to) a connection that nobody waits on.
bool is_stale(int fd) {
  char byte = 0;
  const ssize_t got = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace

class ApiClient::Impl {
 public:
  Impl(Endpoint endpoint, Options options)
      : endpoint_(std::move(endpoint)),
        options_(std::move(options)),
        tls_(asio::ssl::context::tls_client) {}

  Result<ApiAnswer> call(RequestMessage request, const Sink& sink);
  [[nodiscard]] RequestMessage make_request(std::string_view method, std::string_view path,
                                            std::string_view body,
                                            std::string_view content_type) const;

 private:
  [[nodiscard]] std::string name() const;
  Async<Result<ApiAnswer>> exchange(const RequestMessage& request, const Sink& sink);
  Async<Result<>> connect();
  Async<Result<>> connect_tcp(Tcp& stream);
  Async<Result<>> connect_tls();
  template <typename S>
  Async<Result<ApiAnswer>> exchange_on(S& stream, const RequestMessage& request, const Sink& sink);
  template <typename S>
  Async<error_code> read_body(S& stream, AnswerParser& parser, const Sink& take);
  [[nodiscard]] Error unreachable(std::string_view what, const error_code& code) const;
  /// Gives the next operation the time that is left for it.
  template <typename S>
  void arm(S& stream) {
    if (!whole_call_) deadline_ = std::chrono::steady_clock::now() + options_.timeout;
    beast::get_lowest_layer(stream).expires_at(deadline_);
  }

  Endpoint endpoint_;
  Options options_;
  asio::io_context loop_{1};
  asio::ssl::context tls_;
  std::variant<std::monostate, Tcp, Tls, Local> stream_;  // monostate: not connected
  beast::flat_buffer buffer_;
  bool whole_call_ = true;  // the deadline is one for the call, not for each wait
  std::chrono::steady_clock::time_point deadline_;
};

RequestMessage ApiClient::Impl::make_request(std::string_view method, std::string_view path,
                                             std::string_view body,
                                             std::string_view content_type) const {
  RequestMessage request(http::string_to_verb(method), path, 11);
  const bool ipv6 = endpoint_.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + endpoint_.host + "]" : endpoint_.host;
  request.set(http::field::host, endpoint_.port.empty() ? host : host + ":" + endpoint_.port);
  request.set(http::field::user_agent, "carillon-client");
  if (!options_.token.empty()) {
    request.set(http::field::authorization, "Bearer " + options_.token);
  }
  if (!body.empty()) request.set(http::field::content_type, content_type);
  request.body() = body;
  request.prepare_payload();
  return request;
}

std::string ApiClient::Impl::name() const {
  if (!endpoint_.unix_path.empty()) return "unix:" + endpoint_.unix_path;
  return endpoint_.host + ":" + endpoint_.port;
}

Error ApiClient::Impl::unreachable(std::string_view what, const error_code& code) const {
  std::string why = code.message();
  if (code == beast::error::timeout)
    why = "no end of it within " + format_duration(options_.timeout) + " (--timeout)";
  if (code == asio::error::connection_refused) why += "; is carillond running there?";
  return {"unreachable", std::string(what) + ": " + why, ""};
}

Result<ApiAnswer> ApiClient::Impl::call(RequestMessage request, const Sink& sink) {
  Result<ApiAnswer> result = Error{"unreachable", "no answer", ""};
  whole_call_ = !sink || options_.limit_streams;
  deadline_ = std::chrono::steady_clock::now() + options_.timeout;
  asio::co_spawn(loop_, exchange(request, sink),
                 [&result](const std::exception_ptr& thrown, Result<ApiAnswer> answer) {
                   if (!thrown) result = std::move(answer);
                 });
  loop_.restart();
  loop_.run();
  if (!result) stream_.emplace<std::monostate>();
  return result;
}

Async<Result<ApiAnswer>> ApiClient::Impl::exchange(const RequestMessage& request,
                                                   const Sink& sink) {
  const bool stale = std::visit(
      [](auto& stream) {
        if constexpr (std::is_same_v<std::decay_t<decltype(stream)>, std::monostate>) {
          return true;
        } else {
          return is_stale(beast::get_lowest_layer(stream).socket().native_handle());
        }
      },
      stream_);
  if (stale) {
    buffer_.clear();
    if (auto connected = co_await connect(); !connected) co_return connected.error();
  }
  if (auto* tcp = std::get_if<Tcp>(&stream_)) co_return co_await exchange_on(*tcp, request, sink);
  if (auto* tls = std::get_if<Tls>(&stream_)) co_return co_await exchange_on(*tls, request, sink);
  co_return co_await exchange_on(std::get<Local>(stream_), request, sink);
}

Async<Result<>> ApiClient::Impl::connect() {
  if (!endpoint_.unix_path.empty()) {
    if (endpoint_.unix_path.size() >= 108) {  // sizeof sockaddr_un::sun_path
      co_return Error{"unreachable", name() + ": the path is too long for a socket", ""};
    }
    auto& stream = stream_.emplace<Local>(loop_);
    arm(stream);
    auto [code] = co_await stream.async_connect(
        asio::local::stream_protocol::endpoint(endpoint_.unix_path), kTuple);
    if (code) co_return unreachable("connect to " + name(), code);
    co_return Result<>();
  }
  if (endpoint_.tls) co_return co_await connect_tls();
  co_return co_await connect_tcp(stream_.emplace<Tcp>(loop_));
}

Async<Result<>> ApiClient::Impl::connect_tcp(Tcp& stream) {
  asio::ip::tcp::resolver resolver(loop_);
  auto [unresolved, addresses] =
      co_await resolver.async_resolve(endpoint_.host, endpoint_.port, kTuple);
  if (unresolved) co_return unreachable("resolve " + endpoint_.host, unresolved);
  arm(stream);
  auto [code, where] = co_await stream.async_connect(addresses, kTuple);
  if (code) co_return unreachable("connect to " + name(), code);
  error_code ignored;
  stream.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  co_return Result<>();
}

Async<Result<>> ApiClient::Impl::connect_tls() {
  error_code code;
  if (options_.ca_file.empty()) {
    tls_.set_default_verify_paths(code);
  } else {
    tls_.load_verify_file(options_.ca_file, code);
  }
  if (code) co_return unreachable("load certificates " + options_.ca_file, code);
  auto& stream = stream_.emplace<Tls>(loop_, tls_);
  stream.set_verify_mode(asio::ssl::verify_peer, code);
  stream.set_verify_callback(asio::ssl::host_name_verification(endpoint_.host), code);
  SSL_set_tlsext_host_name(stream.native_handle(), endpoint_.host.c_str());
  if (auto connected = co_await connect_tcp(beast::get_lowest_layer(stream)); !connected) {
    co_return connected;
  }
  auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::client, kTuple);
  if (failed) co_return unreachable("TLS with " + name(), failed);
  co_return Result<>();
}

template <typename S>
Async<Result<ApiAnswer>> ApiClient::Impl::exchange_on(S& stream, const RequestMessage& request,
                                                      const Sink& sink) {
  arm(stream);
  auto [unsent, sent] = co_await http::async_write(stream, request, kTuple);
  if (unsent) co_return unreachable("send to " + name(), unsent);
  AnswerParser parser;
  parser.body_limit(sink ? boost::none : boost::optional<std::uint64_t>(kAnswerBytesMax));
  auto [unread, read] = co_await http::async_read_header(stream, buffer_, parser, kTuple);
  if (unread) co_return unreachable("answer of " + name(), unread);

  ApiAnswer answer;
  answer.status = parser.get().result_int();
  answer.content_type = std::string(parser.get()[http::field::content_type]);
  const bool to_sink = sink && answer.ok();
  if (to_sink && !answer.content_type.starts_with(kStreamType)) {
    co_return Error{"unreachable",
                    name() + " answers with " + answer.content_type +
                        " instead of NDJSON; is it a Carillon server?",
                    ""};
  }
  const Sink keep = [&answer](std::string_view piece) {
    answer.body += piece;
    return true;
  };
  const error_code code = co_await read_body(stream, parser, to_sink ? sink : keep);
  if (code == asio::error::operation_aborted) {  // the sink had enough
    stream_.emplace<std::monostate>();
    co_return answer;
  }
  if (code) co_return unreachable("answer of " + name(), code);
  if (!parser.keep_alive()) stream_.emplace<std::monostate>();
  co_return answer;
}

template <typename S>
Async<error_code> ApiClient::Impl::read_body(S& stream, AnswerParser& parser, const Sink& take) {
  const auto piece = std::make_unique<std::array<char, kPieceBytes>>();
  while (!parser.is_done()) {
    arm(stream);
    auto& body = parser.get().body();
    body.data = piece->data();
    body.size = piece->size();
    auto [code, bytes] = co_await http::async_read_some(stream, buffer_, parser, kTuple);
    if (code && code != http::error::need_buffer) co_return code;
    if (!take({piece->data(), piece->size() - body.size})) {
      co_return asio::error::operation_aborted;
    }
  }
  co_return error_code();
}

ApiClient::ApiClient(Endpoint endpoint, Options options)
    : impl_(std::make_unique<Impl>(std::move(endpoint), std::move(options))) {}
ApiClient::~ApiClient() = default;

Result<ApiAnswer> ApiClient::call(std::string_view method, std::string_view path,
                                  std::string_view body, std::string_view content_type) {
  return impl_->call(impl_->make_request(method, path, body, content_type), {});
}

Result<ApiAnswer> ApiClient::stream(std::string_view path, const Sink& sink) {
  return impl_->call(impl_->make_request("GET", path, {}, {}), sink);
}

}  // namespace carillon::client
