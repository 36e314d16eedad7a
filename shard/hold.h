// A target's hold: for a while nothing is pushed to it, because it asked for that or keeps failing.
//
//                in trouble                   the time is over
//     free ────────────────────▶ held ─────────────────────────▶ probing
//      ▲                          ▲ ▲                              │ │
//      │ enough at once           │ └── the probe is in trouble ───┘ │
//      │                          │                                  │ the probe is answered
//      └──────── ramping ─────────┴ in trouble                       │
//                   ▲                                                │
//                   └──────────── released: two at once ─────────────┘
//
// Trouble is a receiver that says "not now", or so many pushes in a row that fail as the target's
// breaker allows; while ramping, as many as one round has do. Any other end of a push is an answer.
//
// Held, nothing goes out. At the end of the hold one task at a time goes out as a probe; one that
// is in trouble waits for itself, so the next is another. Once a probe is answered the hold is
// over, and twice as many may be under way after each round, until that is as many as the target
// takes. Who says "not now" without saying how long is held for a second, who fails for `open_for`,
// both twice as long each time.
//
// A hold leads the log: it counts from its decision on, and its record, which a restart needs, is
// made durable later. It only ever delays, so nothing that was promised depends on the order.
//
// Concurrency: none; pure. Limitations: where the clock is set back, a hold begins anew; how many
// failed in a row before there is a hold, a restart forgets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "shard/record.h"

namespace carillon {

/// What a push says against its target.
struct Trouble {
  WallTime at{};
  HoldReason reason = HoldReason::too_many_requests;
  std::optional<Millis> asked{};             // for how long; under a second counts as one
  Millis hold_max{std::chrono::minutes(5)};  // where it said "not now": held no longer than this
  Breaker breaker{};                         // where it is failing
};

class Hold {
 public:
  static constexpr Millis kShortest = std::chrono::seconds(1);

  /// Nothing, or one probe at a time, may go out.
  [[nodiscard]] bool active() const { return phase_ == Phase::held; }
  /// It is over, and ever more may be under way.
  [[nodiscard]] bool ramping() const { return phase_ == Phase::ramping; }
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
  [[nodiscard]] bool is_probe(TaskNumber number) const { return active() && number == probe_; }

  /// A push of that task ended in trouble. True: the hold has changed.
  bool in_trouble(TaskNumber number, const Trouble& what) {
    return what.reason == HoldReason::failing ? failed(number, what) : throttled(number, what);
  }
  /// A push of that task ended in any other way; `concurrency` is what the target takes at once.
  /// True: the hold is over.
  bool answered(TaskNumber number, std::uint32_t concurrency) {
    failures_ = 0;
    if (phase_ == Phase::ramping) {
      ramp_up(concurrency);
      return false;
    }
    if (!is_probe(number)) return false;
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
    // `at` is earlier than the hold where the clock was set back before its record was written.
    set_at_ = std::max(at, hold.since);
    phase_ = Phase::held;
    probe_ = 0;
  }
  /// Pushes of another shard to the same receiver were in trouble. False: it is held as long as
  /// that already.
  bool adopt(const record::TargetHold& hold, WallTime now) {
    if (hold.until <= now || (active() && hold.until <= its_.until)) return false;
    begin_row(now);
    begin(hold.reason, now, hold.until);
    return true;
  }
  /// An operator, or the log, says that it is over.
  void release() { *this = Hold(); }

  /// Nobody waits longer than they were told to.
  void clock_set_back(WallTime now) {
    if (now < set_at_) {
      its_.until = now + (its_.until - set_at_);
      // Otherwise `restore` would read a hold that goes on as one from before the step.
      its_.since = std::min(its_.since, now);
      set_at_ = now;
    }
  }

 private:
  enum class Phase : std::uint8_t { free, held, ramping };
  static constexpr std::uint32_t kDoublingsMax = 20;

  bool throttled(TaskNumber number, const Trouble& what) {
    failures_ = 0;
    const bool was_under_way = active() && number != probe_;
    if (number == probe_) probe_ = 0;
    // Pushes from before the hold say nothing new, but perhaps a longer time.
    if (was_under_way && !what.asked) return false;
    begin_row(what.at);
    const Millis wanted = what.asked ? std::max(*what.asked, kShortest) : doubled(kShortest);
    const Millis length = std::min(wanted, std::max(what.hold_max, Millis(1)));
    if (was_under_way && what.at + length <= its_.until) return false;
    if (!what.asked) its_.doublings = std::min(its_.doublings + 1, kDoublingsMax);
    begin(what.reason, what.at, what.at + length);
    return true;
  }

  bool failed(TaskNumber number, const Trouble& what) {
    if (active() && number != probe_) return false;  // from before the hold
    std::uint32_t enough = what.breaker.failures;
    if (phase_ == Phase::ramping) enough = std::min(enough, at_once_);
    if (!active() && ++failures_ < enough) return false;
    failures_ = 0;
    probe_ = 0;
    begin_row(what.at);
    const Millis length = std::min(doubled(what.breaker.open_for), what.breaker.open_max);
    its_.doublings = std::min(its_.doublings + 1, kDoublingsMax);
    begin(what.reason, what.at, what.at + length);
    return true;
  }

  /// The first hold of a row, or one after another.
  void begin_row(WallTime now) {
    if (!active()) its_.since = now;
    if (phase_ == Phase::free) its_.doublings = 0;
  }
  [[nodiscard]] Millis doubled(Millis length) const {
    return length * (std::int64_t{1} << its_.doublings);
  }
  void begin(HoldReason reason, WallTime now, WallTime until) {
    its_.reason = reason;
    its_.until = until;
    set_at_ = now;
    phase_ = Phase::held;
  }

  void ramp_up(std::uint32_t concurrency) {
    if (++answers_ < at_once_) return;
    answers_ = 0;
    at_once_ *= 2;
    if (at_once_ >= concurrency) release();
  }

  Phase phase_ = Phase::free;
  std::uint32_t at_once_ = 0;   // ramping: so many may be under way
  std::uint32_t answers_ = 0;   // in this round
  std::uint32_t failures_ = 0;  // in a row, since the last answer
  TaskNumber probe_ = 0;        // under way; 0: none
  record::TargetHold its_;      // but for the key
  WallTime set_at_{};
};

}  // namespace carillon
