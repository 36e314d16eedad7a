// Reading the members of a target's JSON into settings. Errors are those of base/json.h.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/memory_size.h"

namespace carillon {

[[nodiscard]] inline Result<> read_string(simdjson::ondemand::value from, std::string_view field,
                                          std::string& to) {
  const Result<std::string_view> text = json_string(from, field);
  if (!text) return text.error();
  to = *text;
  return {};
}

[[nodiscard]] inline Result<> read_bool(simdjson::ondemand::value from, std::string_view field,
                                        bool& to) {
  const Result<bool> yes = json_bool(from, field);
  if (!yes) return yes.error();
  to = *yes;
  return {};
}

[[nodiscard]] inline Result<> read_duration(simdjson::ondemand::value from, std::string_view field,
                                            Millis& to) {
  const Result<Millis> duration = json_duration(from, field);
  if (!duration) return duration.error();
  to = *duration;
  return {};
}

template <typename Integer>
[[nodiscard]] Result<> read_integer(simdjson::ondemand::value from, std::string_view field,
                                    Integer& to) {
  const Result<std::int64_t> number =
      json_integer(from, field, 0, std::numeric_limits<std::int32_t>::max());
  if (!number) return number.error();
  to = static_cast<Integer>(*number);
  return {};
}

/// An amount of memory, as a number or as text ("1MiB").
template <typename Integer>
[[nodiscard]] Result<> read_bytes(simdjson::ondemand::value from, std::string_view field,
                                  Integer& to) {
  simdjson::ondemand::json_type type{};
  if (from.type().get(type) != simdjson::SUCCESS || type != simdjson::ondemand::json_type::string) {
    return read_integer(from, field, to);
  }
  const Result<std::string_view> text = json_string(from, field);
  if (!text) return text.error();
  const Result<std::int64_t> bytes = parse_bytes(*text);
  if (!bytes) return bytes.error().at_field(std::string(field));
  if (!std::in_range<Integer>(*bytes)) {
    return Error{"bad_value", "`" + std::string(field) + "` is too large", std::string(field)};
  }
  to = static_cast<Integer>(*bytes);
  return {};
}

/// Reads an object whose members `read` takes by name.
template <typename Read>
[[nodiscard]] Result<> read_fields(simdjson::ondemand::value from,
                                   std::span<const std::string_view> known, const Read& read) {
  return for_each_field(from, known,
                        [&](std::string_view key, simdjson::ondemand::value inner) -> Result<bool> {
                          if (Result<> ok = read(key, inner); !ok) return ok.error();
                          return true;
                        });
}

/// The error of a field inside `outer`.
[[nodiscard]] inline Error within(std::string_view outer, Error error) {
  const bool inner = !error.field.empty() && error.field != outer;
  return std::move(error).at_field(std::string(outer) + (inner ? "." + error.field : ""));
}

}  // namespace carillon
