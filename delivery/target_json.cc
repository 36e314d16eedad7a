#include <array>

#include "base/json.h"
#include "delivery/json_fields.h"
#include "delivery/kind.h"
#include "delivery/retry.h"
#include "delivery/retry_json.h"
#include "delivery/target.h"

namespace carillon {
namespace {

using simdjson::ondemand::value;
using Place = KindSettings::Place;

constexpr auto kShared = std::to_array<std::string_view>(
    {"kind", "timeout", "concurrency", "rate", "retry", "breaker", "hold_max", "paused"});

Error unknown_kind() {
  std::string names;
  for (const TargetKind* kind : kinds()) {
    names += (names.empty() ? "\"" : ", \"") + std::string(kind->name) + "\"";
  }
  return {"bad_value", "`kind` must be one of " + names, "kind"};
}

/// The kind that `target` names, or that of targets that name none.
Result<const TargetKind*> kind_of(value target) {
  simdjson::ondemand::object object;
  value named;
  simdjson::ondemand::json_type type{};
  if (target.get_object().get(object) != simdjson::SUCCESS ||
      object.find_field_unordered("kind").get(named) != simdjson::SUCCESS ||
      named.type().get(type) != simdjson::SUCCESS || type == simdjson::ondemand::json_type::null) {
    return kinds().front();
  }
  const Result<std::string_view> name = json_string(named, "kind");
  if (!name) return name.error();
  const TargetKind* const kind = find_kind(*name);
  if (kind == nullptr) return unknown_kind();
  return kind;
}

/// The kind was found before. But simdjson compares keys as they are written, so one with an
/// escape in it is seen here first.
Result<> read_kind(value from, const TargetKind& kind) {
  const Result<std::string_view> name = json_string(from, "kind");
  if (!name) return name.error();
  return *name == kind.name ? Result<>() : unknown_kind();
}

Result<> read_rate(value from, RateLimit& to) {
  static constexpr std::array<std::string_view, 3> kKnown = {"limit", "per", "burst"};
  bool burst_given = false;
  Result<> ok = read_fields(from, kKnown, [&](std::string_view key, value inner) -> Result<> {
    if (key == "limit") return read_integer(inner, key, to.limit);
    if (key == "per") return read_duration(inner, key, to.per);
    burst_given = true;
    return read_integer(inner, key, to.burst);
  });
  if (!ok) return ok;
  // In a RateLimit 0 stands for what is not there.
  if (to.limit == 0) return Error{"bad_value", "`limit` must be 1 to 1000000", "limit"};
  if (burst_given && to.burst == 0) {
    return Error{"bad_value", "`burst` must be 1 to 1000000", "burst"};
  }
  return {};
}

Result<> read_breaker(value from, Breaker& to) {
  static constexpr std::array<std::string_view, 3> kKnown = {"failures", "open_for", "open_max"};
  return read_fields(from, kKnown, [&](std::string_view key, value inner) -> Result<> {
    if (key == "failures") return read_integer(inner, key, to.failures);
    return read_duration(inner, key, key == "open_for" ? to.open_for : to.open_max);
  });
}

Result<> read_target(value from, TargetSettings& to, KindSettings& own) {
  std::vector<std::string_view> known(kShared.begin(), kShared.end());
  known.insert(known.end(), own.kind().members.begin(), own.kind().members.end());
  return read_fields(from, known, [&](std::string_view key, value inner) -> Result<> {
    if (key == "kind") return read_kind(inner, own.kind());
    if (key == "timeout") return read_duration(inner, key, to.timeout);
    if (key == "concurrency") return read_integer(inner, key, to.concurrency);
    if (key == "paused") return read_bool(inner, key, to.paused);
    if (key == "hold_max") return read_duration(inner, key, to.hold_max);
    if (key == "rate" || key == "breaker") {
      const Result<> ok =
          key == "rate" ? read_rate(inner, to.rate) : read_breaker(inner, to.breaker);
      return ok ? ok : within(key, ok.error());
    }
    if (key != "retry") return own.read(key, inner);
    const Result<RetryChoice> retry = read_retry(inner);
    if (!retry) return within("retry", retry.error());
    to.retry = retry->over(to.retry);
    const Result<> ok = check_retry(to.retry);
    return ok ? ok : within("retry", ok.error());
  });
}

void write_rate(JsonWriter& json, const RateLimit& rate) {
  json.key("rate").begin_object().key("limit").unsigned_integer(rate.limit);
  json.key("per").duration(rate.per);
  // Only where it was chosen, so that it follows a change of the limit otherwise.
  if (rate.burst != 0) json.key("burst").unsigned_integer(rate.burst);
  json.end_object();
}

void write_limits(JsonWriter& json, const TargetSettings& settings) {
  json.key("concurrency").unsigned_integer(settings.concurrency);
  if (settings.rate.limit != 0) write_rate(json, settings.rate);
  json.key("retry").begin_object().key("max_attempts").integer(settings.retry.max_attempts);
  json.key("backoff_min").duration(settings.retry.backoff_min);
  json.key("backoff_max").duration(settings.retry.backoff_max);
  json.key("max_age").duration(settings.retry.max_age).end_object();
  json.key("breaker").begin_object().key("failures").unsigned_integer(settings.breaker.failures);
  json.key("open_for").duration(settings.breaker.open_for);
  json.key("open_max").duration(settings.breaker.open_max).end_object();
  json.key("hold_max").duration(settings.hold_max);
}

}  // namespace

Result<RetryChoice> read_retry(value from) {
  static constexpr std::array<std::string_view, 4> kKnown = {"max_attempts", "backoff_min",
                                                             "backoff_max", "max_age"};
  RetryChoice retry;
  Result<> ok = read_fields(from, kKnown, [&](std::string_view key, value inner) -> Result<> {
    if (key == "max_attempts") return read_integer(inner, key, retry.max_attempts.emplace());
    if (key == "backoff_min") return read_duration(inner, key, retry.backoff_min.emplace());
    if (key == "backoff_max") return read_duration(inner, key, retry.backoff_max.emplace());
    return read_duration(inner, key, retry.max_age.emplace());
  });
  if (!ok) return ok.error();
  if (ok = check_retry(retry); !ok) return ok.error();
  return retry;
}

Result<TargetSettings> parse_stored_target(std::string_view json) {
  JsonReader reader;
  Result<const TargetKind*> kind = kinds().front();
  Result<> ok = reader.parse(json, [&](value from) {
    kind = kind_of(from);
    return kind ? Result<>() : kind.error();
  });
  if (!ok) return ok.error();
  TargetSettings settings;
  settings.concurrency = (*kind)->concurrency;
  const std::shared_ptr<KindSettings> own = (*kind)->make_settings();
  ok = reader.parse(json, [&](value from) { return read_target(from, settings, *own); });
  if (!ok) return ok.error();
  settings.own = own;
  return settings;
}

Result<TargetSettings> parse_target(std::string_view json) {
  Result<TargetSettings> settings = parse_stored_target(json);
  if (!settings) return settings;
  if (Result<> ok = check_target(*settings); !ok) return ok.error();
  return settings;
}

std::string format_target(const TargetSettings& settings, Secrets secrets) {
  const KindSettings& own = *settings.own;
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("kind").string(own.kind().name);
  own.write(json, Place::receiver, secrets);
  json.key("timeout").duration(settings.timeout);
  own.write(json, Place::connection, secrets);
  write_limits(json, settings);
  own.write(json, Place::trust, secrets);
  json.key("paused").boolean(settings.paused).end_object();
  return out;
}

std::string format_shared_settings(const TargetSettings& settings) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("timeout").duration(settings.timeout);
  write_limits(json, settings);
  json.key("paused").boolean(settings.paused).end_object();
  return out;
}

}  // namespace carillon
