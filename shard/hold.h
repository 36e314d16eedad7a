// A target's hold: for a while nothing is pushed to it, because it asked for that.
//
//                throttled                    the time is over
//     free ────────────────────▶ held ─────────────────────────▶ probing
//      ▲                          ▲ ▲                              │ │
//      │ enough at once           │ └──── the probe is throttled ──┘ │
//      │                          │                                  │ the probe has any other end
//      └──────── ramping ─────────┴ throttled                        │
//                   ▲                                                │
//                   └──────────── released: two at once ─────────────┘
//
// Held, nothing goes out. At the end of the hold one task at a time goes out as a probe, and as a
// throttled one waits for itself, the next is another. Once a probe is answered the hold is over,
// and twice as many may be under way after each round, until that is as many as the target takes.
// Whoever says "not now" without saying how long is held for a second, twice as long each time.
//
// A hold leads the log: it counts from its decision on, and its record, which a restart needs, is
// made durable later. It only ever delays, so nothing that was promised depends on the order.
//
// Concurrency: none; pure. Limitations: where the clock is set back, a hold begins anew.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "shard/record.h"

namespace carillon {

/// A receiver's "not now".
struct Throttle {
  WallTime at{};
  HoldReason reason = HoldReason::too_many_requests;
  std::optional<Millis> asked;               // for how long; under a second counts as one
  Millis hold_max{std::chrono::minutes(5)};  // the target is held no longer than this
};

class Hold {
 public:
  static constexpr Millis kShortest = std::chrono::seconds(1);

  /// Nothing, or one probe at a time, may go out.
  [[nodiscard]] bool active() const { return phase_ == Phase::held; }
  [[nodiscard]] HoldReason reason() const { return its_.reason; }
  [[nodiscard]] WallTime since() const { return its_.since; }
  [[nodiscard]] WallTime until() const { return its_.until; }
  /// The record that restates it.
  [[nodiscard]] record::TargetHold record(const TargetKey& key) const {
    record::TargetHold record = its_;
    record.key = key;
    return record;
  }

  /// Whether one more push may begin beside `in_flight` others.
  [[nodiscard]] bool admits(WallTime now, std::uint32_t in_flight) const {
    if (phase_ == Phase::free) return true;
    if (phase_ == Phase::ramping) return in_flight < at_once_;
    return now >= its_.until && probe_ == 0;
  }

  /// A push of that task begins.
  void fired(TaskNumber number) {
    if (active()) probe_ = number;
  }

  /// A push of that task was told to come later. True: the hold has changed.
  bool throttled(TaskNumber number, const Throttle& what) {
    const WallTime now = what.at;
    const bool was_under_way = active() && number != probe_;
    if (number == probe_) probe_ = 0;
    // Pushes from before the hold say nothing new, but perhaps a longer time.
    if (was_under_way && !what.asked) return false;
    if (!active()) its_.since = now;
    if (phase_ == Phase::free) its_.doublings = 0;
    const Millis wanted =
        what.asked ? std::max(*what.asked, kShortest) : kShortest * (1 << its_.doublings);
    const Millis length = std::min(wanted, std::max(what.hold_max, Millis(1)));
    if (was_under_way && now + length <= its_.until) return false;
    if (!what.asked) its_.doublings = std::min(its_.doublings + 1, kDoublingsMax);
    its_.reason = what.reason;
    its_.until = now + length;
    set_at_ = now;
    phase_ = Phase::held;
    return true;
  }

  /// A push of that task ended in any other way; `concurrency` is what the target takes at once.
  /// True: the hold is over.
  bool answered(TaskNumber number, std::uint32_t concurrency) {
    if (phase_ == Phase::ramping) {
      ramp_up(concurrency);
      return false;
    }
    if (!active() || number != probe_) return false;
    probe_ = 0;
    phase_ = Phase::ramping;
    at_once_ = 1;
    answers_ = 0;
    ramp_up(concurrency);
    return true;
  }

  /// As the log says: held, `at` that time.
  void restore(const record::TargetHold& hold, WallTime at) {
    its_ = hold;
    set_at_ = at;
    phase_ = Phase::held;
    probe_ = 0;
  }
  /// An operator, or the log, says that it is over.
  void release() { *this = Hold(); }

  /// Nobody waits longer than they were told to.
  void clock_set_back(WallTime now) {
    if (now < set_at_) {
      its_.until = now + (its_.until - set_at_);
      set_at_ = now;
    }
  }

 private:
  enum class Phase : std::uint8_t { free, held, ramping };
  static constexpr std::uint32_t kDoublingsMax = 20;

  void ramp_up(std::uint32_t concurrency) {
    if (++answers_ < at_once_) return;
    answers_ = 0;
    at_once_ *= 2;
    if (at_once_ >= concurrency) release();
  }

  Phase phase_ = Phase::free;
  std::uint32_t at_once_ = 0;  // ramping: so many may be under way
  std::uint32_t answers_ = 0;  // in this round
  TaskNumber probe_ = 0;       // under way; 0: none
  record::TargetHold its_;     // but for the key
  WallTime set_at_{};
};

}  // namespace carillon
