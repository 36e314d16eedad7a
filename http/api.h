// The API behind the connections: finds the route, holds each request against what the route says,
// and turns refusals into problems.
//
// Concurrency: everything on the loop's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <prometheus/registry.h>

#include "http/message.h"
#include "http/task_json.h"

namespace carillon {

struct ConnectionHub;

class Api final : public HttpService {
 public:
  /// All must outlive it.
  Api(Engine& engine, prometheus::Registry& registry, const ConnectionHub& hub,
      HttpOptions options);

  bool admit(HttpRequest& request, HttpResponse& response, std::size_t& body_bytes_max) override;
  Async<void> answer(const HttpRequest& request, HttpResponse& response) override;

  /// For the next requests.
  void set_options(HttpOptions options);
  [[nodiscard]] const HttpOptions& options() const { return options_; }
  /// The server is about to stop.
  [[nodiscard]] bool draining() const;
  /// Everything that /metrics says.
  [[nodiscard]] std::string metrics() const;

  /// What reading JSON needs, for the next who does. Nothing for nothing.
  void give_back(std::unique_ptr<JsonScratch> scratch);

 private:
  [[nodiscard]] Answer<> check_sender(HttpRequest& request) const;
  [[nodiscard]] Answer<> check_ready(const ApiRoute& route) const;
  [[nodiscard]] static Answer<> check_body(const HttpRequest& request, HttpResponse& response);
  std::unique_ptr<JsonScratch> take_scratch();

  Engine& engine_;
  prometheus::Registry& registry_;
  const ConnectionHub& hub_;
  HttpOptions options_;
  std::vector<std::unique_ptr<JsonScratch>> scratches_;
};

}  // namespace carillon
