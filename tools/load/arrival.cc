#include "tools/load/arrival.h"

#include "base/siphash.h"

namespace carillon::load {

WallMicros wall_now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::uint64_t hash_of(std::string_view bytes) {
  return siphash({1, 2}, bytes).low;
}

std::uint64_t trailing_number(std::string_view id) {
  std::uint64_t number = 0, place = 1;
  for (; !id.empty() && id.back() >= '0' && id.back() <= '9'; id.remove_suffix(1), place *= 10) {
    number += place * static_cast<std::uint64_t>(id.back() - '0');
  }
  return number;
}

}  // namespace carillon::load
