// Whether a text is one JSON value, all of it.
//
// The on-demand reader (base/json.h) never looks at what its caller skips, and a payload is passed
// on unread; so the grammar is checked first, over the whole text, by Boost.JSON's event parser
// with no events taken. Numbers of any size are JSON here: nothing is converted.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace carillon {

/// RFC 8259 grammar, UTF-8 and paired surrogates, exactly one value with white space around it.
/// Errors: bad_json with the byte where it stops being JSON, json_too_deep. Thread-safe.
[[nodiscard]] Result<> check_json(std::string_view text, std::size_t depth_max);

/// `text` without the byte order mark that some programs put before UTF-8. It is no part of JSON,
/// but RFC 8259 lets a reader ignore it.
[[nodiscard]] inline std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

}  // namespace carillon
