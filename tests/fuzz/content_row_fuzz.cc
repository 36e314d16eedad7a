// Rows beside the log, contents and notes: what is taken has exactly one encoding.

#include "storage/content.h"
#include "storage/note.h"
#include "tests/fuzz/rows.h"

namespace carillon {
namespace {

void check_row(const std::string& row) {
  if (const auto content = decode_content(row)) CARILLON_CHECK(encode_content(*content) == row);
  if (const auto note = decode_note(row)) CARILLON_CHECK(encode_note(*note) == row);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carillon::fuzz::check_rows(data, size, carillon::check_row);
  return 0;
}
