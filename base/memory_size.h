// Amounts of memory as people write them: "16MiB", "1GiB", "512".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carillon {

/// A whole number and B, KiB, MiB, GiB or nothing. Error slug: bad_value.
[[nodiscard]] Result<std::int64_t> parse_bytes(std::string_view text);
/// The shortest form that `parse_bytes` reads back to the same.
[[nodiscard]] std::string format_bytes(std::int64_t bytes);

}  // namespace carillon
