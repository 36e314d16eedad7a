#include "engine/clock_mover.h"

#include <algorithm>

namespace carillon {

/// Ticks and commits until nothing is left to do at this moment.
Async<void> ClockMover::run_to_rest() {
  ShardDriver& driver = its_.local.driver();
  for (;;) {
    driver.tick();
    const bool waits = driver.committing() || its_.local.contents().fetching();
    if (driver.at_rest() && !waits) co_return;
    if (waits) {
      co_await its_.changed.wait(MonoTime::max());
    } else {
      co_await yield(its_.loop);
    }
  }
}

Async<void> ClockMover::keep_time() {
  ShardDriver& driver = its_.local.driver();
  while (driver.committing()) co_await its_.changed.wait(MonoTime::max());
  driver.commit();
  while (driver.committing()) co_await its_.changed.wait(MonoTime::max());
}

Async<WallTime> ClockMover::advance(ManualClock& clock, Millis by) {
  constexpr WallTime kEnd = WallTime(std::chrono::sys_days(std::chrono::year(2100) / 1 / 1));
  const WallTime until = std::min(clock.wall() + by, kEnd);
  for (;;) {
    co_await run_to_rest();
    const std::optional<WallTime> next = its_.local.shard().next_wakeup();
    if (!next || *next >= until) break;
    clock.set(std::max(*next, clock.wall()));
  }
  clock.set(std::max(until, clock.wall()));
  co_await run_to_rest();
  co_await keep_time();
  co_return clock.wall();
}

}  // namespace carillon
