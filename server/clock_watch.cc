#include "server/clock_watch.h"

#include <cerrno>
#include <limits>
#include <utility>

#include <sys/timerfd.h>
#include <unistd.h>

#include "base/check.h"

namespace carillon {

ClockWatch::ClockWatch(boost::asio::io_context& loop, Clock& clock,
                       std::function<void(Millis)> stepped)
    : timer_(loop, ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)),
      clock_(clock),
      stepped_(std::move(stepped)),
      offset_(wall_minus_mono()) {
  arm();
  wait();
}

void ClockWatch::stop() {
  boost::system::error_code ignored;
  timer_.close(ignored);
}

void ClockWatch::arm() {
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<std::int32_t>::max();
  // Cancelled where the clock was set once more since the last look: it stands all the same.
  CARILLON_CHECK(::timerfd_settime(timer_.native_handle(),
                                   TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
                                   nullptr) == 0 ||
                 errno == ECANCELED);
}

void ClockWatch::wait() {
  timer_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [this](const boost::system::error_code& error) {
                      if (!error) on_readable();
                    });
}

void ClockWatch::on_readable() {
  std::uint64_t expirations = 0;
  const bool cancelled =
      ::read(timer_.native_handle(), &expirations, sizeof expirations) < 0 && errno == ECANCELED;
  arm();
  wait();
  if (!cancelled) return;
  const Millis before = std::exchange(offset_, wall_minus_mono());
  stepped_(offset_ - before);
}

Millis ClockWatch::wall_minus_mono() const {
  return clock_.wall().time_since_epoch() -
         std::chrono::floor<Millis>(clock_.mono().time_since_epoch());
}

}  // namespace carillon
