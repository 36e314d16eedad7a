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

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carillon {

using Millis = std::chrono::milliseconds;
using WallTime = std::chrono::sys_time<Millis>;
using MonoTime = std::chrono::steady_clock::time_point;

/// The source of both times. Called from the event loop's thread only.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall-clock time, rounded down to the millisecond.
  virtual WallTime wall() = 0;
  /// The same in microseconds, for measuring lateness. Never before wall().
  virtual std::chrono::sys_time<std::chrono::microseconds> wall_micros() { return wall(); }
  /// Monotonic time; unrelated to wall time, unaffected by steps.
  virtual MonoTime mono() = 0;
};

/// The machine's own clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  WallTime wall() override;
  std::chrono::sys_time<std::chrono::microseconds> wall_micros() override;
  MonoTime mono() override;
};

/// A clock that stands still until it is moved. For `--clock manual` and for tests. `mono` moves
/// with it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start) : wall_(start) {}
  WallTime wall() override { return wall_; }
  MonoTime mono() override { return MonoTime(wall_.time_since_epoch()); }
  void set(WallTime now) { wall_ = now; }

 private:
  WallTime wall_;
};

/// RFC 3339 with an offset ("2026-11-21T08:00:00.25+01:00", also lower-case t and z, leap second 60
/// read as the next second) as a moment; anything finer than a millisecond is rounded up.
/// Years 1970 to 2100. Error slug: bad_time.
[[nodiscard]] Result<WallTime> parse_moment(std::string_view text);

/// RFC 3339 in UTC with milliseconds: "2026-11-21T07:00:00.250Z".
[[nodiscard]] std::string format_moment(WallTime moment);
/// The same, appended to `out` without allocating a string of its own.
void append_moment(std::string& out, WallTime moment);

/// A duration in its text form: a whole number and one unit of ms, s, m, h, d ("250ms", "15m"); may
/// be negative only where `allow_negative`. At most 100 years. Error slug: bad_duration.
[[nodiscard]] Result<Millis> parse_duration(std::string_view text, bool allow_negative = false);

/// The shortest text form that `parse_duration` reads back to the same: "90s", "15m", "1500ms".
[[nodiscard]] std::string format_duration(Millis duration);

}  // namespace carillon
