// Single values out of the server's answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace carillon::test {

/// The text at a JSON pointer ("/counts/dead"); empty where there is none.
[[nodiscard]] std::string text_at(std::string_view json, std::string_view pointer);
/// The whole number there; -1 where there is none.
[[nodiscard]] std::int64_t number_at(std::string_view json, std::string_view pointer);

}  // namespace carillon::test
