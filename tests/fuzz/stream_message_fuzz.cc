// Messages of a shard's stream, as any server may hand them to a node.

#include "storage/jetstream/message.h"
#include "tests/fuzz/rows.h"

namespace carillon {
namespace {

void check_row(const std::string& row) {
  const auto message = decode_message(row);
  if (!message) return;
  // Rows of older versions within it are read, but not written any more.
  const std::string bytes = encode_message(*message);
  const auto again = decode_message(bytes);
  CARILLON_CHECK(again && encode_message(*again) == bytes);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carillon::fuzz::check_rows(data, size, carillon::check_row);
  return 0;
}
