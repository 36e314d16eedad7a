// A blocking HTTP client for Carillon's own API.
//
// Operation: one connection, kept alive. One call at a time, no pipelining. A connection that the
// server has closed meanwhile is noticed before the call is sent and made anew; a call is never
// sent twice.
//
// Concurrency: one thread per client.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "tools/client/endpoint.h"

namespace carillon::client {

struct ApiAnswer {
  unsigned status = 0;
  std::string content_type;
  std::string body;
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

class ApiClient {
 public:
  struct Options {
    std::string token;    // empty: no Authorization header
    std::string ca_file;  // for https; empty: the system's
    /// Of one whole call, from connecting to the last byte of the answer. Looking up a name takes
    /// as long as the system's resolver takes.
    Millis timeout{std::chrono::seconds(60)};
    bool limit_streams = false;  // false: `timeout` is of each silence in a stream
  };
  ApiClient(Endpoint endpoint, Options options);
  ~ApiClient();
  ApiClient(const ApiClient&) = delete;
  ApiClient& operator=(const ApiClient&) = delete;

  /// One call. `path` is encoded already and may have a query. A refusal by the server is an
  /// answer, not an error; error slug `unreachable`: no connection, or no whole answer (or one of
  /// more than 64 MiB). What the
  /// server did with the call is then unknown.
  [[nodiscard]] Result<ApiAnswer> call(std::string_view method, std::string_view path,
                                       std::string_view body = {},
                                       std::string_view content_type = "application/json");

  /// The same for a GET whose answer is NDJSON too long to hold: a 2xx body is given to `sink`
  /// piece by piece, and the answer's own body stays empty. Any other content type is
  /// `unreachable`. `sink` answers false to end it (no error).
  [[nodiscard]] Result<ApiAnswer> stream(std::string_view path,
                                         const std::function<bool(std::string_view)>& sink);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carillon::client
