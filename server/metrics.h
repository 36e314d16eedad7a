// What /metrics shows: the numbers of the HTTP server, the engine and the process, together.
//
// Operation: counters are plain numbers that their owners keep anyway, without locks; they are
// asked for and turned into metrics when somebody asks. docs/operations.md says what each means.
//
// Concurrency: `text` is for any thread; `add` is for before.
#pragma once

#include <atomic>
#include <string>

#include "engine/requests.h"

namespace carillon {

class ClusterStatus;
class Monitor;
class TaskService;
class Tracer;
class HttpServer;

class Metrics {
 public:
  explicit Metrics(std::string version) : version_(std::move(version)) {}
  /// From now on its metrics are shown too. It must outlive the last `text`.
  void add(TaskService& tasks) { tasks_ = &tasks; }
  void add(const HttpServer& http) { http_ = &http; }
  void add(ClusterStatus& cluster) { cluster_ = &cluster; }
  void add(const Monitor& monitor) { monitor_ = &monitor; }
  void add(const Tracer& tracer) { tracer_ = &tracer; }
  /// The server is about to stop: it is not ready any more.
  void announce_drain() { draining_ = true; }
  /// All of them, in Prometheus' text format.
  [[nodiscard]] Async<std::string> text() const;

 private:
  std::string version_;
  TaskService* tasks_ = nullptr;
  const HttpServer* http_ = nullptr;
  ClusterStatus* cluster_ = nullptr;
  const Monitor* monitor_ = nullptr;
  const Tracer* tracer_ = nullptr;
  std::atomic<bool> draining_ = false;
};

}  // namespace carillon
