// What an AMQP broker says: frames are taken apart the same however they are cut into pieces, in
// bounded memory, and no method or header makes the decoder do more than refuse it.
//
// The first byte of the input says how the rest is cut.

#include <string>
#include <vector>

#include "delivery/amqp/protocol.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

std::string decode(AmqpDecoder& decoder, const AmqpFrame& frame) {
  if (frame.type == AmqpFrame::Type::header) {
    const Result<AmqpHeader> header = read_amqp_header(frame.payload);
    return header ? std::string(header->message_id) : header.error().detail;
  }
  if (frame.type != AmqpFrame::Type::method) return {};
  const Result<AmqpMethod> method = decoder.decode(frame.payload);
  if (!method) return method.error().detail;
  CARILLON_CHECK(method->text.size() <= frame.payload.size());
  return std::to_string(static_cast<int>(method->kind)) + method->text +
         std::to_string(method->tag) + std::to_string(method->code);
}

std::vector<std::string> read_frames(std::string_view bytes, std::size_t piece_bytes) {
  AmqpDecoder decoder;
  return fuzz::read_in_pieces(AmqpFrameReader(), bytes, piece_bytes, [&](const AmqpFrame& frame) {
    CARILLON_CHECK(frame.payload.size() <= fuzz::kReadBytes);
    return std::to_string(static_cast<int>(frame.type)) + std::to_string(frame.channel) +
           std::string(frame.payload) + decode(decoder, frame);
  });
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const carillon::fuzz::InPieces input(data, size);
  CARILLON_CHECK(carillon::read_frames(input.bytes, carillon::fuzz::kReadBytes) ==
                 carillon::read_frames(input.bytes, input.piece_bytes));
  return 0;
}
