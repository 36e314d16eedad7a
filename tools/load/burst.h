// The burst: many tasks due in one and the same millisecond.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/time.h"
#include "tools/load/generator.h"
#include "tools/load/report.h"
#include "tools/load/workload.h"

namespace carillon::load {

struct BurstPlan {
  std::uint64_t count = 10'000;
  Millis in{std::chrono::seconds(10)};       // from now to the instant; the adds must fit in
  Millis patience{std::chrono::minutes(2)};  // how long after the instant to wait for the last
  std::size_t connections = 4;
  std::uint64_t batch = 1000;
  BatchForm form = BatchForm::json;
};

/// Adds the tasks, waits until `receiver`, which `tasks.target` must lead to, has accepted every
/// task that was added, and answers what it saw. Error slugs: unreachable; incomplete, where the
/// patience ended first.
[[nodiscard]] Result<BurstResult> run_burst(const client::Endpoint& server, const Wire& wire,
                                            const BurstPlan& plan, TaskPlan tasks,
                                            Receiver& receiver);

}  // namespace carillon::load
