#include "delivery/target.h"

#include <algorithm>
#include <array>

#include "delivery/signature.h"
#include "net/tls.h"
#include "net/url.h"

namespace carillon {
namespace {

using std::chrono::days;
using std::chrono::minutes;

constexpr std::array<std::string_view, 5> kMethods = {"POST", "PUT", "PATCH", "GET", "DELETE"};
constexpr std::size_t kSecretsMax = 4;
constexpr Millis kTimeoutMax = minutes(10);
constexpr Millis kConnectionAgeMax = days(1);
constexpr Millis kBackoffMax = days(30);
constexpr Millis kMaxAgeMax = days(30);
constexpr Millis kHoldMaxMax = days(1);
constexpr std::uint32_t kConcurrencyMax = 10'000;
constexpr int kAttemptsMax = 1'000;

Error bad_value(std::string_view field, std::string detail) {
  return {.slug = "bad_value", .detail = std::move(detail), .field = std::string(field)};
}

Result<> check_headers(const TargetSettings& settings) {
  PushHeaderRules rules;
  for (const auto& [name, value] : settings.headers) {
    if (Result<> ok = rules.take(name, value); !ok) return ok;
  }
  return {};
}

Result<> check_tls(const TargetSettings::Tls& tls) {
  if (tls.certificate_file.empty() != tls.private_key_file.empty()) {
    return bad_value("tls", "certificate_file and private_key_file go together");
  }
  return {};
}

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

Result<> check_target(const TargetSettings& settings) {
  if (settings.url.empty()) return Error{"missing_field", "`url` is required", "url"};
  if (Result<Url> url = parse_url(settings.url); !url) {
    Error error = url.error();
    error.field = "url";
    return error;
  }
  if (std::ranges::find(kMethods, settings.method) == kMethods.end()) {
    return bad_value("method", "the method is POST, PUT, PATCH, GET or DELETE");
  }
  if (settings.timeout < Millis(1) || settings.timeout > kTimeoutMax) {
    return bad_value("timeout", "the timeout is 1ms to 10m");
  }
  if (settings.connection_max_age < Millis(0) || settings.connection_max_age > kConnectionAgeMax) {
    return bad_value("connection_max_age", "connection_max_age is 0 to 24h");
  }
  if (settings.concurrency < 1 || settings.concurrency > kConcurrencyMax) {
    return bad_value("concurrency", "the concurrency is 1 to 10000");
  }
  if (settings.secrets.size() > kSecretsMax) {
    return bad_value("secrets", "a target has at most 4 secrets");
  }
  for (const std::string& secret : settings.secrets) {
    if (Result<std::vector<unsigned char>> key = parse_secret(secret); !key) return key.error();
  }
  if (Result<> ok = check_headers(settings); !ok) return ok;
  if (Result<> ok = check_retry(settings.retry); !ok) return ok.error().at_field("retry");
  if (settings.hold_max < Millis(1) || settings.hold_max > kHoldMaxMax) {
    return bad_value("hold_max", "`hold_max` must be 1ms to 1d");
  }
  return check_tls(settings.tls);
}

Result<> check_tls_files(const TargetSettings::Tls& tls) {
  if (tls.ca_file.empty() && tls.certificate_file.empty()) return {};
  const Result<TlsContext> made = make_client_tls({.verify = tls.verify,
                                                   .ca_file = tls.ca_file,
                                                   .certificate_file = tls.certificate_file,
                                                   .private_key_file = tls.private_key_file});
  if (made) return {};
  return Error{
      .slug = "unusable_file", .detail = made.error().detail, .field = "tls." + made.error().field};
}

}  // namespace carillon
