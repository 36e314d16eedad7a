#include "delivery/retry.h"

#include <algorithm>

#include "delivery/errors.h"

namespace carillon {
namespace {

/// `from`, doubled so many times, but at most `most`.
Millis doubled(Millis from, std::uint32_t times, Millis most) {
  Millis bound = std::min(from, most);
  for (; times > 0 && bound < most && bound > Millis(0); --times) {
    // Halving the limit instead of doubling the bound: no overflow, however long they are.
    bound = bound > most / 2 ? most : bound * 2;
  }
  return bound;
}

constexpr int kAttemptsMax = 1'000;
constexpr Millis kBackoffMax = std::chrono::days(30);
constexpr Millis kMaxAgeMax = std::chrono::days(30);

}  // namespace

Result<> check_retry(const RetryPolicy& retry) {
  if (retry.max_attempts < 1 || retry.max_attempts > kAttemptsMax) {
    return bad_value("max_attempts", "`max_attempts` must be 1 to 1000");
  }
  if (retry.backoff_min < Millis(1) || retry.backoff_min > kBackoffMax) {
    return bad_value("backoff_min", "`backoff_min` must be 1ms to 30d");
  }
  if (retry.backoff_max < Millis(1) || retry.backoff_max > kBackoffMax) {
    return bad_value("backoff_max", "`backoff_max` must be 1ms to 30d");
  }
  if (retry.max_age < Millis(1) || retry.max_age > kMaxAgeMax) {
    return bad_value("max_age", "`max_age` must be 1ms to 30d");
  }
  if (retry.backoff_min > retry.backoff_max) {
    return bad_value("backoff_min", "`backoff_min` must not be longer than `backoff_max`");
  }
  return {};
}

Result<> check_retry(const RetryChoice& retry) {
  RetryPolicy policy = retry.over({});
  // Only where a choice gives both do they have to fit each other.
  if (!retry.backoff_min) policy.backoff_min = std::min(policy.backoff_min, policy.backoff_max);
  if (!retry.backoff_max) policy.backoff_max = std::max(policy.backoff_min, policy.backoff_max);
  return check_retry(policy);
}

Millis retry_pause(const RetryPolicy& policy, std::uint32_t attempt, std::mt19937_64& random) {
  const Millis most = std::max(policy.backoff_max, policy.backoff_min);
  const Millis::rep bound = doubled(policy.backoff_min, std::max(attempt, 1U) - 1, most).count();
  const Millis drawn(std::uniform_int_distribution<Millis::rep>(
      bound / 2, std::max<Millis::rep>(bound, 1))(random));
  return std::max({drawn, policy.backoff_min, Millis(1)});
}

Millis throttle_pause(std::uint32_t times, std::optional<Millis> asked, Millis most) {
  constexpr Millis kShortest = std::chrono::seconds(1);
  if (asked) return std::max(*asked, kShortest);
  return doubled(kShortest, std::max(times, 1U) - 1, std::max(most, kShortest));
}

std::optional<WallTime> next_attempt(const RetryPolicy& policy, const Failure& failure,
                                     std::mt19937_64& random) {
  const std::uint32_t counted = failure.attempts - std::min(failure.uncounted, failure.attempts);
  const WallTime last = failure.first_attempt_at + policy.max_age;
  if (failure.attempts >= kPushesMax || failure.at >= last) return std::nullopt;
  if (failure.at_once) return failure.at;
  const bool counts = !failure.is_throttled && !failure.is_probe;
  if (counts && counted >= static_cast<std::uint32_t>(policy.max_attempts)) {
    return std::nullopt;
  }
  const Millis pause =
      failure.is_throttled
          ? throttle_pause(failure.uncounted, failure.asked, failure.throttle_max)
          : std::max(retry_pause(policy, counted, random), failure.asked.value_or(Millis(0)));
  return std::min(failure.at + pause, last);
}

}  // namespace carillon
