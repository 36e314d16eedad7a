// The table of settings: one row for each, from which everything else derives: reading the config
// file, the environment and the flags, the refusal of unknown keys, `--help`, and the table in
// docs/configuration.md (a test holds them equal).
//
// Limitations: the tables of the config file that repeat or carry names of the user's own
// (`[[tokens]]`, `[targets.NAME]`, `[url_defaults]`) are not in it; see server/config_file.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "server/options.h"

namespace carillon {

/// How a whole number is written: plainly, or as an amount of memory ("16MiB").
enum class Unit : std::uint8_t { none, bytes };

struct Setting {
  template <typename T>
  using Place = T& (*)(Options&);

  std::string_view key;   // in the file: "limits.body_bytes_max"
  std::string_view flag;  // "--data-dir"; empty: no flag
  /// Where the value lives; its type is the setting's type.
  std::variant<Place<bool>, Place<std::string>, Place<std::vector<std::string>>,
               Place<std::uint64_t>, Place<std::uint32_t>, Place<Millis>>
      place;
  std::string_view help;          // one line, no full stop
  bool live = false;              // a reload changes it; else it takes a restart
  std::string_view choices = {};  // texts: what is allowed, separated by '|'; empty: anything
  std::int64_t min = 0;           // of numbers, and of durations in milliseconds
  std::int64_t max = 0;
  Unit unit = Unit::none;
  std::string_view default_text = {};  // where the default depends on the machine
};

/// All of them, in the order of the documentation.
[[nodiscard]] std::span<const Setting> settings();

/// The row whose key is `key`, or null.
[[nodiscard]] const Setting* find_setting(std::string_view key);

/// "limits.body_bytes_max" -> "CARILLON_LIMITS_BODY_BYTES_MAX".
[[nodiscard]] std::string environment_name(std::string_view key);

/// What may be written there, for messages and documentation: "duration, 1s to 1h".
[[nodiscard]] std::string allowed_text(const Setting& setting);

/// The value as it is written in the file, without quotes; lists with commas.
[[nodiscard]] std::string show(const Setting& setting, const Options& options);

/// Sets it from the text of a flag or an environment variable; lists are separated by commas. Error
/// slug `config`, with what is allowed.
[[nodiscard]] Result<> set_text(const Setting& setting, Options& options, std::string_view text);
/// Sets it from a whole number; text and lists refuse it.
[[nodiscard]] Result<> set_number(const Setting& setting, Options& options, std::int64_t number);
/// Sets a list setting; others refuse it.
[[nodiscard]] Result<> set_list(const Setting& setting, Options& options,
                                std::vector<std::string> items);

/// Whether the value is a list of texts.
[[nodiscard]] bool is_list(const Setting& setting);
/// Whether the value is yes or no.
[[nodiscard]] bool is_switch(const Setting& setting);

/// The table of docs/configuration.md, in Markdown.
[[nodiscard]] std::string settings_table();

}  // namespace carillon
