// What the server asks of the application that it serves.
//
// Operation: for each request the server calls `admit` when the head is there, then, when the body
// has come, `answer`. What it cannot go on with itself (a broken head, a body that is too large or
// does not come) it has the service say, in the service's own way: `refuse`. So errors of the
// server and of the application look the same to a client.
//
// Concurrency: any thread, several at once; one request is on one thread.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "http/message.h"

namespace carillon {

class HttpService {
 public:
  virtual ~HttpService() = default;

  /// Looks at a request of which only the head is there. Answers how long a body it may bring. For
  /// a request that is refused already, `response` is filled in and false returned.
  virtual bool admit(HttpRequest& request, HttpResponse& response, std::size_t& body_bytes_max) = 0;

  /// Answers an admitted request; `request` and `response` live until it returns.
  virtual Async<void> answer(const HttpRequest& request, HttpResponse& response) = 0;

  /// Makes `response`, which is empty, say why the server gives a request up. Slugs: bad_request,
  /// body_too_large, cross_origin, headers_too_large, overloaded, request_timeout,
  /// too_many_connections, unsupported_expectation, uri_too_long. `request` is what is known of it:
  /// nothing but its door where its head has not been read.
  virtual void refuse(const HttpRequest& request, const Error& error, HttpResponse& response) = 0;
};

}  // namespace carillon
