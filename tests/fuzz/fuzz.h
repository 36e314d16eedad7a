// What every fuzz target shares: its entry, and an input that is taken apart piece by piece.
//
// Operation: a target is one file NAME_fuzz.cc with LLVMFuzzerTestOneInput. With the preset `fuzz`
// it is linked with libFuzzer, which makes up inputs and watches which of them reach new code
// (tools/fuzz.sh runs them). With any other preset it is linked with replay_main.cc, which runs it
// over the inputs kept in corpus/NAME: those that reach all the code, and each that ever failed.
//
// A target's property is a CARILLON_CHECK: for every input no crash, leak, undefined behaviour or
// hang, and what a decoder takes encodes to something that decodes to the same.
//
// Limitations: a target keeps nothing from one input to the next, so that a failure needs only the
// one input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace carillon::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Hands out an input from its front; zero or empty where it is used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(text_of(data, size)) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint8_t u8() {
    const std::string_view byte = take(1);
    return byte.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(byte.front());
  }
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | u8();
    return value;
  }
  std::string_view take(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  /// Up to the next line break, which is dropped.
  std::string_view line() {
    const std::string_view taken = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(taken.size() < rest_.size() ? taken.size() + 1 : taken.size());
    return taken;
  }
  std::string_view rest() { return take(rest_.size()); }

 private:
  std::string_view rest_;
};

/// Feeds `reader` (feed, next) with `bytes`, so many at a time; what `show` makes of each thing
/// read, and at the end "broken" where the last bytes could not be understood.
template <typename Reader, typename Show>
std::vector<std::string> read_in_pieces(Reader reader, std::string_view bytes,
                                        std::size_t piece_bytes, Show show) {
  std::vector<std::string> all;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    reader.feed(piece);
    for (;;) {
      const auto read = reader.next();
      if (!read) {
        CARILLON_CHECK(read.error().slug == "network");
        all.emplace_back("broken");
        return all;
      }
      if (!*read) break;
      all.push_back(show(**read));
    }
  }
  return all;
}

/// What a connection is given at once.
inline constexpr std::size_t kReadBytes = 16 * 1024;

/// An input whose first byte says in what pieces the rest comes.
struct InPieces {
  InPieces(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    piece_bytes = input.u8() + std::size_t{1};
    bytes = input.rest();
  }
  std::string_view bytes;
  std::size_t piece_bytes = 0;
};

}  // namespace carillon::fuzz
