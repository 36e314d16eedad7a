// A number that one thread at a time changes and every thread may read.
//
// Operation: the writer stores without a locked instruction, so counting costs what a plain number
// costs. A reader sees some recent value.
#pragma once

#include <atomic>
#include <cstdint>

namespace carillon {

class Tally {
 public:
  void operator++() { add(1); }
  void operator--() { store(*this - 1); }
  void add(std::uint64_t more) { store(*this + more); }
  void store(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  operator std::uint64_t() const { return value_.load(std::memory_order_relaxed); }  // NOLINT

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace carillon
