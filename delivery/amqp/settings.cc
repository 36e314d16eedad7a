#include "delivery/amqp/settings.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/text.h"
#include "delivery/errors.h"
#include "delivery/json_fields.h"

namespace carillon {
namespace {

constexpr std::size_t kNameBytesMax = 255;  // of a short string of AMQP

bool is_name(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return text.size() <= kNameBytesMax && std::ranges::none_of(text, is_control);
}

/// "/shop" as "shop", "/" and "/%2F" as "/"; nothing where it names no virtual host.
std::optional<std::string> vhost_of(std::string_view path) {
  path.remove_prefix(1);
  if (path.empty()) return "/";
  if (path.find('/') != std::string_view::npos) return std::nullopt;
  std::optional<std::string> name = percent_decode(path);
  if (!name || !is_name(*name)) return std::nullopt;
  return name;
}

}  // namespace

std::string AmqpSettings::vhost() const {
  const Result<Url> parsed = parsed_url();
  return parsed ? vhost_of(parsed->path).value_or("/") : "/";
}

Result<> AmqpSettings::read_own(std::string_view key, simdjson::ondemand::value from) {
  if (key == "exchange") return read_string(from, key, exchange);
  if (key == "routing_key") return read_string(from, key, routing_key);
  if (key == "persistent") return read_bool(from, key, persistent);
  return read_bool(from, key, mandatory);
}

Result<> AmqpSettings::check_own(const Url& parsed) const {
  if (!vhost_of(parsed.path)) {
    return Error{"bad_url",
                 "what follows the host is the name of a virtual host; a \"/\" in it is %2F",
                 "url"};
  }
  for (const auto& [field, name] :
       {std::pair("exchange", &exchange), std::pair("routing_key", &routing_key)}) {
    if (!is_name(*name)) {
      return bad_value(field,
                       std::string(field) + " has a control character, or more than 255 bytes");
    }
  }
  if (exchange.empty() && routing_key.empty()) {
    return Error{"missing_field",
                 "`routing_key` is required without `exchange`: it names the queue", "routing_key"};
  }
  if (has_password() && username.empty()) {
    return bad_value("username", "a password goes with a `username`");
  }
  return {};
}

bool AmqpSettings::is_key(std::string_view key) const {
  return is_name(key);
}

void AmqpSettings::write_own(JsonWriter& json) const {
  json.key("exchange").string(exchange).key("routing_key").string(routing_key);
  json.key("persistent").boolean(persistent).key("mandatory").boolean(mandatory);
}

bool AmqpSettings::equals_own(const BrokerSettings& other) const {
  const auto& its = static_cast<const AmqpSettings&>(other);
  return exchange == its.exchange && routing_key == its.routing_key &&
         persistent == its.persistent && mandatory == its.mandatory;
}

std::shared_ptr<BrokerSettings> AmqpSettings::copy() const {
  return std::make_shared<AmqpSettings>(*this);
}

const AmqpSettings& amqp_settings(const TargetSettings& target) {
  CARILLON_CHECK(&target.own->kind() == &kAmqpKind);
  return static_cast<const AmqpSettings&>(*target.own);
}

}  // namespace carillon
