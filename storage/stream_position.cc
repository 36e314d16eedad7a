#include "storage/stream_position.h"

#include "storage/bytes.h"

namespace carillon {

namespace {

constexpr std::uint8_t kPositionVersion = 1;

}  // namespace

std::string encode_stream_position(const StreamPosition& position) {
  std::string row;
  ByteWriter out(row);
  out.u8(kPositionVersion);
  out.varint(position.place);
  out.hash(position.hash);
  out.varint(position.epoch);
  seal_row(row);
  return row;
}

Result<StreamPosition> decode_stream_position(std::string_view row) {
  constexpr std::string_view what = "the position in the stream";
  const auto body = open_row(row, kPositionVersion, what);
  if (!body) return body.error();
  ByteReader in(*body);
  static_cast<void>(in.u8());
  StreamPosition position;
  position.place = in.varint();
  position.hash = in.hash();
  position.epoch = in.varint();
  in.expect_end();
  if (!in.ok()) return in.error(what);
  return position;
}

}  // namespace carillon
