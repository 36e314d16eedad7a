// What stands for a secret in an answer to those who may not set it.
#pragma once

#include <string>
#include <string_view>

#include "delivery/target.h"
#include "net/url.h"

namespace carillon {

inline constexpr std::string_view kMask = kHiddenValue;

/// A URL with its query masked: "https://a/b?***". Names of targets are left as they are.
[[nodiscard]] inline std::string mask_query(std::string_view target) {
  const std::size_t query = is_url(target) ? target.find('?') : std::string_view::npos;
  if (query == std::string_view::npos) return std::string(target);
  return std::string(target.substr(0, query + 1)) + std::string(kMask);
}

}  // namespace carillon
