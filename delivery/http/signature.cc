#include "delivery/http/signature.h"

#include <openssl/crypto.h>

#include "net/base64.h"

namespace carillon {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kKeyBytesMin = 24;
constexpr std::size_t kKeyBytesMax = 64;

Error bad_secret(std::string detail) {
  return {.slug = "bad_secret", .detail = std::move(detail), .field = "secrets"};
}

}  // namespace

Result<std::vector<unsigned char>> parse_secret(std::string_view secret) {
  if (!secret.starts_with(kSecretPrefix)) return bad_secret("a secret begins with whsec_");
  const auto bytes = base64_decode(secret.substr(kSecretPrefix.size()));
  if (!bytes) return bad_secret("what follows whsec_ is not base64");
  if (bytes->size() < kKeyBytesMin || bytes->size() > kKeyBytesMax) {
    return bad_secret("a secret has 24 to 64 bytes (before base64)");
  }
  return std::vector<unsigned char>(bytes->begin(), bytes->end());
}

Result<WebhookSigner> WebhookSigner::make(std::span<const std::string> secrets) {
  WebhookSigner signer;
  for (const std::string& secret : secrets) {
    Result<std::vector<unsigned char>> key = parse_secret(secret);
    if (!key) return key.error();
    signer.keys_.emplace_back(
        std::string_view(reinterpret_cast<const char*>(key->data()), key->size()));
    OPENSSL_cleanse(key->data(), key->size());
  }
  return signer;
}

void WebhookSigner::append_signature(std::string& out, std::string_view id,
                                     std::string_view timestamp, std::string_view body) const {
  std::string_view separator;
  for (const HmacSha256& key : keys_) {
    const HmacSha256::Digest digest = key.of({id, ".", timestamp, ".", body});
    out.append(separator).append("v1,");
    append_base64(out, {reinterpret_cast<const char*>(digest.data()), digest.size()});
    separator = " ";
  }
}

}  // namespace carillon
