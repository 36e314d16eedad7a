#include "base/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "base/excerpt.h"
#include "base/json_syntax.h"
#include "base/number.h"

namespace carillon {
namespace {

namespace ondemand = simdjson::ondemand;

Error at_field(Error error, std::string_view field) {
  error.field = std::string(field);
  return error;
}

/// "`delay`", or what stands for a value without a name.
std::string named(std::string_view field) {
  return field.empty() ? "The value" : "`" + std::string(field) + "`";
}

std::string must_be(std::string_view field, std::string_view wanted) {
  return named(field) + " must be " + std::string(wanted);
}

Error bad_type(std::string_view field, std::string_view wanted) {
  return {"bad_type", must_be(field, wanted), std::string(field)};
}

/// What simdjson found wrong although the grammar holds.
Error unreadable(simdjson::error_code code) {
  return {"bad_json", std::string("The body cannot be read: ") + simdjson::error_message(code), ""};
}

Error unknown_field(std::string_view key, std::span<const std::string_view> known) {
  std::string shown = excerpt(key);
  std::string detail = "`" + shown + "` is not known here";
  if (const std::string_view near = nearest_name(key, known); !near.empty())
    detail += "; did you mean `" + std::string(near) + "`?";
  return {"unknown_field", std::move(detail), std::move(shown)};
}

/// A whole number, or nothing where it has a fraction or needs more than 64 bits.
std::optional<std::int64_t> integer_of(ondemand::value& value) {
  std::string_view token = value.raw_json_token();
  // The token reaches to the next one.
  return whole_number(token.substr(0, token.find_last_not_of(" \t\r\n") + 1));
}

ondemand::json_type type_of(ondemand::value& value) {
  ondemand::json_type type = ondemand::json_type::null;
  if (value.type().get(type) != simdjson::SUCCESS) return ondemand::json_type::null;
  return type;
}

/// Levenshtein's distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

JsonReader::JsonReader(std::size_t depth_max) : depth_max_(depth_max) {}

Result<> JsonReader::parse(std::string_view text,
                           const std::function<Result<>(ondemand::value)>& visit) {
  text = without_byte_order_mark(text);
  if (auto checked = check_json(text, depth_max_); !checked) return checked;
  return parse_checked(text, visit);
}

Result<> JsonReader::parse_checked(std::string_view text,
                                   const std::function<Result<>(ondemand::value)>& visit) {
  copy_.assign(text);
  copy_.append(simdjson::SIMDJSON_PADDING, '\0');
  ondemand::document document;
  const simdjson::padded_string_view padded(copy_.data(), text.size(), copy_.size());
  if (const auto error = parser_.iterate(padded).get(document)) return unreadable(error);
  ondemand::value value;
  const auto error = document.get_value().get(value);
  if (error == simdjson::SCALAR_DOCUMENT_AS_VALUE)
    return Error{"bad_type", "The body must be an object or an array", ""};
  if (error) return unreadable(error);
  return visit(value);
}

Result<std::string_view> JsonReader::raw(ondemand::value value) {
  const ondemand::json_type type = type_of(value);
  simdjson::simdjson_result<std::string_view> text;
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return unreadable(error);
    text = object.raw_json();
  } else if (type == ondemand::json_type::array) {
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return unreadable(error);
    text = array.raw_json();
  } else {
    text = value.raw_json_token();
  }
  std::string_view bytes;
  if (const auto error = std::move(text).get(bytes)) return unreadable(error);
  // What simdjson hands out reaches to the next token.
  const std::size_t last = bytes.find_last_not_of(" \t\r\n");
  return bytes.substr(0, last + 1);
}

Result<> for_each_field(ondemand::value value, std::span<const std::string_view> known,
                        const JsonField& field, Nulls nulls) {
  CARILLON_CHECK(known.size() <= 64);
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return bad_type("", "an object");
  std::uint64_t seen = 0;
  for (auto member : object) {
    std::string_view key;
    if (const auto error = member.unescaped_key().get(key)) return unreadable(error);
    const auto at = std::ranges::find(known, key);
    if (at == known.end()) return unknown_field(key, known);
    const std::uint64_t bit = std::uint64_t{1} << (at - known.begin());
    if ((seen & bit) != 0)
      return Error{"duplicate_field", "`" + std::string(key) + "` stands there twice",
                   std::string(key)};
    seen |= bit;
    ondemand::value inner;
    if (const auto error = member.value().get(inner)) return unreadable(error);
    if (nulls == Nulls::absent && type_of(inner) == ondemand::json_type::null) continue;
    const auto taken = field(*at, inner);
    if (!taken) return taken.error();
    if (!*taken) return unknown_field(key, known);
  }
  return {};
}

Result<> for_each_element(ondemand::value value, std::string_view field,
                          const JsonElement& element) {
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return bad_type(field, "an array");
  std::size_t index = 0;
  for (auto item : array) {
    ondemand::value inner;
    if (const auto error = item.get(inner)) return unreadable(error);
    if (auto taken = element(index++, inner); !taken) return taken;
  }
  return {};
}

Result<std::string_view> json_string(ondemand::value value, std::string_view field) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return bad_type(field, "a string");
  return text;
}

Result<std::int64_t> json_integer(ondemand::value value, std::string_view field, std::int64_t min,
                                  std::int64_t max) {
  if (type_of(value) != ondemand::json_type::number) return bad_type(field, "a whole number");
  const auto number = integer_of(value);
  if (!number || *number < min || *number > max)
    return Error{"bad_value",
                 named(field) + " must be a whole number from " + std::to_string(min) + " to " +
                     std::to_string(max),
                 std::string(field)};
  return *number;
}

Result<bool> json_bool(ondemand::value value, std::string_view field) {
  bool yes = false;
  if (value.get_bool().get(yes) != simdjson::SUCCESS) return bad_type(field, "true or false");
  return yes;
}

Result<WallTime> json_moment(ondemand::value value, std::string_view field) {
  constexpr std::string_view kWanted = "RFC 3339 text or whole Unix milliseconds";
  Result<WallTime> moment = WallTime();
  if (type_of(value) == ondemand::json_type::number) {
    const auto number = integer_of(value);
    moment = number ? moment_of(*number) : Error{"bad_time", must_be(field, kWanted), ""};
  } else {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return bad_type(field, kWanted);
    moment = parse_moment(text);
  }
  if (!moment) return at_field(moment.error(), field);
  return moment;
}

Result<Millis> json_duration(ondemand::value value, std::string_view field, bool allow_negative) {
  constexpr std::string_view kWanted = "text such as \"90s\" or whole milliseconds";
  Result<Millis> duration = Millis(0);
  if (type_of(value) == ondemand::json_type::number) {
    const auto number = integer_of(value);
    duration = number ? duration_of(*number, allow_negative)
                      : Error{"bad_duration", must_be(field, kWanted), ""};
  } else {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return bad_type(field, kWanted);
    duration = parse_duration(text, allow_negative);
  }
  if (!duration) return at_field(duration.error(), field);
  return duration;
}

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates) {
  constexpr std::size_t kLongestCompared = 64;
  if (name.size() > kLongestCompared) return {};
  std::string_view nearest;
  std::size_t best = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best && distance < candidate.size()) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace carillon
