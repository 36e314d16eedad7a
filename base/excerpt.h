// A client's own words inside a message to it.
#pragma once

#include <string>
#include <string_view>

namespace carillon {

/// The beginning of `text`, at most `bytes_max` of it and no character cut in two, with "..." where
/// something is left out. Keeps an answer short, however long the name was that it complains about.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t bytes_max = 64);

}  // namespace carillon
