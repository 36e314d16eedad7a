#include "delivery/http/settings.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/check.h"
#include "delivery/errors.h"
#include "delivery/http/signature.h"
#include "delivery/push_header.h"
#include "delivery/tls_settings.h"

namespace carillon {
namespace {

constexpr std::array<std::string_view, 5> kMethods = {"POST", "PUT", "PATCH", "GET", "DELETE"};
constexpr std::size_t kSecretsMax = 4;
constexpr Millis kConnectionAgeMax = std::chrono::days(1);
constexpr std::uint32_t kBatchTasksMax = 10'000;
constexpr std::uint32_t kBatchBytesMin = 1 << 10;
constexpr std::uint32_t kBatchBytesMax = 16 << 20;
constexpr Millis kBatchWaitMax = std::chrono::minutes(1);

Result<> check_batch(const BatchLimit& batch) {
  if (batch.tasks_max > kBatchTasksMax) {
    return bad_value("batch.tasks_max", "`tasks_max` must be 1 to 10000");
  }
  if (batch.bytes_max < kBatchBytesMin || batch.bytes_max > kBatchBytesMax) {
    return bad_value("batch.bytes_max", "`bytes_max` must be 1KiB to 16MiB");
  }
  if (batch.wait_max < Millis(0) || batch.wait_max > kBatchWaitMax) {
    return bad_value("batch.wait_max", "`wait_max` must be 0 to 1m");
  }
  return {};
}

Result<> check_headers(const HttpSettings& settings) {
  PushHeaderRules rules;
  for (const auto& [name, value] : settings.headers) {
    if (Result<> ok = rules.take(name, value); !ok) return ok;
  }
  return {};
}

}  // namespace

Result<> HttpSettings::check() const {
  if (url.empty()) return Error{"missing_field", "`url` is required", "url"};
  if (Result<Url> parsed = parse_url(url); !parsed) return parsed.error().at_field("url");
  if (std::ranges::find(kMethods, method) == kMethods.end()) {
    return bad_value("method", "the method is POST, PUT, PATCH, GET or DELETE");
  }
  if (connection_max_age < Millis(0) || connection_max_age > kConnectionAgeMax) {
    return bad_value("connection_max_age", "connection_max_age is 0 to 24h");
  }
  if (Result<> ok = check_batch(batched); !ok) return ok;
  if (secrets.size() > kSecretsMax) {
    return bad_value("secrets", "a target has at most 4 secrets");
  }
  for (const std::string& secret : secrets) {
    if (Result<std::vector<unsigned char>> key = parse_secret(secret); !key) return key.error();
  }
  if (Result<> ok = check_headers(*this); !ok) return ok;
  return check_tls(tls);
}

Result<> HttpSettings::check_address(UrlPolicy& urls) const {
  const auto allowed = urls.check(url);
  return allowed ? Result<>() : allowed.error().at_field("url");
}

Result<> HttpSettings::check_files() const {
  return check_tls_files(tls);
}

bool HttpSettings::equals(const KindSettings& other) const {
  const auto all = [](const HttpSettings& its) {
    return std::tie(its.url, its.method, its.headers, its.connection_max_age, its.batched,
                    its.secrets, its.tls);
  };
  return all(*this) == all(static_cast<const HttpSettings&>(other));
}

const HttpSettings& http_settings(const TargetSettings& target) {
  CARILLON_CHECK(&target.own->kind() == &kHttpKind);
  return static_cast<const HttpSettings&>(*target.own);
}

Result<TargetSettings> parse_url_defaults(std::string_view json) {
  Result<TargetSettings> target = parse_stored_target(json);
  if (!target) return target;
  if (&target->own->kind() != &kHttpKind) {
    return bad_value("kind", "a URL is pushed to by `http` alone");
  }
  if (target->rate != RateLimit()) return bad_value("rate", "only a named target has a rate");
  if (target->breaker != Breaker()) {
    return bad_value("breaker", "only a named target is held, and so has a breaker");
  }
  auto own = std::make_shared<HttpSettings>(http_settings(*target));
  if (own->batched != BatchLimit()) return bad_value("batch", "only a named target has batches");
  if (!own->url.empty()) return bad_value("url", "each task brings its own url");
  own->url = "http://localhost/";
  target->own = own;
  if (Result<> ok = check_target(*target); !ok) return ok.error();
  own->url.clear();
  return target;
}

}  // namespace carillon
