// What /metrics shows: the numbers of the HTTP server, the engine and the process, together.
//
// Operation: counters are plain numbers that their owners keep anyway, without locks; they are
// turned into metrics when somebody asks. docs/operations.md says what each means.
//
// Concurrency: collected on the loop's thread only, since it reads their owners.
#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

namespace carillon {

class TaskService;
class HttpServer;

class Metrics final : public prometheus::Registry {
 public:
  explicit Metrics(std::string version) : version_(std::move(version)) {}
  /// From now on its metrics are shown too. It must outlive the last collection.
  void add(const TaskService& engine) { engine_ = &engine; }
  void add(const HttpServer& http) { http_ = &http; }
  /// The server is about to stop: it is not ready any more.
  void announce_drain() { draining_ = true; }
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::string version_;
  const TaskService* engine_ = nullptr;
  const HttpServer* http_ = nullptr;
  bool draining_ = false;
};

}  // namespace carillon
