// The poller: what people put beside a Redis sorted set to make a timer of it.
//
// Operation: once in each interval it takes what has become due, at most `batch` members at a time,
// with one script that reads and removes them, so that no two pollers take the same. A member's
// lateness is from its score to when the poller has it and its payload; what the poller would then
// do with it is not counted.
//
// Concurrency: blocks its caller. Several pollers take their turns on one thread, spread evenly
// over the interval, which is what they do at best.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/time.h"
#include "tools/client/endpoint.h"
#include "tools/load/receiver.h"

namespace carillon::bench {

struct PollPlan {
  unsigned pollers = 1;
  std::uint64_t batch = 2000;
  bool drain = false;  // go on within one turn until nothing more is due
  Millis interval{1000};
  std::uint64_t count = 0;  // end when this many were taken
  Millis patience{0};       // or after this long
};

/// Polls until the plan ends. Error slugs: unreachable; network, where the connection breaks or an
/// answer makes no sense.
[[nodiscard]] Result<load::ReceiverSummary> poll(const client::Endpoint& server,
                                                 const PollPlan& plan);

}  // namespace carillon::bench
