// Time: two clocks that cannot be mixed up, and the text forms of moments and durations.
//
// WallTime is what a person's clock shows and what tasks are due at; it can be stepped. MonoTime
// only measures how long something took. They are different types, so no subtraction mixes them.
// Both come from a Clock that is handed in; nothing else in the project asks the system for the
// time.
//
// Carillon's resolution is the millisecond. A finer moment given by a client is rounded up and the
// clock is read rounded down: between the two, nothing can be early.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carillon {

using Millis = std::chrono::milliseconds;
using WallTime = std::chrono::sys_time<Millis>;
using MonoTime = std::chrono::steady_clock::time_point;

/// The source of both times. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall-clock time, rounded down to the millisecond.
  virtual WallTime wall() = 0;
  /// The same in microseconds, for measuring lateness. Never before wall().
  virtual std::chrono::sys_time<std::chrono::microseconds> wall_micros() { return wall(); }
  /// What the clocks of others show, rounded down: for what a receiver holds against its own clock,
  /// such as a signature's age. Differs from wall() where that one is moved by hand.
  virtual WallTime real() { return wall(); }
  /// Monotonic time; unrelated to wall time, unaffected by steps.
  virtual MonoTime mono() = 0;
};

/// The machine's own clocks.
class SystemClock final : public Clock {
 public:
  WallTime wall() override;
  std::chrono::sys_time<std::chrono::microseconds> wall_micros() override;
  MonoTime mono() override;
};

/// A clock that stands still until it is moved. For `--clock manual` and for tests. `mono` moves
/// with it; `real` is the machine's.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start) { set(start); }
  WallTime wall() override { return WallTime(Millis(wall_.load(std::memory_order_relaxed))); }
  WallTime real() override { return SystemClock().wall(); }
  MonoTime mono() override { return MonoTime(wall().time_since_epoch()); }
  void set(WallTime now) { wall_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> wall_;
};

/// RFC 3339 with an offset ("2026-11-21T08:00:00.25+01:00"; also without seconds, with lower-case t
/// and z, and leap second 60 read as the next second) as a moment; anything finer than a
/// millisecond is rounded up. Years 1970 to 2100. Error slug: bad_time.
[[nodiscard]] Result<WallTime> parse_moment(std::string_view text);

/// Unix milliseconds as a moment. A number below 10^11 (March 1973) is refused: it is a moment in
/// seconds, which would otherwise be due at once. Error slug: bad_time.
[[nodiscard]] Result<WallTime> moment_of(std::int64_t unix_millis);

/// Either of the two, where all is text: in a query or on a command line.
[[nodiscard]] Result<WallTime> parse_moment_or_millis(std::string_view text);

/// RFC 3339 in UTC with milliseconds: "2026-11-21T07:00:00.250Z".
[[nodiscard]] std::string format_moment(WallTime moment);
/// The same, appended to `out` without allocating a string of its own.
void append_moment(std::string& out, WallTime moment);

/// A duration in one of its text forms, at most 100 years:
///  - numbers with the units d, h, m, s, ms, largest first: "90s", "1.5s", "1m30s", "1h0m0s";
///  - ISO 8601 without years and months, which have no fixed length: "PT90S", "P1DT2H", "P2W".
/// What is finer than a millisecond is rounded up. It may be negative only where `allow_negative`
/// ("-10m", "-PT10M", "PT-10M"). Error slug: bad_duration.
[[nodiscard]] Result<Millis> parse_duration(std::string_view text, bool allow_negative = false);

/// Milliseconds as a duration, within the same bounds.
[[nodiscard]] Result<Millis> duration_of(std::int64_t millis, bool allow_negative = false);

/// Either of the two, where all is text: in a query or on a command line.
[[nodiscard]] Result<Millis> parse_duration_or_millis(std::string_view text,
                                                      bool allow_negative = false);

/// The shortest text form that `parse_duration` reads back to the same: "90s", "15m", "1500ms".
[[nodiscard]] std::string format_duration(Millis duration);

}  // namespace carillon
