#include "http/route.h"

namespace carillon {

std::optional<std::string_view> match_path(std::string_view pattern, std::string_view path) {
  const std::size_t open = pattern.find_first_of("{*");
  if (open == std::string_view::npos)
    return pattern == path ? std::optional(std::string_view()) : std::nullopt;
  if (!path.starts_with(pattern.substr(0, open))) return std::nullopt;
  if (pattern[open] == '*') return path.substr(open);
  const std::string_view suffix = pattern.substr(pattern.find('}') + 1);
  if (!path.ends_with(suffix)) return std::nullopt;
  path.remove_prefix(open);
  if (path.size() <= suffix.size()) return std::nullopt;
  path.remove_suffix(suffix.size());
  if (path.find('/') != std::string_view::npos) return std::nullopt;
  return path;
}

}  // namespace carillon
