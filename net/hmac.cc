#include "net/hmac.h"

#include <string>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/check.h"

namespace carillon {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void HmacSha256::Free::operator()(EVP_MAC_CTX* context) const {
  EVP_MAC_CTX_free(context);
}

HmacSha256::HmacSha256(std::string_view key) {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
  CARILLON_CHECK(hmac != nullptr);
  context_.reset(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);
  CARILLON_CHECK(context_ != nullptr);
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 2> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  CARILLON_CHECK(EVP_MAC_init(context_.get(), bytes_of(key), key.size(), params.data()) == 1);
}

HmacSha256::HmacSha256(const HmacSha256& other) : context_(EVP_MAC_CTX_dup(other.context_.get())) {
  CARILLON_CHECK(context_ != nullptr);
}

HmacSha256::Digest HmacSha256::of(std::initializer_list<std::string_view> parts) const {
  // Without a key, init starts over with the one it was given last.
  CARILLON_CHECK(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1);
  for (const std::string_view part : parts)
    CARILLON_CHECK(EVP_MAC_update(context_.get(), bytes_of(part), part.size()) == 1);
  Digest digest;
  std::size_t size = 0;
  CARILLON_CHECK(EVP_MAC_final(context_.get(), digest.data(), &size, digest.size()) == 1);
  return digest;
}

bool same_digest(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace carillon
