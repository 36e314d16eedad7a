// Who may do what: bearer tokens.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "api/options.h"
#include "http/message.h"

namespace carillon {

/// "read", "write" or "admin".
[[nodiscard]] std::string_view name_of(Role role);

/// Says in an admitted request what its sender may do.
inline void set_role(HttpRequest& request, Role role) {
  request.rights = static_cast<int>(role);
}
[[nodiscard]] inline Role role_of(const HttpRequest& request) {
  return static_cast<Role>(request.rights);
}

/// What the bearer of an Authorization header's value may do; nothing where the header is missing,
/// of another scheme, or names no token. The time that it takes tells nothing about the tokens.
[[nodiscard]] std::optional<Role> role_of(std::string_view authorization,
                                          std::span<const Token> tokens);

}  // namespace carillon
