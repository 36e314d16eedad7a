// When a failed push is tried again, and when no more.
//
// Exponential backoff with equal jitter: the bound doubles with each attempt, and the pause is
// drawn between half of it and all of it ("equal jitter", Marc Brooker, "Exponential Backoff And
// Jitter", AWS Architecture Blog, 2015). Half of it is certain, so that the whole schedule outlasts
// a bad deploy; the other half spreads what failed together.
//
// A receiver that says "not now" (429, or 503 with Retry-After) has not failed: the task waits as
// long as it was told to, and the attempt does not count against `max_attempts`. Neither does one
// that only tried a target that is held, nor one that was refused together with others, which is
// made again at once (engine/batcher.h).
//
// Concurrency: pure functions.
#pragma once

#include <optional>
#include <random>

#include "base/result.h"
#include "wheel/task.h"

namespace carillon {

/// Pushes of one task since it was added or redriven, whatever they came to.
inline constexpr std::uint32_t kPushesMax = 1000;

/// Bounds of a retry policy: max_attempts 1 to 1000, 1ms <= backoff_min <= backoff_max <= 30d,
/// max_age 1ms to 30d. Error slug: bad_value.
[[nodiscard]] Result<> check_retry(const RetryPolicy& retry);
/// The same for what is given of one.
[[nodiscard]] Result<> check_retry(const RetryChoice& retry);

/// The pause after the `attempt`th failure (from 1): between half and all of min(backoff_max,
/// backoff_min * 2^(attempt-1)), and never under backoff_min. A backoff_max under backoff_min, as a
/// task and its target may have between them, counts as backoff_min.
[[nodiscard]] Millis retry_pause(const RetryPolicy& policy, std::uint32_t attempt,
                                 std::mt19937_64& random);

/// The pause after the `times`th "not now" (from 1): as long as was asked, at least a second; or
/// one second, doubling up to `most`.
[[nodiscard]] Millis throttle_pause(std::uint32_t times, std::optional<Millis> asked, Millis most);

/// A push that failed.
struct Failure {
  WallTime at{};
  WallTime first_attempt_at{};
  std::uint32_t attempts = 1;     // since the task was added or redriven, this one included
  std::uint32_t uncounted = 0;    // of these, "not now", probes or in company; this one included
  bool is_throttled = false;      // this one: it was answered "not now"
  bool is_probe = false;          // this one
  bool at_once = false;           // this one was refused with others, and goes again without them
  std::optional<Millis> asked{};  // Retry-After
  Millis throttle_max{};          // see throttle_pause
};
/// When it is tried again: no later than max_age after the first attempt. Nothing: no more.
[[nodiscard]] std::optional<WallTime> next_attempt(const RetryPolicy& policy,
                                                   const Failure& failure, std::mt19937_64& random);

}  // namespace carillon
