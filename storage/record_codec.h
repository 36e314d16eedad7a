// The row of a batch in the log: its records, packed.
//
// Operation: a row is a header (format version, first sequence, count, wall time), the records, and
// a checksum. An ordinary Put takes about 40 bytes, and less where the task before it in the row
// has the same target or group. docs/on-disk-format.md shows every byte.
//
// Contents, notes, `forgotten` and `trim_before` are no part of the row: they are rows and deletes
// of their own in the same commit. Version 5 is written. Rows of versions 2 to 4, without some
// kinds and flags, are read, and so are those of version 1, whose statements have 6 more bytes
// before the due.
//
// Concurrency: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "shard/record.h"

namespace carillon {

inline constexpr std::uint8_t kBatchVersion = 5;

/// Appends the row of `batch`, which has at least one record, to `out`.
void encode_batch(const Batch& batch, std::string& out);

/// The batch that `row` holds. Takes exactly the rows that `encode_batch` makes or once made. Error
/// slug `storage`, with the byte at fault.
[[nodiscard]] Result<Batch> decode_batch(std::string_view row);
/// The same into `batch`, whose memory is used again. After an error it may hold anything.
[[nodiscard]] Result<> decode_batch(std::string_view row, Batch& batch);

}  // namespace carillon
