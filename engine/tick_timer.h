// Wakes the engine at a wall-clock millisecond, or when the wall clock is set.
#pragma once

#include <functional>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/time.h"

namespace carillon {

/// A timerfd on the wall clock: due at an absolute moment, so waking is as punctual as the kernel
/// is, and cancelled by the kernel when the clock is stepped (TFD_TIMER_CANCEL_ON_SET), so that a
/// step that makes tasks due does not wait for a timer set before it. Loop's thread only.
class TickTimer {
 public:
  /// `tick` is called at the moment last set, or with `stepped` when the clock was set.
  TickTimer(boost::asio::io_context& loop, std::function<void(bool stepped)> tick);
  TickTimer(const TickTimer&) = delete;
  TickTimer& operator=(const TickTimer&) = delete;

  /// Replaces the moment. Costs a system call only where it differs.
  void set(std::optional<WallTime> moment);
  void stop();

 private:
  void wait();
  void arm(WallTime moment);

  boost::asio::posix::stream_descriptor timer_;
  std::function<void(bool)> tick_;
  std::optional<WallTime> moment_;
  bool stepped_ = false;  // the clock was set, and `tick_` does not know yet
};

}  // namespace carillon
