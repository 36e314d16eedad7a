// Replies of a Redis server: taken apart the same however they are cut into pieces, in bounded
// memory.
//
// The first byte of the input says how the rest is cut.

#include <algorithm>
#include <string>
#include <vector>

#include "delivery/redis/protocol.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;  // what a connection is given at once

/// The replies, and at the end whether the last bytes could not be understood.
std::vector<std::string> read_replies(std::string_view bytes, std::size_t piece_bytes) {
  RedisReader reader;
  std::vector<std::string> all;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    reader.feed(piece);
    for (;;) {
      const auto reply = reader.next();
      if (!reply) {
        CARILLON_CHECK(reply.error().slug == "network");
        all.emplace_back("broken");
        return all;
      }
      if (!*reply) break;
      const RedisReply& its = **reply;
      CARILLON_CHECK(its.text.size() <= 80 * 1024);
      all.push_back(std::to_string(static_cast<int>(its.type)) + its.text +
                    std::to_string(its.number));
    }
  }
  return all;
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carillon::fuzz::Input input(data, size);
  const std::size_t piece = input.u8() + std::size_t{1};
  const std::string_view bytes = input.rest();
  const auto whole = carillon::read_replies(bytes, carillon::kReadBytes);
  const auto pieces = carillon::read_replies(bytes, piece);
  // What comes behind a reply that is too long may be seen or not.
  const auto common = static_cast<std::ptrdiff_t>(std::min(whole.size(), pieces.size()));
  CARILLON_CHECK(whole == pieces || bytes.size() > carillon::kReadBytes);
  CARILLON_CHECK(std::equal(whole.begin(), whole.begin() + std::max<std::ptrdiff_t>(common - 1, 0),
                            pieces.begin()));
  return 0;
}
