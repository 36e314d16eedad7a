#include "http/budget.h"

#include "base/check.h"

namespace carillon {

bool Budget::Share::take(std::size_t amount) {
  if (amount == 0) return true;  // there would be nothing to give up
  used_ = true;
  Budget& all = budget_;
  const std::lock_guard lock(all.mutex_);
  if (!is_linked()) all.shares_.push_back(*this);
  while (all.held_ + amount > all.most_ && &all.shares_.front() != this) {
    Share& oldest = all.shares_.front();
    all.release(oldest);
    oldest.lost_ = true;
    ++all.given_up_;
    oldest.give_up_();
  }
  const bool is_alone = all.held_ == amount_;
  if (all.held_ + amount > all.most_ && !is_alone) return false;
  amount_ += amount;
  all.held_.add(amount);
  return true;
}

bool Budget::Share::pin() {
  if (!used_) return true;
  const std::lock_guard lock(budget_.mutex_);
  unlink();
  return !lost_;
}

bool Budget::Share::lost() const {
  const std::lock_guard lock(budget_.mutex_);
  return lost_;
}

/// Most requests have taken nothing, and then this costs nothing.
void Budget::Share::give_back() {
  if (!used_) return;
  used_ = false;
  const std::lock_guard lock(budget_.mutex_);
  budget_.release(*this);
  lost_ = false;
}

void Budget::release(Share& share) {
  CARILLON_CHECK(held_ >= share.amount_);
  held_.store(held_ - share.amount_);
  share.amount_ = 0;
  share.unlink();
}

}  // namespace carillon
