// How many tasks of a queue began to be pushed in the last second or two, to say when others will.
//
//     | before_: a whole second | count_: since since_ | now
//
// Concurrency: none; pure.
#pragma once

#include <cstdint>
#include <optional>

#include "wheel/task.h"

namespace carillon {

class Pace {
 public:
  /// One begins.
  void begun(WallTime now) {
    turn(now);
    ++count_;
  }
  /// When one begins that has `ahead` others before it, if all goes on as it is. Nothing: too few
  /// have begun of late to tell.
  [[nodiscard]] std::optional<WallTime> reaches(std::uint64_t ahead, WallTime now) {
    constexpr Millis kLeast{200};
    turn(now);
    const Millis over = now - since_ + (has_before_ ? kTurn : Millis(0));
    const std::uint64_t began = count_ + before_;
    if (began == 0 || over < kLeast) return std::nullopt;
    const double pause = static_cast<double>(ahead + 1) * static_cast<double>(over.count()) /
                         static_cast<double>(began);
    return now + Millis(static_cast<std::int64_t>(pause));
  }

 private:
  static constexpr Millis kTurn = std::chrono::seconds(1);

  void turn(WallTime now) {
    if (now >= since_ && now - since_ < kTurn) return;
    has_before_ = now >= since_ && now - since_ < 2 * kTurn;
    before_ = has_before_ ? count_ : 0;
    since_ = has_before_ ? since_ + kTurn : now;
    count_ = 0;
  }

  WallTime since_{};
  std::uint32_t count_ = 0;
  std::uint32_t before_ = 0;  // in the second before
  bool has_before_ = false;
};

}  // namespace carillon
