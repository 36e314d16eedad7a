// A client of Carillon in one header, to copy into a program: Boost.Beast and Boost.JSON 1.81 or
// newer, all of them headers.
//
// Operation: each call blocks until it is answered. One that had no answer, or 429 or 503, is sent
// again after a pause, five times at most. That is safe, since all that this class sends does no
// more the second time: an add has an id and says `if_exists: once`, a cancel that meets its own
// effect hears that the task is cancelled.
//
// Concurrency: one thread per client; clients share nothing.
//
// Limitations: no TLS (put a unix socket or a sidecar in between), one connection for each call.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <boost/json.hpp>

namespace carillon_example {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;

struct Answer {
  unsigned status = 0;
  json::value body;  // of a refusal: a problem (RFC 9457) with `type`, `title` and `detail`
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

class Client {
 public:
  /// `url` is http://HOST:PORT or unix:PATH; `token` may be empty.
  explicit Client(std::string url, std::string token = {}) : token_(std::move(token)) {
    if (url.starts_with("unix:")) {
      path_ = url.substr(5);
      return;
    }
    const std::string_view scheme = "http://";
    const auto colon = url.rfind(':');
    if (!url.starts_with(scheme) || colon < scheme.size()) {
      throw std::invalid_argument("http://HOST:PORT or unix:PATH, not " + url);
    }
    host_ = url.substr(scheme.size(), colon - scheme.size());
    port_ = url.substr(colon + 1);
  }

  /// Makes the target, or replaces it.
  Answer put_target(std::string_view name, const json::object& settings) {
    return call(http::verb::put, "/v1/targets/" + encoded(name), settings);
  }
  /// Adds a task, which must have an id.
  Answer add(json::object task) {
    if (!task.contains("id")) throw std::invalid_argument("a task needs an id to be added once");
    task["if_exists"] = "once";
    return call(http::verb::post, "/v1/tasks", task);
  }
  /// 200: no push of it starts from now on. 409: it is too late.
  Answer cancel(std::string_view id) {
    Answer answer = call(http::verb::delete_, "/v1/tasks/" + encoded(id));
    // What an attempt whose answer was lost has done.
    const auto* state =
        answer.body.is_object() ? answer.body.as_object().if_contains("state") : nullptr;
    if (answer.status == 409 && state != nullptr && *state == "cancelled") answer.status = 200;
    return answer;
  }
  /// Any call that does no more the second time.
  Answer call(http::verb method, const std::string& path, const json::value& body = nullptr) {
    for (std::chrono::milliseconds pause(100);; pause *= 2) {
      const bool last = pause > std::chrono::seconds(2);
      try {
        Answer answer = call_once(method, path, body);
        if (last || (answer.status != 429 && answer.status != 503)) return answer;
      } catch (const boost::system::system_error&) {
        if (last) throw;
      }
      std::this_thread::sleep_for(pause);
    }
  }

 private:
  using Stream = beast::basic_stream<net::generic::stream_protocol>;
  using Request = http::request<http::string_body>;

  Answer call_once(http::verb method, const std::string& path, const json::value& body) {
    Request request(method, path, 11);
    request.set(http::field::host, path_.empty() ? host_ + ":" + port_ : "localhost");
    if (!token_.empty()) request.set(http::field::authorization, "Bearer " + token_);
    if (!body.is_null()) {
      request.set(http::field::content_type, "application/json");
      request.body() = json::serialize(body);
    }
    request.keep_alive(false);
    request.prepare_payload();

    net::io_context context;
    auto answered = net::co_spawn(context, exchange(std::move(request)), net::use_future);
    context.run();
    const http::response<http::string_body> response = answered.get();
    const std::string& text = response.body();
    return {response.result_int(), text.empty() ? json::value() : json::parse(text)};
  }

  net::awaitable<http::response<http::string_body>> exchange(Request request) {
    Stream stream(co_await net::this_coro::executor);
    stream.expires_after(std::chrono::seconds(30));
    if (path_.empty()) {
      net::ip::tcp::resolver resolver(co_await net::this_coro::executor);
      const auto found = co_await resolver.async_resolve(host_, port_, net::use_awaitable);
      co_await stream.async_connect(net::ip::tcp::endpoint(found.begin()->endpoint()),
                                    net::use_awaitable);
    } else {
      co_await stream.async_connect(net::local::stream_protocol::endpoint(path_),
                                    net::use_awaitable);
    }
    co_await http::async_write(stream, request, net::use_awaitable);
    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    co_await http::async_read(stream, buffer, response, net::use_awaitable);
    co_return response;
  }

  static std::string encoded(std::string_view name) {
    static constexpr std::string_view kPlain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : name) {
      if (kPlain.find(c) != std::string_view::npos) {
        out += c;
      } else {
        const auto byte = static_cast<unsigned char>(c);
        out += {'%', kHex[byte >> 4], kHex[byte & 15]};
      }
    }
    return out;
  }

  std::string host_, port_, path_, token_;
};

}  // namespace carillon_example
