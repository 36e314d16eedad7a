#include "delivery/target.h"

#include <tuple>

#include "delivery/errors.h"
#include "delivery/kind.h"
#include "delivery/retry.h"

namespace carillon {
namespace {

constexpr Millis kTimeoutMax = std::chrono::minutes(10);
constexpr Millis kHoldMaxMax = std::chrono::days(1);
constexpr std::uint32_t kConcurrencyMax = 10'000;
constexpr std::uint32_t kBreakerFailuresMax = 1'000;
constexpr std::uint32_t kRateMax = 1'000'000;
constexpr Millis kRatePerMax = std::chrono::days(1);

Result<> check_rate(const RateLimit& rate) {
  if (rate.limit > kRateMax) return bad_value("rate.limit", "`limit` must be 1 to 1000000");
  if (rate.per < Millis(1) || rate.per > kRatePerMax) {
    return bad_value("rate.per", "`per` must be 1ms to 1d");
  }
  if (rate.burst > kRateMax) return bad_value("rate.burst", "`burst` must be 1 to 1000000");
  return {};
}

Result<> check_breaker(const Breaker& breaker) {
  if (breaker.failures > kBreakerFailuresMax) {
    return bad_value("breaker.failures", "`failures` must be 0 to 1000");
  }
  if (breaker.open_for < Millis(1) || breaker.open_for > kHoldMaxMax) {
    return bad_value("breaker.open_for", "`open_for` must be 1ms to 1d");
  }
  if (breaker.open_max < breaker.open_for || breaker.open_max > kHoldMaxMax) {
    return bad_value("breaker.open_max", "`open_max` must be `open_for` to 1d");
  }
  return {};
}

}  // namespace

std::shared_ptr<const KindSettings> default_kind_settings() {
  static const std::shared_ptr<const KindSettings> settings = kinds().front()->make_settings();
  return settings;
}

bool operator==(const TargetSettings& a, const TargetSettings& b) {
  const auto shared = [](const TargetSettings& its) {
    return std::tie(its.name, its.timeout, its.concurrency, its.rate, its.retry, its.breaker,
                    its.hold_max, its.paused);
  };
  return shared(a) == shared(b) && &a.own->kind() == &b.own->kind() && a.own->equals(*b.own);
}

Result<> check_target(const TargetSettings& settings) {
  if (Result<> ok = settings.own->check(); !ok) return ok;
  if (settings.timeout < Millis(1) || settings.timeout > kTimeoutMax) {
    return bad_value("timeout", "the timeout is 1ms to 10m");
  }
  if (settings.concurrency < 1 || settings.concurrency > kConcurrencyMax) {
    return bad_value("concurrency", "the concurrency is 1 to 10000");
  }
  if (Result<> ok = check_rate(settings.rate); !ok) return ok;
  if (Result<> ok = check_retry(settings.retry); !ok) return ok.error().at_field("retry");
  if (Result<> ok = check_breaker(settings.breaker); !ok) return ok;
  if (settings.hold_max < Millis(1) || settings.hold_max > kHoldMaxMax) {
    return bad_value("hold_max", "`hold_max` must be 1ms to 1d");
  }
  return {};
}

}  // namespace carillon
