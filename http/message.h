// A request as its handler sees it and the answer that it fills in.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "http/server.h"

namespace carillon {

struct ApiRoute;

template <typename T>
using Async = boost::asio::awaitable<T>;

/// Where a request came in.
enum class Door {
  tcp,     // TCP, where web pages can reach it too
  local,   // a unix socket
  probes,  // one that serves probes only
};

/// Views point into the connection's buffers and stay valid until the request is answered.
struct HttpRequest {
  std::string_view method;
  std::string_view path;   // as sent, still encoded, without the query
  std::string_view query;  // as sent, without "?"
  std::string_view content_type;
  std::string_view content_coding;  // of the body, where it is other than identity
  std::string_view authorization;
  std::string_view traceparent;  // where there is one of it, and
  std::string_view tracestate;   // likewise; not checked yet
  std::string_view body;
  bool has_body = false;  // one is announced; `body` is empty until it has come
  Door door = Door::tcp;
  const ApiRoute* route = nullptr;
  std::string_view name;   // the {part} of the route's pattern, still encoded
  Role role = Role::read;  // what its sender may do; set when it is admitted
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string headers;  // more of them, each as "name: value\r\n"
  std::string body;
  /// Set for an answer that is too long to hold: appends the next piece to its argument, which is
  /// sent before it is called again; false after the last. `body` is then not sent.
  std::function<Async<bool>(std::string&)> stream;
  /// Kept until the answer has been sent.
  std::shared_ptr<const void> held;

  void reset() {
    held.reset();
    status = 200;
    content_type = "application/json";
    headers.clear();
    body.clear();
    stream = nullptr;
  }
};

/// What a connection asks of the application.
class HttpService {
 public:
  virtual ~HttpService() = default;

  /// Looks at a request of which only the head is there. Answers how long a body it may bring. For
  /// a request that is refused already, `response` is filled in and false returned.
  virtual bool admit(HttpRequest& request, HttpResponse& response, std::size_t& body_bytes_max) = 0;

  /// Answers an admitted request; `request` and `response` live until it returns.
  virtual Async<void> answer(const HttpRequest& request, HttpResponse& response) = 0;
};

}  // namespace carillon
