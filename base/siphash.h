// SipHash-2-4 with a 128-bit result (Aumasson and Bernstein, "SipHash: a fast short-input PRF",
// 2012, and its reference implementation's 128-bit variant). A client who does not know the key
// cannot make two ids collide, which is what lets the task index keep a piece of the hash in place
// of the id.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace carillon {

using SipKey = std::array<std::uint64_t, 2>;

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
};

/// The keyed hash of `bytes`. Equal on every platform.
[[nodiscard]] Hash128 siphash(const SipKey& key, std::string_view bytes);

}  // namespace carillon
