// Configuration as a whole: flags beat the environment, which beats the config file, which beats
// the defaults. Read again, from the same three, on SIGHUP.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "server/options.h"
#include "server/settings.h"

namespace carillon {

/// What the command line says.
struct Arguments {
  std::string config_file;  // empty: none
  bool check_config = false;
  /// Settings given by flag, with all values of a flag that was repeated.
  std::vector<std::pair<const Setting*, std::vector<std::string>>> flags;
};

/// The program is over before it began: help, version, or a command line that makes no sense.
struct EarlyExit {
  int code = 0;      // 0, or 2 for usage
  std::string text;  // for standard output where code is 0, else for standard error
};

[[nodiscard]] std::variant<Arguments, EarlyExit> parse_arguments(int argc, const char* const* argv);

/// The process's environment.
[[nodiscard]] Environment read_environment();

/// Reads everything and checks it as a whole. Error slug `config`.
[[nodiscard]] Result<Options> load_options(const Arguments& arguments,
                                           const Environment& environment);

/// Keys of settings that differ and that only a restart changes.
[[nodiscard]] std::vector<std::string_view> settings_that_need_restart(const Options& before,
                                                                       const Options& after);

}  // namespace carillon
