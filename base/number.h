// Whole numbers as clients of many languages write them.
//
// A language without integers (JavaScript, Lua, some JSON libraries) writes 90000 as `90000.0` or
// `9e4`. Both are the same number in JSON, so both are taken wherever an integer is wanted.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace carillon {

/// `text` as a number of JSON's grammar whose value is whole and fits 64 bits: "90000", "90000.0",
/// "9e4", "-0". Nothing where it is no number, has a fraction ("1.5") or is too large. Exact: no
/// floating point is involved. Linear in the text, whatever the exponent.
[[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view text);

}  // namespace carillon
