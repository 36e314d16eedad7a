// When a failed push is tried again: exponential backoff with full jitter.
#pragma once

#include <optional>
#include <random>

#include "wheel/task.h"

namespace carillon {

/// The pause before the attempt after `attempt` (from 1): uniformly random between 0 and
/// min(backoff_max, backoff_min * 2^(attempt-1)), but never under 1 ms ("full jitter", Marc
/// Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). A receiver's
/// Retry-After is a floor under it, itself capped at 24 hours so that no receiver can park a task
/// for ever.
[[nodiscard]] Millis retry_pause(const RetryPolicy& policy, std::uint32_t attempt,
                                 std::optional<Millis> retry_after, std::mt19937_64& random);

}  // namespace carillon
