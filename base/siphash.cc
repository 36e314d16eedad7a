#include "base/siphash.h"

#include <bit>
#include <cstring>

namespace carillon {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as little-endian");

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }

  [[nodiscard]] std::uint64_t squeeze() {
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

Hash128 siphash(const SipKey& key, std::string_view bytes) {
  // The constants spell "somepseudorandomlygeneratedbytes"; 0xee and 0xdd mark the 128-bit variant.
  State s{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d ^ 0xee,
          key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
  const std::size_t whole = bytes.size() / 8 * 8;
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < whole; i += 8) {
    std::memcpy(&word, bytes.data() + i, 8);
    s.absorb(word);
  }
  word = 0;
  // Not of nothing: an empty view may have no address, which memcpy must not be given.
  if (whole < bytes.size()) std::memcpy(&word, bytes.data() + whole, bytes.size() - whole);
  s.absorb(word | (static_cast<std::uint64_t>(bytes.size()) << 56));

  s.v2 ^= 0xee;
  const std::uint64_t low = s.squeeze();
  s.v1 ^= 0xdd;
  return {low, s.squeeze()};
}

}  // namespace carillon
