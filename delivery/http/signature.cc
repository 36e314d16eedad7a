#include "delivery/http/signature.h"

#include <array>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/check.h"
#include "net/base64.h"

namespace carillon {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kKeyBytesMin = 24;
constexpr std::size_t kKeyBytesMax = 64;

Error bad_secret(std::string detail) {
  return {.slug = "bad_secret", .detail = std::move(detail), .field = "secrets"};
}

void feed(EVP_MAC_CTX* context, std::string_view bytes) {
  CARILLON_CHECK(EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(bytes.data()),
                                bytes.size()) == 1);
}

}  // namespace

/// An HMAC with its key already taken in: looking the algorithm up and hashing the key again for
/// each push would cost more than the signature.
struct WebhookSigner::Key {
  explicit Key(const std::vector<unsigned char>& key) {
    EVP_MAC* hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
    CARILLON_CHECK(hmac != nullptr);
    context = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    CARILLON_CHECK(context != nullptr);
    std::string digest = "SHA256";
    const std::array<OSSL_PARAM, 2> params = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    CARILLON_CHECK(EVP_MAC_init(context, key.data(), key.size(), params.data()) == 1);
  }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() { EVP_MAC_CTX_free(context); }

  EVP_MAC_CTX* context = nullptr;
};

WebhookSigner::WebhookSigner() = default;
WebhookSigner::WebhookSigner(WebhookSigner&&) noexcept = default;
WebhookSigner& WebhookSigner::operator=(WebhookSigner&&) noexcept = default;
WebhookSigner::~WebhookSigner() = default;

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
    signer.keys_.push_back(std::make_unique<Key>(*key));
    OPENSSL_cleanse(key->data(), key->size());
  }
  return signer;
}

void WebhookSigner::append_signature(std::string& out, std::string_view id,
                                     std::string_view timestamp, std::string_view body) const {
  std::string_view separator;
  for (const std::unique_ptr<Key>& key : keys_) {
    // Without a key, init starts over with the one it was given last.
    CARILLON_CHECK(EVP_MAC_init(key->context, nullptr, 0, nullptr) == 1);
    feed(key->context, id);
    feed(key->context, ".");
    feed(key->context, timestamp);
    feed(key->context, ".");
    feed(key->context, body);
    std::array<unsigned char, 32> digest;
    std::size_t size = 0;
    CARILLON_CHECK(EVP_MAC_final(key->context, digest.data(), &size, digest.size()) == 1);
    out.append(separator).append("v1,");
    append_base64(out, {reinterpret_cast<const char*>(digest.data()), size});
    separator = " ";
  }
}

}  // namespace carillon
