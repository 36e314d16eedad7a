// The generator: sends a workload's requests over keep-alive connections and measures the answers.
//
// Operation: with a rate it is an open loop: request k is due to be sent at start + k / rate,
// whatever became of the ones before it, and its time is measured from that moment. So a server
// that stalls is charged for every request that should have been sent meanwhile ("coordinated
// omission", Gil Tene, "How NOT to Measure Latency", 2013). Without a rate it is a closed loop:
// each connection sends as soon as it has an answer. It often shares the machine with what it
// measures, so it is one epoll set, and one send and one recv a request or less.
//
// Concurrency: blocks its caller; all connections are on one thread.
//
// Limitations: TCP or a unix socket, no TLS. The protocol is the workload's; it answers the
// requests of a connection in their order.
#pragma once

#include <cstdint>
#include <map>

#include "base/histogram.h"
#include "base/result.h"
#include "base/time.h"
#include "tools/client/endpoint.h"
#include "tools/load/workload.h"

namespace carillon::load {

struct Pace {
  std::size_t connections = 64;
  double per_second = 0;     // requests; 0: closed loop
  Millis duration{0};        // 0: until the workload ends
  bool abandons = false;     // ends with the duration, whatever is under way
  std::size_t pipeline = 1;  // requests under way on a connection at once
};

struct LoadResult {
  std::uint64_t requests = 0;   // answered
  std::uint64_t tasks = 0;      // in requests that were answered 2xx, less the ones a batch refused
  std::uint64_t refused = 0;    // tasks answered with an error
  std::uint64_t broken = 0;     // requests whose answer never came; what became of them is unknown
  std::uint64_t abandoned = 0;  // requests under way when the duration ended
  std::uint64_t number_sum = 0;  // of the tasks' numbers in adds of which none was refused
  std::map<unsigned, std::uint64_t> statuses;
  Histogram time;  // from when a request was due to be sent (closed loop: was sent) to its answer
  double seconds = 0;
};

/// Runs `workload` against `server` until it or the duration ends. Error slug `unreachable` where
/// not even the first connection could be made.
[[nodiscard]] Result<LoadResult> run_load(const client::Endpoint& server, const Pace& pace,
                                          Workload& workload);

}  // namespace carillon::load
