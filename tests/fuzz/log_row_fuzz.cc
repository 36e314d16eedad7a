// Rows of the log: what is taken has exactly one encoding.

#include "storage/record_codec.h"
#include "tests/fuzz/rows.h"

namespace carillon {
namespace {

void check_row(std::string_view row) {
  const Result<Batch> batch = decode_batch(row);
  if (!batch) return;
  CARILLON_CHECK(batch->first > 0 && batch->last() >= batch->first);
  if (row[0] != static_cast<char>(kBatchVersion)) return;  // read, but not written any more
  std::string again;
  encode_batch(*batch, again);
  CARILLON_CHECK(again == row);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carillon::fuzz::check_rows(data, size, carillon::check_row);
  return 0;
}
