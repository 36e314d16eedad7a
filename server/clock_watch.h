// Notices at once when somebody sets the machine's clock.
//
// A timerfd on the wall clock with TFD_TIMER_CANCEL_ON_SET becomes readable, with ECANCELED, when
// the clock is stepped (settimeofday, an NTP step), not while it is slewed. The engine's own timer
// wakes by itself then; this says how far the clock went, also where no task waits.
//
// Concurrency: everything on the loop's thread.
#pragma once

#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/time.h"

namespace carillon {

class ClockWatch {
 public:
  /// `stepped` is called with how far wall time went beyond monotonic time (negative: back) since
  /// the last step or the start. `clock` must outlive the watch.
  ClockWatch(boost::asio::io_context& loop, Clock& clock, std::function<void(Millis)> stepped);
  ClockWatch(const ClockWatch&) = delete;
  ClockWatch& operator=(const ClockWatch&) = delete;
  /// Ends the watch, so that the loop can run out of work.
  void stop();

 private:
  void arm();
  void wait();
  void on_readable();
  [[nodiscard]] Millis wall_minus_mono() const;

  boost::asio::posix::stream_descriptor timer_;
  Clock& clock_;
  std::function<void(Millis)> stepped_;
  Millis offset_;
};

}  // namespace carillon
