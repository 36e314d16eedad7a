// What a Content-Type header says (RFC 9110, section 8.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace carillon {

struct MediaType {
  std::string_view essence;  // "application/json", as it was sent
  std::string charset;       // empty where there is none

  /// Whether it is `essence`, in whatever letter case.
  [[nodiscard]] bool is(std::string_view essence) const;
  /// Whether text of this type is UTF-8: no charset, or that one.
  [[nodiscard]] bool is_utf8() const;
};

/// Nothing where `text` is not a media type. Views point into `text`.
[[nodiscard]] std::optional<MediaType> parse_media_type(std::string_view text);

}  // namespace carillon
