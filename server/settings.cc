#include "server/settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

#include "base/check.h"
#include "base/memory_size.h"
#include "base/text.h"

namespace carillon {
namespace {

template <typename Place>
using ValueOf = std::remove_reference_t<std::invoke_result_t<Place, Options&>>;

std::string number_text(const Setting& setting, std::int64_t number) {
  return setting.unit == Unit::bytes ? format_bytes(number) : std::to_string(number);
}

Error not_allowed(const Setting& setting, std::string_view given) {
  return Error{.slug = "config",
               .detail = "\"" + std::string(given) + "\" is not allowed here: " +
                         std::string(setting.key) + " takes " + allowed_text(setting),
               .field = std::string(setting.key)};
}

bool is_choice(std::string_view choices, std::string_view text) {
  for (std::size_t from = 0; from <= choices.size();) {
    const std::size_t to = std::min(choices.find('|', from), choices.size());
    if (choices.substr(from, to - from) == text) return true;
    from = to + 1;
  }
  return false;
}

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) items.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

Result<std::int64_t> parse_integer(const Setting& setting, std::string_view text) {
  if (setting.unit == Unit::bytes) return parse_bytes(text);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return not_allowed(setting, text);
  return number;
}

Result<bool> parse_switch(const Setting& setting, std::string_view text) {
  if (text == "true" || text == "1" || text == "yes") return true;
  if (text == "false" || text == "0" || text == "no") return false;
  return not_allowed(setting, text);
}

}  // namespace

const Setting* find_setting(std::string_view key) {
  const auto all = settings();
  const auto found = std::ranges::find(all, key, &Setting::key);
  return found == all.end() ? nullptr : &*found;
}

std::string environment_name(std::string_view key) {
  std::string name = "CARILLON_";
  for (const char c : key) {
    name += c == '.' ? '_' : upper(c);
  }
  return name;
}

bool is_list(const Setting& setting) {
  return std::holds_alternative<Setting::Place<std::vector<std::string>>>(setting.place);
}

bool is_switch(const Setting& setting) {
  return std::holds_alternative<Setting::Place<bool>>(setting.place);
}

std::string allowed_text(const Setting& setting) {
  return std::visit(
      [&](auto place) -> std::string {
        using Value = ValueOf<decltype(place)>;
        if constexpr (std::is_same_v<Value, bool>) {
          return "true or false";
        } else if constexpr (std::is_same_v<Value, std::string>) {
          if (setting.choices.empty()) return "text";
          std::string text(setting.choices);
          for (std::size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2) {
            text.replace(at, 1, ", ");
          }
          return text;
        } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
          return "a list of texts";
        } else if constexpr (std::is_same_v<Value, Millis>) {
          return "a duration, " + format_duration(Millis(setting.min)) + " to " +
                 format_duration(Millis(setting.max));
        } else {
          const char* what = setting.unit == Unit::bytes ? "an amount of memory, " : "a number, ";
          return what + number_text(setting, setting.min) + " to " +
                 number_text(setting, setting.max);
        }
      },
      setting.place);
}

std::string show(const Setting& setting, const Options& options) {
  Options copy = options;
  return std::visit(
      [&](auto place) -> std::string {
        const auto& value = place(copy);
        using Value = ValueOf<decltype(place)>;
        if constexpr (std::is_same_v<Value, bool>) {
          return value ? "true" : "false";
        } else if constexpr (std::is_same_v<Value, std::string>) {
          return value;
        } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
          std::string text;
          for (const auto& item : value) text += (text.empty() ? "" : ",") + item;
          return text;
        } else if constexpr (std::is_same_v<Value, Millis>) {
          return format_duration(value);
        } else {
          return number_text(setting, static_cast<std::int64_t>(value));
        }
      },
      setting.place);
}

Result<> set_number(const Setting& setting, Options& options, std::int64_t number) {
  return std::visit(
      [&](auto place) -> Result<> {
        using Value = ValueOf<decltype(place)>;
        if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, bool>) {
          if (number < setting.min || number > setting.max) {
            return not_allowed(setting, std::to_string(number));
          }
          place(options) = static_cast<Value>(number);
          return {};
        } else if constexpr (std::is_same_v<Value, Millis>) {
          if (number < setting.min || number > setting.max) {
            return not_allowed(setting, format_duration(Millis(number)));
          }
          place(options) = Millis(number);
          return {};
        } else {
          return not_allowed(setting, std::to_string(number));
        }
      },
      setting.place);
}

Result<> set_list(const Setting& setting, Options& options, std::vector<std::string> items) {
  if (!is_list(setting)) return not_allowed(setting, "a list");
  std::get<Setting::Place<std::vector<std::string>>>(setting.place)(options) = std::move(items);
  return {};
}

Result<> set_text(const Setting& setting, Options& options, std::string_view text) {
  return std::visit(
      [&](auto place) -> Result<> {
        using Value = ValueOf<decltype(place)>;
        if constexpr (std::is_same_v<Value, bool>) {
          const Result<bool> yes = parse_switch(setting, text);
          if (!yes) return yes.error();
          place(options) = *yes;
          return {};
        } else if constexpr (std::is_same_v<Value, std::string>) {
          if (!setting.choices.empty() && !is_choice(setting.choices, text)) {
            return not_allowed(setting, text);
          }
          place(options) = text;
          return {};
        } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
          place(options) = split_at_commas(text);
          return {};
        } else if constexpr (std::is_same_v<Value, Millis>) {
          const Result<Millis> duration = parse_duration_or_millis(text);
          if (!duration) return not_allowed(setting, text);
          return set_number(setting, options, duration->count());
        } else {
          const Result<std::int64_t> number = parse_integer(setting, text);
          if (!number) return not_allowed(setting, text);
          return set_number(setting, options, *number);
        }
      },
      setting.place);
}

std::string settings_table() {
  std::string table =
      "| key | environment, flag | default | takes | meaning |\n"
      "| --- | --- | --- | --- | --- |\n";
  const Options defaults;
  for (const Setting& setting : settings()) {
    const std::string value = show(setting, defaults);
    const std::string written = value.empty() ? "none" : "`" + value + "`";
    table += "| `" + std::string(setting.key) + "` | `" + environment_name(setting.key) + "`";
    if (!setting.flag.empty()) table += ", `" + std::string(setting.flag) + "`";
    table += " | " + (setting.default_text.empty() ? written : std::string(setting.default_text)) +
             " | " + allowed_text(setting) + " | " + std::string(setting.help) +
             (setting.live ? "; *reload*" : "") + " |\n";
  }
  return table;
}

}  // namespace carillon
