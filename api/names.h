// The names that clients give to things.
#pragma once

#include <string_view>

#include "base/result.h"

namespace carillon {

/// What an id, group, target or lane is: 1 to 255 bytes of UTF-8 without control characters, and
/// neither "." nor "..". Error: bad_id, with `field`.
[[nodiscard]] Result<> check_name(std::string_view name, std::string_view field);
/// What the name of a target is: a name that does not look like a URL, which a task may name
/// instead. Error: bad_id, with `field`.
[[nodiscard]] Result<> check_target_name(std::string_view name, std::string_view field);

}  // namespace carillon
