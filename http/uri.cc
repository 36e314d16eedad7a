#include "http/uri.h"

#include <algorithm>
#include <utility>

#include "base/excerpt.h"
#include "base/json.h"
#include "base/number.h"
#include "base/text.h"

namespace carillon {
namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

Error bad_parameter(std::string_view name, std::string_view why) {
  return {"bad_parameter", std::string(why), std::string(name)};
}

/// A value of a query, where "+" is a space to those who encode forms.
std::optional<std::string> decode_value(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return percent_decode(spaced);
}

}  // namespace

void append_path_segment(std::string& out, std::string_view text) {
  append_percent_encoded(out, text, [](char c) {
    return is_alphanumeric(c) || std::string_view("-._~:@").find(c) != std::string_view::npos;
  });
}

Result<Query> Query::parse(std::string_view text, std::string_view known) {
  Query query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = decode_value(pair.substr(0, equals));
    auto value = decode_value(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value)
      return bad_parameter(pair.substr(0, equals), "A `%` is not followed by two hex digits");
    const auto names = words_of(known);
    if (std::ranges::find(names, *name) == names.end()) {
      const std::string_view near = nearest_name(*name, names);
      return Error{"unknown_parameter",
                   "`" + excerpt(*name) + "` is not known here" +
                       (near.empty() ? "" : "; did you mean `" + std::string(near) + "`?"),
                   excerpt(*name)};
    }
    if (query.get(*name)) return bad_parameter(*name, "`" + *name + "` stands there twice");
    query.parameters_.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

std::optional<std::string_view> Query::get(std::string_view name) const {
  const auto found =
      std::ranges::find(parameters_, name, &std::pair<std::string, std::string>::first);
  if (found == parameters_.end()) return std::nullopt;
  return found->second;
}

Result<bool> Query::flag(std::string_view name) const {
  const auto text = get(name);
  if (!text || *text == "false" || *text == "0") return false;
  if (text->empty() || *text == "true" || *text == "1") return true;
  return bad_parameter(name, "Send true or false");
}

Result<std::optional<WallTime>> Query::moment(std::string_view name) const {
  const auto text = get(name);
  if (!text) return std::optional<WallTime>();
  // The "+" of an offset, typed as it is, was read as a space.
  std::string plus(*text);
  std::ranges::replace(plus, ' ', '+');
  const auto moment = parse_moment_or_millis(plus);
  if (!moment) return Error(moment.error()).at_field(name);
  return std::optional(*moment);
}

Result<std::optional<Millis>> Query::duration(std::string_view name) const {
  const auto text = get(name);
  if (!text) return std::optional<Millis>();
  const auto duration = parse_duration_or_millis(*text);
  if (!duration) return Error(duration.error()).at_field(name);
  return std::optional(*duration);
}

Result<std::size_t> Query::integer(std::string_view name, std::size_t otherwise, std::size_t min,
                                   std::size_t max) const {
  const auto text = get(name);
  if (!text) return otherwise;
  const auto number = whole_number(*text);
  if (!number || std::cmp_less(*number, min) || std::cmp_greater(*number, max))
    return bad_parameter(
        name, "Send a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return static_cast<std::size_t>(*number);
}

}  // namespace carillon
