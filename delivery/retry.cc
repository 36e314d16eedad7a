#include "delivery/retry.h"

#include <algorithm>

namespace carillon {

Millis retry_pause(const RetryPolicy& policy, std::uint32_t attempt,
                   std::optional<Millis> retry_after, std::mt19937_64& random) {
  constexpr Millis kRetryAfterMax = std::chrono::hours(24);
  Millis ceiling = std::min(policy.backoff_min, policy.backoff_max);
  for (std::uint32_t doubled = 1; doubled < attempt && ceiling < policy.backoff_max; ++doubled) {
    // Halving the bound instead of doubling the pause: no overflow, however long they are.
    if (ceiling <= Millis(0)) break;
    ceiling = ceiling > policy.backoff_max / 2 ? policy.backoff_max : ceiling * 2;
  }
  const auto high = std::max<Millis::rep>(ceiling.count(), 1);
  const Millis jittered(
      std::max<Millis::rep>(std::uniform_int_distribution<Millis::rep>(0, high)(random), 1));
  return std::max(jittered, std::min(retry_after.value_or(Millis(0)), kRetryAfterMax));
}

}  // namespace carillon
