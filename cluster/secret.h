// What nodes of a cluster share and nobody else knows: they recognise each other by it, and hide
// by it what is secret in the cluster's settings.
//
// Operation: two keys are derived from the secret (HKDF-SHA256), one to sign (HMAC-SHA256) and one
// to encrypt (AES-256-GCM with a random nonce). What is signed for one purpose is not taken for
// another.
//
// Concurrency: any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/hmac.h"

namespace carillon {

class ClusterSecret {
 public:
  /// As short a secret could be guessed from what it signs.
  static constexpr std::size_t kBytesMin = 16;

  explicit ClusterSecret(std::string_view secret);
  /// The text of a file, without white space at its end. Error slug `config`: it cannot be read,
  /// others may read it, or it is too short.
  [[nodiscard]] static Result<ClusterSecret> read_file(const std::string& path);

  /// A key for one more purpose, 32 bytes.
  [[nodiscard]] std::string key_of(std::string_view purpose) const { return sign(purpose, {}); }

  /// 32 bytes.
  [[nodiscard]] std::string sign(std::string_view purpose, std::string_view bytes) const;
  [[nodiscard]] bool is_signed(std::string_view purpose, std::string_view bytes,
                               std::string_view signature) const;

  [[nodiscard]] std::string encrypt(std::string_view text) const;
  /// Nothing: it was encrypted with another secret, or altered.
  [[nodiscard]] std::optional<std::string> decrypt(std::string_view bytes) const;

 private:
  HmacSha256 signing_;
  std::string encryption_key_;
};

}  // namespace carillon
