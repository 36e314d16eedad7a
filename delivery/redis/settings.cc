#include "delivery/redis/settings.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/check.h"
#include "base/text.h"
#include "delivery/errors.h"
#include "delivery/json_fields.h"

namespace carillon {
namespace {

constexpr std::size_t kStreamBytesMax = 1024;
constexpr std::uint32_t kReplicasMax = 100;
constexpr std::uint32_t kDatabaseMax = 65'535;

/// "/3" as 3, "/" as 0; nothing where it is no number of a database.
std::optional<std::uint32_t> database_of(std::string_view path) {
  path.remove_prefix(1);
  if (path.empty()) return 0;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), number);
  const bool whole = error == std::errc() && end == path.data() + path.size();
  if (!whole || number > kDatabaseMax) return std::nullopt;
  return number;
}

}  // namespace

std::uint32_t RedisSettings::database() const {
  const Result<Url> parsed = parsed_url();
  return parsed ? database_of(parsed->path).value_or(0) : 0;
}

Result<> RedisSettings::read_own(std::string_view key, simdjson::ondemand::value from) {
  if (key == "stream") return read_string(from, key, stream);
  if (key == "maxlen") return read_integer(from, key, maxlen);
  return read_integer(from, key, replicas);
}

Result<> RedisSettings::check_own(const Url& parsed) const {
  if (!database_of(parsed.path)) {
    return Error{"bad_url", "what follows the host is the number of a database, as in /0", "url"};
  }
  if (stream.empty()) return Error{"missing_field", "`stream` is required", "stream"};
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (stream.size() > kStreamBytesMax || std::ranges::any_of(stream, is_control)) {
    return bad_value("stream", "`stream` has a control character, or more than 1024 bytes");
  }
  if (replicas > kReplicasMax) return bad_value("replicas", "`replicas` is 0 to 100");
  return {};
}

void RedisSettings::write_own(JsonWriter& json) const {
  json.key("stream").string(stream).key("maxlen").unsigned_integer(maxlen);
  json.key("replicas").unsigned_integer(replicas);
}

bool RedisSettings::equals_own(const BrokerSettings& other) const {
  const auto& its = static_cast<const RedisSettings&>(other);
  return stream == its.stream && maxlen == its.maxlen && replicas == its.replicas;
}

std::shared_ptr<BrokerSettings> RedisSettings::copy() const {
  return std::make_shared<RedisSettings>(*this);
}

const RedisSettings& redis_settings(const TargetSettings& target) {
  CARILLON_CHECK(&target.own->kind() == &kRedisKind);
  return static_cast<const RedisSettings&>(*target.own);
}

}  // namespace carillon
