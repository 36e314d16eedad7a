#include "cluster/secret.h"

#include <array>
#include <fstream>
#include <iterator>
#include <memory>

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include "base/check.h"

namespace carillon {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string derive(std::string_view secret, std::string_view use) {
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), EVP_PKEY_CTX_free);
  std::string key(kKeyBytes, '\0');
  std::size_t size = key.size();
  CARILLON_CHECK(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1);
  CARILLON_CHECK(EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) == 1);
  CARILLON_CHECK(EVP_PKEY_CTX_set1_hkdf_key(context.get(), bytes_of(secret),
                                            static_cast<int>(secret.size())) == 1);
  CARILLON_CHECK(
      EVP_PKEY_CTX_add1_hkdf_info(context.get(), bytes_of(use), static_cast<int>(use.size())) == 1);
  CARILLON_CHECK(EVP_PKEY_derive(context.get(), bytes_of(key), &size) == 1);
  return key;
}

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)>;

Cipher new_cipher() {
  Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  CARILLON_CHECK(cipher != nullptr);
  return cipher;
}

Error refused(const std::string& path, std::string why) {
  return {"config", "cluster.secret_file: " + path + ": " + std::move(why), ""};
}

}  // namespace

ClusterSecret::ClusterSecret(std::string_view secret)
    : signing_(derive(secret, "carillon cluster signing 1")),
      encryption_key_(derive(secret, "carillon cluster encryption 1")) {}

Result<ClusterSecret> ClusterSecret::read_file(const std::string& path) {
  struct ::stat about{};
  std::ifstream file(path, std::ios::binary);
  if (!file || ::stat(path.c_str(), &about) != 0) return refused(path, "it cannot be read");
  if ((about.st_mode & S_IROTH) != 0) {
    return refused(path, "everyone on this machine may read it; use chmod 600");
  }
  std::string text(std::istreambuf_iterator<char>(file), {});
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
  if (text.size() < kBytesMin) {
    return refused(path, "a secret has at least " + std::to_string(kBytesMin) +
                             " characters; `openssl rand -hex 32` makes one");
  }
  return ClusterSecret(text);
}

std::string ClusterSecret::sign(std::string_view purpose, std::string_view bytes) const {
  // A copy, since other threads sign as well.
  const HmacSha256::Digest digest =
      HmacSha256(signing_).of({purpose, std::string_view("\0", 1), bytes});
  return {digest.begin(), digest.end()};
}

bool ClusterSecret::is_signed(std::string_view purpose, std::string_view bytes,
                              std::string_view signature) const {
  return same_digest(sign(purpose, bytes), signature);
}

std::string ClusterSecret::encrypt(std::string_view text) const {
  std::string out(kNonceBytes + text.size() + kTagBytes, '\0');
  unsigned char* const nonce = bytes_of(out);
  unsigned char* const body = nonce + kNonceBytes;
  CARILLON_CHECK(RAND_bytes(nonce, kNonceBytes) == 1);
  const Cipher cipher = new_cipher();
  int size = 0;
  CARILLON_CHECK(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                    bytes_of(std::string_view(encryption_key_)), nonce) == 1);
  CARILLON_CHECK(EVP_EncryptUpdate(cipher.get(), body, &size, bytes_of(text),
                                   static_cast<int>(text.size())) == 1);
  CARILLON_CHECK(EVP_EncryptFinal_ex(cipher.get(), body + size, &size) == 1);
  CARILLON_CHECK(
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, body + text.size()) == 1);
  return out;
}

std::optional<std::string> ClusterSecret::decrypt(std::string_view bytes) const {
  if (bytes.size() < kNonceBytes + kTagBytes) return std::nullopt;
  const std::string_view nonce = bytes.substr(0, kNonceBytes);
  const std::string_view body = bytes.substr(kNonceBytes, bytes.size() - kNonceBytes - kTagBytes);
  std::string tag(bytes.substr(bytes.size() - kTagBytes));
  std::string text(body.size(), '\0');
  const Cipher cipher = new_cipher();
  int size = 0;
  CARILLON_CHECK(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                    bytes_of(std::string_view(encryption_key_)),
                                    bytes_of(nonce)) == 1);
  CARILLON_CHECK(EVP_DecryptUpdate(cipher.get(), bytes_of(text), &size, bytes_of(body),
                                   static_cast<int>(body.size())) == 1);
  CARILLON_CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) ==
                 1);
  if (EVP_DecryptFinal_ex(cipher.get(), bytes_of(text) + size, &size) != 1) return std::nullopt;
  return text;
}

}  // namespace carillon
