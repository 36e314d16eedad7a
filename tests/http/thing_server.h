// The server of http/ in this process, on a thread of its own, over a small service: it keeps
// things that clients post, and has a route for each ability that a service may make use of.
//
//   POST /things         keeps a JSON text under its "id": 201 and the text, 400 where it has none
//   GET  /things         all of them, streamed one by one, up to one that is "broken"
//   GET  /things/{id}    one
//   GET  /health         {"status":"ok"}
//   POST /echo           any body of any type: the same back
//   GET  /headers        what the request's headers are, a line for each
//   GET  /pages/*path    a page of HTML that names the path; errors are pages, too
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/server.h"
#include "tests/support/http_client.h"

namespace carillon::test {

struct ThingSetup {
  HttpOptions http;
  std::size_t body_bytes_max = std::size_t{1} << 20;
  ListenAddress listen{.host = "127.0.0.1"};
};

class ThingServer {
 public:
  explicit ThingServer(const ThingSetup& setup = {});
  ~ThingServer();
  ThingServer(const ThingServer&) = delete;
  ThingServer& operator=(const ThingServer&) = delete;

  /// As HttpServer::listen answers it, the first.
  [[nodiscard]] const std::string& url() const;
  [[nodiscard]] HttpStats stats() const;
  void reload(const HttpOptions& options);
  /// Returns when it is done.
  void drain(Millis deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// A thing as JSON, with these members behind its id.
[[nodiscard]] std::string thing(const std::string& id, const std::string& more = "");

}  // namespace carillon::test
