#include <array>
#include <limits>

#include "base/json.h"
#include "delivery/retry_json.h"
#include "delivery/target.h"

namespace carillon {
namespace {

using simdjson::ondemand::value;

Result<> read_string(value from, std::string_view field, std::string& to) {
  const Result<std::string_view> text = json_string(from, field);
  if (!text) return text.error();
  to = *text;
  return {};
}

Result<> read_bool(value from, std::string_view field, bool& to) {
  const Result<bool> yes = json_bool(from, field);
  if (!yes) return yes.error();
  to = *yes;
  return {};
}

Result<> read_duration(value from, std::string_view field, Millis& to) {
  const Result<Millis> duration = json_duration(from, field);
  if (!duration) return duration.error();
  to = *duration;
  return {};
}

template <typename Integer>
Result<> read_integer(value from, std::string_view field, Integer& to) {
  const Result<std::int64_t> number =
      json_integer(from, field, 0, std::numeric_limits<std::int32_t>::max());
  if (!number) return number.error();
  to = static_cast<Integer>(*number);
  return {};
}

Result<> read_kind(value from) {
  const Result<std::string_view> kind = json_string(from, "kind");
  if (!kind) return kind.error();
  if (*kind != "http")
    return Error{"bad_value", "this build pushes over http alone: `kind` must be \"http\"", "kind"};
  return {};
}

Result<> read_headers(value from, TargetSettings& settings) {
  simdjson::ondemand::object object;
  if (from.get_object().get(object) != simdjson::SUCCESS) {
    return Error{"bad_type", "wanted an object of names and values", "headers"};
  }
  for (auto member : object) {
    std::string_view name;
    value inner;
    if (member.unescaped_key().get(name) != simdjson::SUCCESS ||
        member.value().get(inner) != simdjson::SUCCESS) {
      return Error{"bad_json", "a header cannot be read", "headers"};
    }
    const Result<std::string_view> text = json_string(inner, "headers");
    if (!text) return text.error();
    settings.headers.emplace_back(name, *text);
  }
  return {};
}

Result<> read_secrets(value from, std::vector<std::string>& secrets) {
  return for_each_element(from, "secrets", [&](std::size_t, value inner) -> Result<> {
    const Result<std::string_view> secret = json_string(inner, "secrets");
    if (!secret) return secret.error();
    secrets.emplace_back(*secret);
    return {};
  });
}

/// Reads an object whose members `read` takes by name.
template <std::size_t N, typename Read>
Result<> read_fields(value from, const std::array<std::string_view, N>& known, const Read& read) {
  return for_each_field(from, known, [&](std::string_view key, value inner) -> Result<bool> {
    if (Result<> ok = read(key, inner); !ok) return ok.error();
    return true;
  });
}

Result<> read_tls(value from, TargetSettings::Tls& tls) {
  static constexpr std::array<std::string_view, 4> kKnown = {
      "verify", "ca_file", "certificate_file", "private_key_file"};
  return read_fields(from, kKnown, [&](std::string_view key, value inner) -> Result<> {
    if (key == "verify") return read_bool(inner, key, tls.verify);
    if (key == "ca_file") return read_string(inner, key, tls.ca_file);
    if (key == "certificate_file") return read_string(inner, key, tls.certificate_file);
    return read_string(inner, key, tls.private_key_file);
  });
}

/// The error of a field inside `outer`.
Error within(std::string_view outer, Error error) {
  const bool inner = !error.field.empty() && error.field != outer;
  return std::move(error).at_field(std::string(outer) + (inner ? "." + error.field : ""));
}

Result<> read_target(value from, TargetSettings& to) {
  static constexpr std::array<std::string_view, 12> kKnown = {
      "kind",        "url",   "method",   "headers", "timeout", "connection_max_age",
      "concurrency", "retry", "hold_max", "secrets", "tls",     "paused"};
  return read_fields(from, kKnown, [&](std::string_view key, value inner) -> Result<> {
    if (key == "kind") return read_kind(inner);
    if (key == "url") return read_string(inner, key, to.url);
    if (key == "method") return read_string(inner, key, to.method);
    if (key == "headers") return read_headers(inner, to);
    if (key == "timeout") return read_duration(inner, key, to.timeout);
    if (key == "connection_max_age") return read_duration(inner, key, to.connection_max_age);
    if (key == "concurrency") return read_integer(inner, key, to.concurrency);
    if (key == "secrets") return read_secrets(inner, to.secrets);
    if (key == "tls") {
      const Result<> tls = read_tls(inner, to.tls);
      return tls ? tls : within("tls", tls.error());
    }
    if (key == "paused") return read_bool(inner, key, to.paused);
    if (key == "hold_max") return read_duration(inner, key, to.hold_max);
    const Result<RetryChoice> retry = read_retry(inner);
    if (!retry) return within("retry", retry.error());
    to.retry = retry->over(to.retry);
    const Result<> ok = check_retry(to.retry);
    return ok ? ok : within("retry", ok.error());
  });
}

void write_tls(JsonWriter& json, const TargetSettings::Tls& tls) {
  json.key("tls").begin_object().key("verify").boolean(tls.verify);
  if (!tls.ca_file.empty()) json.key("ca_file").string(tls.ca_file);
  if (!tls.certificate_file.empty()) json.key("certificate_file").string(tls.certificate_file);
  if (!tls.private_key_file.empty()) json.key("private_key_file").string(tls.private_key_file);
  json.end_object();
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
  TargetSettings settings;
  JsonReader reader;
  Result<> ok = reader.parse(json, [&](value from) { return read_target(from, settings); });
  if (!ok) return ok.error();
  return settings;
}

Result<TargetSettings> parse_target(std::string_view json) {
  Result<TargetSettings> settings = parse_stored_target(json);
  if (!settings) return settings;
  if (Result<> ok = check_target(*settings); !ok) return ok.error();
  return settings;
}

std::string format_target(const TargetSettings& settings, Secrets secrets) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("kind").string("http").key("url").string(settings.url);
  json.key("method").string(settings.method).key("headers").begin_object();
  for (const auto& [name, text] : settings.headers) json.key(name).string(text);
  json.end_object().key("timeout").duration(settings.timeout);
  json.key("connection_max_age").duration(settings.connection_max_age);
  json.key("concurrency").unsigned_integer(settings.concurrency);
  json.key("retry").begin_object().key("max_attempts").integer(settings.retry.max_attempts);
  json.key("backoff_min").duration(settings.retry.backoff_min);
  json.key("backoff_max").duration(settings.retry.backoff_max);
  json.key("max_age").duration(settings.retry.max_age).end_object();
  json.key("hold_max").duration(settings.hold_max);
  json.key("secrets").begin_array();
  for (const std::string& secret : settings.secrets) {
    json.string(secrets == Secrets::shown ? std::string_view(secret) : kHiddenSecret);
  }
  json.end_array();
  write_tls(json, settings.tls);
  json.key("paused").boolean(settings.paused).end_object();
  return out;
}

}  // namespace carillon
