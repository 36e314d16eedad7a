// The API behind the connections: finds the route, holds each request against what the route says,
// and turns refusals into problems, or into what the clients of the route expect.
//
// Until the engine is ready only /healthz, /readyz, /metrics and /openapi.json are answered; the
// rest gets 503 `not_ready`.
//
// Concurrency: everything on the loop's thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <prometheus/collectable.h>

#include "api/options.h"
#include "api/routes.h"
#include "api/task_json.h"
#include "http/service.h"

namespace carillon {

class Api final : public HttpService {
 public:
  /// `metrics` is what /metrics shows. All must outlive it.
  Api(TaskService& tasks, const prometheus::Collectable& metrics, ApiOptions options,
      std::span<const ApiRoute> routes = carillon::routes());

  bool admit(HttpRequest& request, HttpResponse& response, std::size_t& body_bytes_max) override;
  Async<void> answer(const HttpRequest& request, HttpResponse& response) override;
  void refuse(const HttpRequest& request, const Error& error, HttpResponse& response) override;

  /// For the next requests.
  void set_options(ApiOptions options);
  [[nodiscard]] const ApiOptions& options() const { return options_; }
  /// /readyz says draining from now on; all else goes on.
  void announce_drain() { draining_ = true; }
  [[nodiscard]] bool draining() const { return draining_; }
  /// Everything that /metrics says.
  [[nodiscard]] std::string metrics() const;

  /// What reading JSON needs, for the next who does. Nothing for nothing.
  void give_back(std::unique_ptr<JsonScratch> scratch);

 private:
  [[nodiscard]] Answer<> check_sender(const ApiRoute& route, HttpRequest& request) const;
  [[nodiscard]] Answer<> check_ready(const ApiRoute& route) const;
  [[nodiscard]] static Answer<> check_body(const ApiRoute& route, const HttpRequest& request,
                                           HttpResponse& response);
  std::unique_ptr<JsonScratch> take_scratch();

  TaskService& tasks_;
  const prometheus::Collectable& metrics_;
  ApiOptions options_;
  std::span<const ApiRoute> routes_;
  bool draining_ = false;
  std::vector<std::unique_ptr<JsonScratch>> scratches_;
};

}  // namespace carillon
