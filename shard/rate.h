// A limit on how many tasks begin to be pushed in a stretch of time.
//
// A token bucket: it holds `burst` tokens at most, gains `limit` of them in each `per`, and a task
// that begins takes one. So in any stretch of `per`, wherever it lies, no more than limit + burst
// begin. It is empty at first, since nobody knows what began before a restart.
//
//     allowed 3 ── begin ──▶ 2 allowed, 1 on its way ── started ──▶ the token is gone
//
// A task is decided upon before it begins: between the two lies a commit, which takes what the disk
// takes. What was decided over a while may begin all at once. So a token is put aside by `begin`
// and goes by `started`, at the moment from which the receiver counts.
//
// Whole numbers only, so nothing is lost or won by rounding: a token is `per` parts, in ms, and
// each millisecond brings `limit` parts.
//
// Concurrency: none; pure. Limitations: where the clock is set forward, as much is gained as if the
// time had gone by, which is one burst at most.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "wheel/task.h"

namespace carillon {

class Rate {
 public:
  /// False: there is no limit, and neither `allowed` nor `next` is to be asked.
  [[nodiscard]] bool limits() const { return its_.limit != 0; }
  [[nodiscard]] const RateLimit& limit() const { return its_; }

  /// Sets the limit from now on. What is there stays, up to the new burst.
  void set(const RateLimit& limit, WallTime now) {
    if (limit == its_) return;
    const std::int64_t tokens = limits() ? parts_at(now) / parts_of_token() : 0;
    its_ = limit;
    at_ = now;
    parts_ = std::min(tokens * parts_of_token(), most());
  }

  /// So many may begin now.
  [[nodiscard]] std::uint64_t allowed(WallTime now) const {
    const std::int64_t tokens = parts_at(now) / parts_of_token() - on_their_way_;
    return tokens > 0 ? static_cast<std::uint64_t>(tokens) : 0;
  }
  /// One will begin.
  void begin() { ++on_their_way_; }
  /// One of those begins now.
  void started(WallTime now) {
    --on_their_way_;
    if (!limits()) return;
    parts_ = parts_at(now) - parts_of_token();
    at_ = std::max(at_, now);
  }
  /// When some may begin, of which none may now: a few together, where the burst lets them. Empty:
  /// not before one that is on its way has begun.
  [[nodiscard]] std::optional<WallTime> next(WallTime now) const {
    constexpr std::int64_t kTogetherMs = 10;
    const std::int64_t room = std::int64_t{its_.burst_in_effect()} - on_their_way_;
    if (room <= 0) return std::nullopt;
    const std::int64_t some = kTogetherMs * its_.limit / parts_of_token();
    const std::int64_t half = std::max<std::int64_t>(its_.burst_in_effect() / 2, 1);
    const std::int64_t wanted =
        on_their_way_ + std::min(room, std::clamp<std::int64_t>(some, 1, half));
    const std::int64_t missing = wanted * parts_of_token() - parts_at(now);
    const std::int64_t pause_ms = (missing + its_.limit - 1) / its_.limit;
    return std::max(now, at_) + Millis(std::max<std::int64_t>(pause_ms, 1));
  }

  /// Nobody waits for a time to come again.
  void clock_set_back(WallTime now) { at_ = std::min(at_, now); }

 private:
  [[nodiscard]] std::int64_t parts_of_token() const { return its_.per.count(); }
  [[nodiscard]] std::int64_t most() const {
    return std::int64_t{its_.burst_in_effect()} * parts_of_token();
  }
  [[nodiscard]] std::int64_t parts_at(WallTime now) const {
    constexpr std::int64_t kLongestMs = Millis(std::chrono::days(30)).count();
    const std::int64_t gone_ms = std::clamp<std::int64_t>((now - at_).count(), 0, kLongestMs);
    return std::min(parts_ + gone_ms * its_.limit, most());
  }

  RateLimit its_;
  std::int64_t parts_ = 0;  // at `at_`; may be negative after a change
  WallTime at_{};
  std::int64_t on_their_way_ = 0;
};

}  // namespace carillon
