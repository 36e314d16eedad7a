// When alarms open, and who is told of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace carillon {

/// From where on an alarm opens; 0: never.
struct AlarmLimits {
  Millis overdue = std::chrono::minutes(1);      // of the oldest task that is due
  Millis lateness = std::chrono::seconds(1);     // p99 of pushes, for a minute
  std::uint64_t dead_letters = 1;                // so many
  Millis target_held = std::chrono::minutes(5);  // for so long
  Millis commit_time = std::chrono::seconds(1);  // p99, for a minute
  std::uint32_t pending_percent = 80;            // of what may be pending
  std::uint64_t forecast_per_second = 0;         // of a minute of the next hour; what can be pushed
};

struct MonitorOptions {
  AlarmLimits limits;
  std::string alarm_url;     // who is told; empty: nobody
  std::string alarm_target;  // or the name of a target
};

}  // namespace carillon
