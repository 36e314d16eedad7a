// How large a run is: small enough for CI, or full size where CARILLON_FULL=1 asks for it; and the
// seed that it draws from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace carillon::test {

/// True where the runs are wanted full size and not sized for CI.
[[nodiscard]] inline bool full_size() {
  const char* full = std::getenv("CARILLON_FULL");
  return full != nullptr && std::string_view(full) == "1";
}

/// `small`, or with CARILLON_FULL=1 `full`.
[[nodiscard]] inline std::size_t sized(std::size_t small, std::size_t full) {
  return full_size() ? full : small;
}

/// The seed in CARILLON_SEED, or `otherwise`.
[[nodiscard]] inline std::uint64_t seed_or(std::uint64_t otherwise) {
  const char* seed = std::getenv("CARILLON_SEED");
  return seed != nullptr ? std::stoull(seed) : otherwise;
}

}  // namespace carillon::test
