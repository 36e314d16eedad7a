// Pushes that carry several tasks of one queue.
//
// Operation: the first task of a push takes a slot, and `open` says how many more may join. They do
// until it is full, another push is opened, or the batch of records is sealed: what is in one push
// is durable in one commit. A push is over, and its slot free, when all its tasks are.
//
//     open ── join ── join ──▶ closed          end, end, end: it is over
//
// Concurrency: none; pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/check.h"
#include "shard/command.h"

namespace carillon {

class BatchedPushes {
 public:
  static constexpr std::uint32_t kNoQueue = UINT32_MAX;

  /// A task of that queue begins a push that `room` more may join.
  [[nodiscard]] PushNumber open(std::uint32_t queue, std::uint32_t room) {
    if (unused_.empty()) {
      tasks_.push_back(0);
      unused_.push_back(static_cast<PushNumber>(tasks_.size()));
    }
    number_ = unused_.back();
    unused_.pop_back();
    tasks_[number_ - 1] = 1;
    queue_ = room > 0 ? queue : kNoQueue;
    room_ = room;
    return number_;
  }
  /// Which queue's tasks may join.
  [[nodiscard]] std::uint32_t open_to() const { return queue_; }
  [[nodiscard]] PushNumber join() {
    CARILLON_CHECK(room_ > 0);
    ++tasks_[number_ - 1];
    if (--room_ == 0) close();
    return number_;
  }
  void close() { queue_ = kNoQueue; }

  /// One of its tasks is. True: the push is over.
  [[nodiscard]] bool end(PushNumber push) {
    std::uint32_t& left = tasks_[push - 1];
    CARILLON_CHECK(left > 0);
    if (--left > 0) return false;
    if (push == number_) close();
    unused_.push_back(push);
    return true;
  }

 private:
  std::vector<std::uint32_t> tasks_;  // of each push, those that are not over
  std::vector<PushNumber> unused_;
  PushNumber number_ = 0;           // that is open
  std::uint32_t queue_ = kNoQueue;  // of it
  std::uint32_t room_ = 0;
};

}  // namespace carillon
