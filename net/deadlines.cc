#include "net/deadlines.h"

namespace carillon {

Deadlines::Deadlines(boost::asio::io_context& loop, Millis length)
    : timer_(loop), length_(length), self_(std::make_shared<Deadlines*>(this)) {}

Deadlines::~Deadlines() {
  armed_.clear();
}

void Deadlines::arm(Deadline& deadline) {
  deadline.unlink();
  deadline.at_ = std::chrono::steady_clock::now() + length_;
  armed_.push_back(deadline);
  if (!waiting_) schedule();
}

void Deadlines::schedule() {
  waiting_ = true;
  const std::chrono::steady_clock::duration slack = length_;
  timer_.expires_at(armed_.front().at_ + slack / 16);
  timer_.async_wait([weak = std::weak_ptr<Deadlines*>(self_)](boost::system::error_code error) {
    Deadlines* self = nullptr;
    if (const auto locked = weak.lock()) self = *locked;
    if (self != nullptr && !error) self->expire();
  });
}

void Deadlines::expire() {
  waiting_ = false;
  const auto now = std::chrono::steady_clock::now();
  const std::weak_ptr<Deadlines*> alive = self_;
  while (!armed_.empty() && armed_.front().at_ <= now) {
    Deadline& deadline = armed_.front();
    armed_.pop_front();
    // The callback may destroy the deadline and even this object.
    const std::function<void()> expired = deadline.expired_;
    expired();
    if (alive.expired()) return;
  }
  if (!armed_.empty() && !waiting_) schedule();
}

}  // namespace carillon
