// Who may do what: bearer tokens.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "http/server.h"

namespace carillon {

/// "read", "write" or "admin".
[[nodiscard]] std::string_view name_of(Role role);

/// What the bearer of an Authorization header's value may do; nothing where the header is missing,
/// of another scheme, or names no token. The time that it takes tells nothing about the tokens.
[[nodiscard]] std::optional<Role> role_of(std::string_view authorization,
                                          std::span<const Token> tokens);

}  // namespace carillon
