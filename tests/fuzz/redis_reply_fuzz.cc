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

std::vector<std::string> read_replies(std::string_view bytes, std::size_t piece_bytes) {
  return fuzz::read_in_pieces(RedisReader(), bytes, piece_bytes, [](const RedisReply& reply) {
    CARILLON_CHECK(reply.text.size() <= 80 * 1024);
    return std::to_string(static_cast<int>(reply.type)) + reply.text + std::to_string(reply.number);
  });
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const carillon::fuzz::InPieces input(data, size);
  const auto whole = carillon::read_replies(input.bytes, carillon::fuzz::kReadBytes);
  const auto pieces = carillon::read_replies(input.bytes, input.piece_bytes);
  // What comes behind a reply that is too long may be seen or not.
  const auto common = static_cast<std::ptrdiff_t>(std::min(whole.size(), pieces.size()));
  CARILLON_CHECK(whole == pieces || input.bytes.size() > carillon::fuzz::kReadBytes);
  CARILLON_CHECK(std::equal(whole.begin(), whole.begin() + std::max<std::ptrdiff_t>(common - 1, 0),
                            pieces.begin()));
  return 0;
}
