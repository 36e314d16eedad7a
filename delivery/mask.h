// What an answer hides of targets and tasks, and what stands in its place.
#pragma once

#include <string>
#include <string_view>

#include "net/url.h"

namespace carillon {

enum class Secrets {
  hidden,  // for those who may only read: no value of a header, no query of a URL
  shown,   // for those who may set them; signing secrets are shown to nobody
  stored,  // for the log: all of it
};

/// Stands for the value of a header or the query of a URL. Sent back, it keeps what is stored.
inline constexpr std::string_view kHiddenValue = "***";

/// A URL with its query hidden: "https://a/b?***". Names of targets are left as they are.
[[nodiscard]] inline std::string mask_query(std::string_view target) {
  const std::size_t query = is_url(target) ? target.find('?') : std::string_view::npos;
  if (query == std::string_view::npos) return std::string(target);
  return std::string(target.substr(0, query + 1)) + std::string(kHiddenValue);
}

}  // namespace carillon
