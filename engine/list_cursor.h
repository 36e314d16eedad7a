// Where a page of a list ended, as text: what a client sends to have the next one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "shard/list_key.h"

namespace carillon {

/// "1800000000000-1f-17": due, a part of the fingerprint, number.
[[nodiscard]] std::string format_cursor(const ListKey& last);
/// Nothing where it is none of ours.
[[nodiscard]] std::optional<ListKey> parse_cursor(std::string_view text);
/// What a client hears then. Slug: bad_cursor.
[[nodiscard]] Error bad_cursor();

}  // namespace carillon
