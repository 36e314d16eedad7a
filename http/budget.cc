#include "http/budget.h"

#include "base/check.h"

namespace carillon {

bool Budget::Share::take(std::size_t amount) {
  if (amount == 0) return true;  // there would be nothing to give up
  Budget& all = budget_;
  if (!is_linked()) all.shares_.push_back(*this);
  while (all.held_ + amount > all.most_ && &all.shares_.front() != this) {
    Share& oldest = all.shares_.front();
    oldest.give_back();
    ++all.given_up_;
    oldest.give_up_();
  }
  const bool is_alone = all.held_ == amount_;
  if (all.held_ + amount > all.most_ && !is_alone) return false;
  amount_ += amount;
  all.held_ += amount;
  return true;
}

void Budget::Share::give_back() {
  CARILLON_CHECK(budget_.held_ >= amount_);
  budget_.held_ -= amount_;
  amount_ = 0;
  unlink();
}

}  // namespace carillon
