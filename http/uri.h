// Segments of paths, and query parameters.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace carillon {

/// Appends `text`, percent-encoded so that it is one segment of a path.
void append_path_segment(std::string& out, std::string_view text);

/// The parameters of a query: "group=a&limit=10".
class Query {
 public:
  /// `known`: the names that may come, separated by spaces. Errors: unknown_parameter with the
  /// nearest known one, bad_parameter where one comes twice or is badly encoded.
  [[nodiscard]] static Result<Query> parse(std::string_view text, std::string_view known);

  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  /// Whether it is there, as "force", "force=true" or "force=1"; bad_parameter for other values
  /// than those and "false" and "0".
  [[nodiscard]] Result<bool> flag(std::string_view name) const;
  // Errors: bad_time and bad_duration (base/time.h); bad_parameter.
  [[nodiscard]] Result<std::optional<WallTime>> moment(std::string_view name) const;
  [[nodiscard]] Result<std::optional<Millis>> duration(std::string_view name) const;
  [[nodiscard]] Result<std::size_t> integer(std::string_view name, std::size_t otherwise,
                                            std::size_t min, std::size_t max) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace carillon
