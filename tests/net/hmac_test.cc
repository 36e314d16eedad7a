#include "net/hmac.h"

#include <string>

#include <gtest/gtest.h>

namespace carillon {
namespace {

std::string hex(const HmacSha256::Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

/// RFC 4231, test cases 2 and 1.
TEST(HmacSha256, IsWhatTheStandardSays) {
  const HmacSha256 hmac("Jefe");
  EXPECT_EQ(hex(hmac.of({"what do ya want ", "for nothing?"})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(HmacSha256(std::string(20, '\x0b')).of({"Hi There"})),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST(HmacSha256, StartsOverEachTimeAndSoDoesACopy) {
  const HmacSha256 hmac("key");
  const auto first = hmac.of({"a", "b"});
  EXPECT_EQ(hmac.of({"ab"}), first);
  const HmacSha256 copy = hmac;  // NOLINT: that is what is tried
  EXPECT_EQ(copy.of({"ab"}), first);
  EXPECT_NE(copy.of({"abc"}), first);
}

TEST(HmacSha256, DigestsAreComparedWhole) {
  EXPECT_TRUE(same_digest("digest", "digest"));
  EXPECT_FALSE(same_digest("digest", "digesT"));
  EXPECT_FALSE(same_digest("digest", "diges"));
}

}  // namespace
}  // namespace carillon
