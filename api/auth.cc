#include "api/auth.h"

#include <algorithm>
#include <array>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/text.h"

namespace carillon {

std::string_view name_of(Role role) {
  switch (role) {
    case Role::read:
      return "read";
    case Role::write:
      return "write";
    case Role::admin:
      return "admin";
  }
  return {};
}

const Token* token_of(std::string_view authorization, std::span<const Token> tokens) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!same_in_any_case(authorization.substr(0, kScheme.size()), kScheme)) return nullptr;
  std::string_view secret = authorization.substr(kScheme.size());
  secret.remove_prefix(std::min(secret.find_first_not_of(' '), secret.size()));
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), digest.data());
  const Token* found = nullptr;
  for (const Token& token : tokens) {
    const bool same = token.sha256.size() == digest.size() &&
                      CRYPTO_memcmp(token.sha256.data(), digest.data(), digest.size()) == 0;
    if (same) found = &token;
  }
  return found;
}

}  // namespace carillon
