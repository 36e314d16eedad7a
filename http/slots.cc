#include "http/slots.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace carillon {

void Slots::set_most(std::size_t most) {
  most_ = most;
  admit();
}

/// Gives free slots to those that have waited longest.
void Slots::admit() {
  while (taken_ < most_ && !waiting_.empty()) {
    Claim& next = waiting_.front();
    next.unlink();
    ++taken_;
    next.granted_ = true;
    next.turn_.cancel();
  }
}

boost::asio::awaitable<void> Slots::Claim::wait() {
  slots_.waiting_.push_back(*this);
  turn_.expires_at(boost::asio::steady_timer::time_point::max());
  slots_.admit();
  if (granted_) co_return;
  co_await turn_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  unlink();
}

Slots::Claim::~Claim() {
  if (!granted_) return;
  --slots_.taken_;
  slots_.admit();
}

}  // namespace carillon
