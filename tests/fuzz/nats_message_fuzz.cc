// What a NATS server says: taken apart the same however it is cut into pieces, in bounded memory;
// and no answer or greeting makes its reader do more than refuse it.
//
// The first byte of the input says how the rest is cut.

#include <string>
#include <vector>

#include "delivery/nats/protocol.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

std::string understood(simdjson::dom::parser& parser, const NatsMessage& said) {
  if (said.kind == NatsMessage::Kind::info) {
    const Result<NatsInfo> info = read_nats_info(parser, said.text);
    return info ? info->nonce + std::to_string(info->message_bytes_max) : info.error().detail;
  }
  if (said.kind != NatsMessage::Kind::message) return std::string(said.text);
  const PushResult result = read_nats_answer(parser, said);
  const bool is_delivered = result.kind == PushResult::Kind::delivered;
  CARILLON_CHECK(result.may_be_seen && result.error.empty() == is_delivered);
  CARILLON_CHECK(!is_delivered || said.text.find("stream") != std::string_view::npos);
  return std::to_string(result.status) + result.error;
}

std::vector<std::string> read_all(std::string_view bytes, std::size_t piece_bytes) {
  simdjson::dom::parser parser;
  return fuzz::read_in_pieces(NatsReader(), bytes, piece_bytes, [&](const NatsMessage& said) {
    CARILLON_CHECK(said.text.size() <= 64 * 1024);
    return std::to_string(static_cast<int>(said.kind)) + std::string(said.subject) +
           understood(parser, said);
  });
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const carillon::fuzz::InPieces input(data, size);
  CARILLON_CHECK(carillon::read_all(input.bytes, carillon::fuzz::kReadBytes) ==
                 carillon::read_all(input.bytes, input.piece_bytes));
  return 0;
}
