// Lets coroutines wait for something to change.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/time.h"

namespace carillon {

/// Whoever waits looks again at what it waits for. One deadline at a time: the last waiter's
/// counts. Loop's thread only.
class Signal {
 public:
  explicit Signal(boost::asio::io_context& loop) : timer_(loop) {}

  /// Returns after the next `notify`, or at `deadline`.
  [[nodiscard]] boost::asio::awaitable<void> wait(MonoTime deadline) {
    // Setting it would wake those who wait already.
    if (timer_.expiry() != deadline) timer_.expires_at(deadline);
    co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }

  void notify() { timer_.cancel(); }

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace carillon
