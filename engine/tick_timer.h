// Wakes the engine at a wall-clock millisecond, or when the wall clock is set.
//
// Operation: a timerfd on the wall clock, due at an absolute moment, so waking is as punctual as
// the kernel is. The kernel cancels it when the clock is stepped (settimeofday, an NTP step; not
// while it is slewed: TFD_TIMER_CANCEL_ON_SET), so a step that makes tasks due does not wait for a
// timer that was set before it. How far the clock went is what wall time gained on monotonic time.
//
// Concurrency: the loop's thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/time.h"

namespace carillon {

class TickTimer {
 public:
  /// `tick` is called at the moment last set; with how far the clock went (negative: back), when it
  /// was set. `clock` must outlive the timer.
  TickTimer(boost::asio::io_context& loop, Clock& clock,
            std::function<void(std::optional<Millis> step)> tick);
  TickTimer(const TickTimer&) = delete;
  TickTimer& operator=(const TickTimer&) = delete;

  /// Replaces the moment. Costs a system call only where it differs.
  void set(std::optional<WallTime> moment);
  void stop();
  /// The moment last set has come.
  [[nodiscard]] bool is_due() const { return moment_ && clock_.wall() >= *moment_; }

 private:
  void wait();
  void arm(WallTime moment);
  [[nodiscard]] Millis wall_minus_mono() const;

  boost::asio::posix::stream_descriptor timer_;
  Clock& clock_;
  std::function<void(std::optional<Millis>)> tick_;
  Millis offset_;  // of wall time to monotonic time, as last known
  std::optional<WallTime> moment_;
  bool stepped_ = false;  // the clock was set, and `tick_` does not know yet
  /// Gone when this is: it may have been due already.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
