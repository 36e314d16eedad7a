// Rows beside the log, contents and notes: what is taken has exactly one encoding.

#include "storage/content.h"
#include "storage/note.h"
#include "tests/fuzz/rows.h"

namespace carillon {
namespace {

void check_row(const std::string& row) {
  // Rows of version 1 are read, but not written any more.
  const bool present = row.starts_with('\2');
  const auto content = decode_content(row);
  if (content && present) CARILLON_CHECK(encode_content(*content) == row);
  const auto note = decode_note(row);
  if (note && present) CARILLON_CHECK(encode_note(*note) == row);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carillon::fuzz::check_rows(data, size, carillon::check_row);
  return 0;
}
