#include "delivery/target.h"

#include <tuple>

#include "delivery/kind.h"
#include "delivery/retry.h"

namespace carillon {
namespace {

constexpr Millis kTimeoutMax = std::chrono::minutes(10);
constexpr Millis kHoldMaxMax = std::chrono::days(1);
constexpr std::uint32_t kConcurrencyMax = 10'000;

Error bad_value(std::string_view field, std::string detail) {
  return {.slug = "bad_value", .detail = std::move(detail), .field = std::string(field)};
}

}  // namespace

std::shared_ptr<const KindSettings> default_kind_settings() {
  static const std::shared_ptr<const KindSettings> settings = kinds().front()->make_settings();
  return settings;
}

bool operator==(const TargetSettings& a, const TargetSettings& b) {
  const auto shared = [](const TargetSettings& its) {
    return std::tie(its.name, its.timeout, its.concurrency, its.retry, its.hold_max, its.paused);
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
  if (Result<> ok = check_retry(settings.retry); !ok) return ok.error().at_field("retry");
  if (settings.hold_max < Millis(1) || settings.hold_max > kHoldMaxMax) {
    return bad_value("hold_max", "`hold_max` must be 1ms to 1d");
  }
  return {};
}

}  // namespace carillon
