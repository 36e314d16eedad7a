// A request as its handler sees it and the answer that it fills in.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "http/fields.h"

namespace carillon {

struct HttpRoute;

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
  HttpFields fields;       // all of its headers; the known ones are taken out already:
  std::string_view content_type;
  std::string_view content_coding;  // of the body, where it is other than identity
  std::string_view authorization;
  std::string_view traceparent;  // where there is one of it, and
  std::string_view tracestate;   // likewise; not checked yet
  std::string_view body;
  bool has_body = false;   // one is announced; `body` is empty until it has come
  bool right_host = true;  // for a name that this server answers to; see http/host_rule.h
  Door door = Door::tcp;

  // The service's own: set when it admits the request, for when it answers it.
  const HttpRoute* route = nullptr;
  std::string_view name;  // what stands for the variable part of the route's path, still encoded
  int rights = 0;         // what its sender may do, as the service counts it
};

/// What came of making the next piece of an answer. `broken`: it cannot be brought to its end, and
/// breaks off, which its client sees.
enum class Streamed { more, last, broken };

/// An answer of status 204 or 304 has no body.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string_view cache_control = "no-store";  // most answers are about this moment
  std::string headers;                          // more of them, each as "name: value\r\n"
  std::string body;
  /// Set for an answer that is too long to hold: appends the next piece to its argument, which is
  /// sent before it is called again. `body` is then not sent.
  std::function<Async<Streamed>(std::string&)> stream;
  /// Kept until the answer has been sent.
  std::shared_ptr<const void> held;

  void reset() {
    held.reset();
    status = 200;
    content_type = "application/json";
    cache_control = "no-store";
    headers.clear();
    body.clear();
    stream = nullptr;
  }
};

}  // namespace carillon
