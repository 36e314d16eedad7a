// Who may do what: bearer tokens.
#pragma once

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

/// The token of an Authorization header's value; null where the header is missing, of another
/// scheme, or has none of them. The time that it takes tells nothing about the tokens.
[[nodiscard]] const Token* token_of(std::string_view authorization, std::span<const Token> tokens);

}  // namespace carillon
