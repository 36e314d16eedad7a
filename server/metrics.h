// What /metrics shows: the HTTP server's own metrics and the engine's, together.
//
// Operation: the HTTP server registers its families as usual; the engine's counters are plain
// numbers that it keeps anyway, and are turned into metrics when somebody asks. docs/operations.md
// says what each means.
//
// Concurrency: collected on the loop's thread only, since it reads the engine.
#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

namespace carillon {

class Engine;

class Metrics final : public prometheus::Registry {
 public:
  explicit Metrics(std::string version) : version_(std::move(version)) {}
  /// From now on the engine's metrics are shown too. It must outlive the last collection.
  void add(const Engine& engine) { engine_ = &engine; }
  /// The server is about to stop: it is not ready any more.
  void announce_drain() { draining_ = true; }
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::string version_;
  const Engine* engine_ = nullptr;
  bool draining_ = false;
};

}  // namespace carillon
