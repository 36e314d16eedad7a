// Base64 as RFC 4648, section 4, has it: the standard alphabet, with padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace carillon {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// The same, appended to `out`.
void append_base64(std::string& out, std::string_view bytes);

/// The bytes, or nothing where `text` is not exactly what base64_encode would make of them: no
/// white space, no missing padding, no stray bits in the last character.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace carillon
