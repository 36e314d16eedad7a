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

}  // namespace carillon
