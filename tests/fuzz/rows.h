// What the fuzz targets of rows share: storage/bytes.h says what a row is.
#pragma once

#include <string>

#include "storage/bytes.h"
#include "tests/fuzz/fuzz.h"

namespace carillon::fuzz {

/// Calls `check` with the input as a row, and again with a right checksum: no mutation keeps one,
/// and the decoder behind it is to be reached.
template <typename Check>
void check_rows(const std::uint8_t* data, std::size_t size, Check&& check) {
  std::string row(text_of(data, size));
  check(row);
  seal_row(row);
  check(row);
}

}  // namespace carillon::fuzz
