#include "delivery/kafka/settings.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/check.h"
#include "base/text.h"
#include "delivery/errors.h"
#include "delivery/json_fields.h"

namespace carillon {
namespace {

using simdjson::ondemand::json_type;
using simdjson::ondemand::value;

constexpr std::size_t kBrokersMax = 64;
constexpr std::size_t kTopicBytesMax = 249;
constexpr std::array<std::string_view, 3> kMechanisms = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};

bool is_of_type(value& from, json_type wanted) {
  json_type type{};
  return from.type().get(type) == simdjson::SUCCESS && type == wanted;
}

/// A list, or as Kafka's own programs take it: one text with commas.
Result<> read_brokers(value from, std::vector<std::string>& brokers) {
  brokers.clear();
  if (!is_of_type(from, json_type::string)) {
    return for_each_element(from, "brokers", [&](std::size_t /*index*/, value one) -> Result<> {
      return read_string(one, "brokers", brokers.emplace_back());
    });
  }
  std::string all;
  if (Result<> ok = read_string(from, "brokers", all); !ok) return ok;
  for (std::string_view rest = all; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    brokers.emplace_back(trimmed(one));
  }
  return {};
}

Result<> read_acks(value from, bool& all) {
  if (!is_of_type(from, json_type::string)) {
    const Result<std::int64_t> one = json_integer(from, "acks", 1, 1);
    if (!one) return one.error();
    all = false;
    return {};
  }
  std::string text;
  if (Result<> ok = read_string(from, "acks", text); !ok) return ok;
  all = text == "all";
  if (all || text == "1") return {};
  return bad_value("acks", "`acks` is \"all\" or \"1\"");
}

bool is_topic(std::string_view text) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return text.size() <= kTopicBytesMax && text != "." && text != ".." &&
         text.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace

Result<std::vector<Url>> KafkaSettings::receivers() const {
  if (brokers.empty()) return Error{"missing_field", "`brokers` is required", "brokers"};
  if (brokers.size() > kBrokersMax) return bad_value("brokers", "`brokers` has at most 64 of them");
  std::vector<Url> all;
  for (const std::string& broker : brokers) {
    const std::string scheme(names_tls ? kKafkaSchemes.tls : kKafkaSchemes.plain);
    const Result<Url> parsed = parse_url(scheme + "://" + broker, kKafkaSchemes);
    if (!parsed || broker.find_first_of("/?") != std::string::npos) {
      return bad_value("brokers", "each of `brokers` is HOST:PORT, without a scheme and a path");
    }
    all.push_back(*parsed);
  }
  return all;
}

Result<> KafkaSettings::read_own(std::string_view key, value from) {
  if (key == "brokers") return read_brokers(from, brokers);
  if (key == "topic") return read_string(from, key, topic);
  if (key == "acks") return read_acks(from, acks_all);
  return read_string(from, key, sasl_mechanism);
}

Result<> KafkaSettings::check_own(const Url& /*first*/) const {
  if (topic.empty()) return Error{"missing_field", "`topic` is required", "topic"};
  if (!is_topic(topic)) {
    return bad_value("topic",
                     "`topic` is up to 249 letters, digits, dots, underscores and hyphens");
  }
  if (std::ranges::count(kMechanisms, sasl_mechanism) == 0) {
    return bad_value("sasl_mechanism", "`sasl_mechanism` is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
  }
  if (has_password() && username.empty()) {
    return bad_value("username", "a password goes with a `username`");
  }
  return {};
}

void KafkaSettings::write_own(JsonWriter& json) const {
  json.key("brokers").begin_array();
  for (const std::string& broker : brokers) json.string(broker);
  json.end_array();
  json.key("topic").string(topic).key("acks").string(acks_all ? "all" : "1");
}

void KafkaSettings::write_own_trust(JsonWriter& json) const {
  const bool is_default = username.empty() && sasl_mechanism == kMechanisms[0];
  if (!is_default) json.key("sasl_mechanism").string(sasl_mechanism);
}

bool KafkaSettings::equals_own(const BrokerSettings& other) const {
  const auto all = [](const KafkaSettings& its) {
    return std::tie(its.brokers, its.topic, its.acks_all, its.sasl_mechanism, its.names_tls);
  };
  return all(*this) == all(static_cast<const KafkaSettings&>(other));
}

std::shared_ptr<BrokerSettings> KafkaSettings::copy() const {
  return std::make_shared<KafkaSettings>(*this);
}

const KafkaSettings& kafka_settings(const TargetSettings& target) {
  CARILLON_CHECK(&target.own->kind() == &kKafkaKind);
  return static_cast<const KafkaSettings&>(*target.own);
}

}  // namespace carillon
