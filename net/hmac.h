// HMAC-SHA256 (RFC 2104) with one key, again and again.
//
// Operation: the key is taken in once. Looking the algorithm up and hashing the key again for each
// message would cost more than the message.
//
// Concurrency: one thread at a time; a copy is cheap, and each thread may have its own.
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <string_view>

#include <openssl/types.h>

namespace carillon {

class HmacSha256 {
 public:
  using Digest = std::array<unsigned char, 32>;

  explicit HmacSha256(std::string_view key);
  HmacSha256(const HmacSha256& other);
  HmacSha256(HmacSha256&&) noexcept = default;
  HmacSha256& operator=(HmacSha256&&) noexcept = default;
  ~HmacSha256() = default;

  /// Of the parts, one after the other.
  [[nodiscard]] Digest of(std::initializer_list<std::string_view> parts) const;

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const;
  };
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
};

/// Whether two digests, or their texts, are the same; takes a time that tells nothing about where
/// they differ.
[[nodiscard]] bool same_digest(std::string_view a, std::string_view b);

}  // namespace carillon
