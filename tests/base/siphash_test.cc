#include "base/siphash.h"

#include <cstdio>
#include <string>

#include <gtest/gtest.h>

namespace carillon {
namespace {

// Key 00 01 .. 0f, message 00 01 .. of each length: the reference implementation's vectors, as
// `openssl mac -macopt size:16 SIPHASH` computes them too.
struct Vector {
  std::size_t length;
  const char* hash;
};
constexpr Vector kVectors[] = {
    {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
    {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},  {8, "3b62a9ba6258f5610f83e264f31497b4"},
    {15, "5493e99933b0a8117e08ec0f97cfc3d9"}, {16, "6ee2a4ca67b054bbfd3315bf85230577"},
    {63, "5150d1772f50834a503e069a973fbd7c"},
};

std::string hex_of(const Hash128& hash) {
  std::string out;
  for (const std::uint64_t word : {hash.low, hash.high}) {
    for (int byte = 0; byte < 8; ++byte) {
      char text[3];
      std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(word >> (8 * byte)) & 0xffU);
      out += text;
    }
  }
  return out;
}

TEST(SipHash, ViewOfNothingHashesAsTheEmptyText) {
  const SipKey key{1, 2};
  EXPECT_EQ(siphash(key, std::string_view()), siphash(key, ""));
}

TEST(SipHash, EqualsReferenceVectors) {
  const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  for (const Vector& vector : kVectors) {
    std::string message;
    for (std::size_t i = 0; i < vector.length; ++i) message += static_cast<char>(i);
    EXPECT_EQ(hex_of(siphash(key, message)), vector.hash) << "length " << vector.length;
  }
}

TEST(SipHash, DependsOnBothHalvesOfTheKey) {
  const Hash128 base = siphash({1, 2}, "user:coupon");
  EXPECT_NE(base, siphash({3, 2}, "user:coupon"));
  EXPECT_NE(base, siphash({1, 3}, "user:coupon"));
}

TEST(SipHash, TellsTrailingZeroesApart) {
  EXPECT_NE(siphash({1, 2}, std::string_view("a", 1)), siphash({1, 2}, std::string_view("a\0", 2)));
}

}  // namespace
}  // namespace carillon
