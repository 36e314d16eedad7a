// The config file: TOML, read strictly.
//
// Operation: each key must be a row of server/settings.h or belong to one of the three tables that
// carry names of the user's own:
//
//   [[tokens]]        name, role (read, write, admin), and one of sha256, file, env
//   [targets.NAME]    the fields of PUT /v1/targets/{name}, and secrets_file, secrets_env
//   [url_defaults]    the same without url: how tasks are pushed that name a URL
//
// Errors have slug `config` and begin with file, line and column: "a.toml:12:5: unknown key ...".
//
// Secrets never come by flag. In the file itself they are taken, with a warning where others may
// read the file; `secrets_file` and `file` name a file that holds them, one a line.
#pragma once

#include <string>

#include "base/result.h"
#include "server/options.h"

namespace carillon {

/// Reads the file at `path` into `options`, over what is there.
[[nodiscard]] Result<> read_config_file(const std::string& path, const Environment& environment,
                                        Options& options);

}  // namespace carillon
