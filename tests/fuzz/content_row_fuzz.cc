// Rows beside the log, contents and notes: what is taken has exactly one encoding.

#include "storage/content.h"
#include "storage/note.h"
#include "tests/fuzz/rows.h"

namespace carillon {
namespace {

/// Rows of earlier versions are read, but not written any more.
void check_same(const std::string& again, const std::string& row) {
  CARILLON_CHECK(again == row || again.front() != row.front());
}

void check_row(const std::string& row) {
  if (const auto content = decode_content(row)) check_same(encode_content(*content), row);
  if (const auto note = decode_note(row)) check_same(encode_note(*note), row);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carillon::fuzz::check_rows(data, size, carillon::check_row);
  return 0;
}
