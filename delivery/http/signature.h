// Signing a push as Standard Webhooks 1.0 has it (https://www.standardwebhooks.com): HMAC-SHA256
// over `id.timestamp.body`, so that the receiver knows who sent it, when, and that it is whole.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/hmac.h"

namespace carillon {

/// The key in "whsec_" + base64. 24 to 64 bytes, as the specification asks. Error slug bad_secret;
/// never shows the secret.
[[nodiscard]] Result<std::vector<unsigned char>> parse_secret(std::string_view secret);

/// Holds a target's keys, ready to sign. One thread at a time.
class WebhookSigner {
 public:
  /// One signature for each of `secrets`, in order; several while a receiver changes over.
  [[nodiscard]] static Result<WebhookSigner> make(std::span<const std::string> secrets);

  [[nodiscard]] bool has_keys() const { return !keys_.empty(); }
  /// Appends the value of webhook-signature: "v1,<base64>", separated by spaces.
  void append_signature(std::string& out, std::string_view id, std::string_view timestamp,
                        std::string_view body) const;

 private:
  std::vector<HmacSha256> keys_;
};

}  // namespace carillon
