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

std::vector<std::string> read_replies(std::string_view bytes, std::size_t piece_bytes) {
  return fuzz::read_in_pieces(RedisReader(), bytes, piece_bytes, [](const RedisReply& reply) {
    CARILLON_CHECK(reply.text.size() <= 80 * 1024);
    return std::to_string(static_cast<int>(reply.type)) + reply.text + std::to_string(reply.number);
  });
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
