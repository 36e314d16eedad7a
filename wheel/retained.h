// Finished tasks in the order in which they finished, for forgetting them in that order.
//
// An entry that has finished is on no list: the time of its end stands where its links were. So it
// cannot be taken out here when it goes before its time, as one does whose id is added again. Its
// record stays, and is known by its number, which the entry has no more. Records of tasks that are
// gone are dropped when they come to the front; where they are more than those of tasks that are
// there, each further record also has a few of the oldest looked at, so that memory is bounded by
// what is there.
//
//     front <- [ looked at: there ] [ not looked at again yet ] <- back
//
// Concurrency: none. Limitations: a task is known by 33 bits of its number, which says another
// only after 2^33 changes to tasks in the time that finished ones are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "wheel/arena.h"

namespace carillon {

class Retained {
  static constexpr std::uint64_t kNumberMask = (std::uint64_t{1} << 33) - 1;

 public:
  struct Record {
    std::uint64_t ref : 31;
    std::uint64_t number : 33;

    [[nodiscard]] EntryRef where() const { return static_cast<EntryRef>(ref); }
    [[nodiscard]] bool is(std::uint64_t task_number) const {
      return number == (task_number & kNumberMask);
    }
  };

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Of these, records of tasks that are there.
  [[nodiscard]] std::size_t there() const { return there_; }
  [[nodiscard]] std::size_t bytes() const { return size() * sizeof(Record); }
  [[nodiscard]] Record front() const { return oldest().front(); }
  void push_back(EntryRef ref, std::uint64_t number) {
    records_.push_back({ref & kNoEntry, number & kNumberMask});
    ++size_;
    ++there_;
  }
  /// Of a task that is gone, noted or about to be.
  void pop_front() {
    oldest().pop_front();
    --size_;
  }
  /// A task of which there is a record is gone.
  void note_gone() { --there_; }
  /// That was one of which there is no record.
  void note_had_none() { ++there_; }
  /// A little of the work that keeps records of what is gone few. `there(Record)`: the task is.
  template <typename There>
  void tidy(const There& there) {
    for (int i = 0; i < 4 && size_ > 2 * there_ + kFewGone; ++i) {
      if (records_.empty()) records_.swap(looked_at_);
      const Record its = records_.front();
      records_.pop_front();
      if (there(its)) {
        looked_at_.push_back(its);
      } else {
        --size_;
      }
    }
  }
  /// In order.
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (const Record& its : looked_at_) visit(its);
    for (const Record& its : records_) visit(its);
  }

 private:
  static constexpr std::size_t kFewGone = 4096;
  [[nodiscard]] const std::deque<Record>& oldest() const {
    return looked_at_.empty() ? records_ : looked_at_;
  }
  [[nodiscard]] std::deque<Record>& oldest() { return looked_at_.empty() ? records_ : looked_at_; }

  std::deque<Record> looked_at_;
  std::deque<Record> records_;
  std::size_t size_ = 0;
  std::size_t there_ = 0;
};

}  // namespace carillon
