#include "engine/tick_timer.h"

#include <cerrno>
#include <utility>

#include <sys/timerfd.h>
#include <unistd.h>

#include "base/check.h"

namespace carillon {
namespace {

// Where nothing is due the timer still stands, so that a stepped clock is noticed.
constexpr WallTime kNever = WallTime(std::chrono::sys_days(std::chrono::year(2200) / 1 / 1));

int make_timer() {
  const int fd = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  CARILLON_CHECK(fd >= 0);
  return fd;
}

}  // namespace

TickTimer::TickTimer(boost::asio::io_context& loop, Clock& clock,
                     std::function<void(std::optional<Millis>)> tick)
    : timer_(loop, make_timer()),
      clock_(clock),
      tick_(std::move(tick)),
      offset_(wall_minus_mono()) {
  arm(kNever);
  wait();
}

void TickTimer::set(std::optional<WallTime> moment) {
  if (moment == moment_ || !timer_.is_open()) return;
  moment_ = moment;
  arm(moment.value_or(kNever));
}

void TickTimer::stop() {
  boost::system::error_code ignored;
  timer_.close(ignored);
}

/// Where the clock was set since the last look, the kernel says so here and not again: then the
/// timer is due at once, to tell of it.
void TickTimer::arm(WallTime moment) {
  const std::int64_t ms = std::max<std::int64_t>(moment.time_since_epoch().count(), 1);
  itimerspec when{};
  when.it_value.tv_sec = ms / 1000;
  when.it_value.tv_nsec = ms % 1000 * 1'000'000;
  constexpr int kFlags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
  if (::timerfd_settime(timer_.native_handle(), kFlags, &when, nullptr) == 0) return;
  CARILLON_CHECK(errno == ECANCELED);
  stepped_ = true;
  when.it_value = {0, 1};
  CARILLON_CHECK(::timerfd_settime(timer_.native_handle(), kFlags, &when, nullptr) == 0 ||
                 errno == ECANCELED);
}

Millis TickTimer::wall_minus_mono() const {
  return clock_.wall().time_since_epoch() -
         std::chrono::floor<Millis>(clock_.mono().time_since_epoch());
}

void TickTimer::wait() {
  timer_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
                      if (error || alive.expired()) return;
                      std::uint64_t expirations = 0;
                      const ssize_t got =
                          ::read(timer_.native_handle(), &expirations, sizeof expirations);
                      if (got < 0 && errno == ECANCELED) stepped_ = true;
                      if (got > 0 || stepped_) {
                        // It stands at a moment that is over, or was cancelled: set it anew.
                        moment_.reset();
                        std::optional<Millis> step;
                        if (std::exchange(stepped_, false)) {
                          const Millis before = std::exchange(offset_, wall_minus_mono());
                          step = offset_ - before;
                        }
                        arm(kNever);
                        tick_(step);
                        if (alive.expired()) return;
                      }
                      wait();
                    });
}

}  // namespace carillon
