// How far the log reaches and how many bytes it takes, without remembering every row.
//
// Rows are counted in spans of about 64 KiB: a log of 10 GiB takes 2.5 MB here, however small its
// batches are. A trim inside a span takes off a share of its bytes, so `bytes` is exact to within
// one span.
#pragma once

#include <cstdint>
#include <deque>

#include "wheel/task.h"

namespace carillon {

class LogExtent {
 public:
  /// Appends a row of `bytes`; `first` is above all before it.
  void add(Sequence first, std::uint64_t bytes);
  /// Drops the rows whose first sequence is below `before`.
  void trim(Sequence before);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// No row that is left begins below this.
  [[nodiscard]] Sequence oldest() const { return oldest_; }

 private:
  struct Span {
    Sequence first = 0;
    std::uint64_t bytes = 0;
  };
  std::deque<Span> spans_;
  std::uint64_t bytes_ = 0;
  Sequence oldest_ = 0;
  Sequence end_ = 0;  // first of the last row
};

}  // namespace carillon
