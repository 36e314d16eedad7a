// The tables of the config file that carry names of the user's own: tokens, targets, lanes, and how
// tasks that name a URL are pushed. See server/config_file.h.
#pragma once

#include <string>
#include <string_view>

#include <toml++/toml.h>

#include "base/result.h"
#include "server/options.h"

namespace carillon {

/// SHA-256 of `text`, 32 bytes.
[[nodiscard]] std::string sha256(std::string_view text);

class ConfigTables {
 public:
  /// `path` names the file in messages; `others_read`: everyone on the machine may read it.
  ConfigTables(std::string path, bool others_read, const Environment& environment)
      : path_(std::move(path)), others_read_(others_read), environment_(environment) {}

  /// Whether `name` is one of these tables.
  [[nodiscard]] static bool owns(std::string_view name);
  /// Reads the table `name` into `options`. Errors begin with file, line and column.
  [[nodiscard]] Result<> read(std::string_view name, const toml::node& node,
                              Options& options) const;

 private:
  [[nodiscard]] Result<> read_token(const toml::node& node, Options& options) const;
  [[nodiscard]] Result<> read_lane(const std::string& name, const toml::node& node,
                                   Options& options) const;
  [[nodiscard]] Result<TargetSettings> read_target(const std::string& label,
                                                   const toml::table& table,
                                                   Options& options) const;
  [[nodiscard]] Result<> add_secrets(const toml::table& table, toml::table& fields) const;
  [[nodiscard]] Result<std::string> variable(const toml::node& name) const;
  [[nodiscard]] Result<std::string> file_text(const toml::node& path) const;
  /// The error at the place of `node` in the file.
  [[nodiscard]] Error at(const toml::node& node, std::string detail) const;

  std::string path_;
  bool others_read_;
  const Environment& environment_;
};

}  // namespace carillon
