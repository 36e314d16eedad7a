// The API behind the connections: finds the route, holds each request against what the route says,
// and turns refusals into problems, or into what the clients of the route expect.
//
// Until the engine is ready only /healthz, /readyz, /metrics and /openapi.json are answered; the
// rest gets 503 `not_ready`.
//
// Concurrency: any thread. Options that are set hold for what is admitted, and for what is
// answered, from then on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "api/options.h"
#include "api/routes.h"
#include "api/task_json.h"
#include "base/snapshot.h"
#include "http/service.h"

namespace carillon {

class Audit;
class ClusterStatus;
class Monitor;
class PeerCalls;
class Tracer;

class Api final : public HttpService {
 public:
  /// What /metrics says.
  using Metrics = std::function<Async<std::string>()>;

  /// All must outlive it.
  Api(TaskService& tasks, Metrics metrics, ApiOptions options,
      std::span<const ApiRoute> routes = carillon::routes());

  bool admit(HttpRequest& request, HttpResponse& response, std::size_t& body_bytes_max) override;
  Async<void> answer(const HttpRequest& request, HttpResponse& response) override;
  void refuse(const HttpRequest& request, const Error& error, HttpResponse& response) override;

  /// Before there are requests: the server is a node of a cluster, shows it and serves its other
  /// nodes. Both must outlive this.
  void join(ClusterStatus& cluster, PeerCalls& peers) {
    cluster_ = &cluster;
    peers_ = &peers;
  }
  /// Before there are requests: what the server's history and alarms come from. It must outlive
  /// this.
  void show(const Monitor& monitor) { monitor_ = &monitor; }
  /// Likewise: where it is noted who changed what.
  void note_in(Audit& audit) { audit_ = &audit; }
  /// Likewise: what is told of adds that are traced.
  void trace_with(Tracer& tracer) { tracer_ = &tracer; }
  /// Null: it has neither.
  [[nodiscard]] const Monitor* monitor() const { return monitor_; }
  /// Null: nobody notes it.
  [[nodiscard]] const Audit* audit() const { return audit_; }
  /// Null: the server is of no cluster.
  [[nodiscard]] ClusterStatus* cluster() const { return cluster_; }

  /// For the next requests.
  void set_options(ApiOptions options) { options_.replace(std::move(options)); }
  /// /readyz says draining from now on; all else goes on.
  void announce_drain() { draining_ = true; }
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] Async<std::string> metrics() const { return metrics_(); }
  [[nodiscard]] PeerCalls* peers() const { return peers_; }

 private:
  [[nodiscard]] bool is_served(const ApiRoute& route, const ApiOptions& options) const;
  [[nodiscard]] Answer<> check_sender(const ApiRoute& route, const ApiOptions& options,
                                      HttpRequest& request) const;
  [[nodiscard]] Answer<> check_ready(const ApiRoute& route) const;
  void note(const ApiRoute& route, const Call& call) const;
  [[nodiscard]] static Answer<> check_body(const ApiRoute& route, const HttpRequest& request,
                                           HttpResponse& response);

  TaskService& tasks_;
  ClusterStatus* cluster_ = nullptr;
  const Monitor* monitor_ = nullptr;
  Audit* audit_ = nullptr;
  Tracer* tracer_ = nullptr;
  Metrics metrics_;
  Snapshot<ApiOptions> options_;
  std::span<const ApiRoute> routes_;
  PeerCalls* peers_ = nullptr;
  std::atomic<bool> draining_ = false;
};

}  // namespace carillon
