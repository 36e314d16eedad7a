// Reading rows back: the whole log at the start, its oldest part for cleaning, contents and notes
// of given tasks.
//
// Concurrency: any thread, beside the committer.
#pragma once

#include <functional>
#include <vector>

#include "storage/failure_latch.h"
#include "storage/log.h"
#include "storage/log_extent.h"
#include "storage/store.h"

namespace carillon {

/// As Log::read, reading ahead of `visit` on a second thread (storage/read_ahead.h).
[[nodiscard]] Result<LogExtent> read_batches(
    Store& store, Sequence from, const std::function<void(Batch&&)>& visit,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress);

/// As Log::read_oldest, from the first row at or above `oldest`. A row that cannot be read fails
/// the latch, and ends the answer.
[[nodiscard]] std::vector<Batch> read_oldest_batches(Store& store, Sequence oldest,
                                                     std::uint64_t bytes, FailureLatch& latch);

/// As Log::follow, of rows that are there. Errors: trimmed; a row that cannot be read fails the
/// latch.
[[nodiscard]] Result<std::vector<Batch>> read_batches_from(Store& store, Sequence from,
                                                           std::uint64_t bytes,
                                                           FailureLatch& latch);

/// As Log::fetch. What the disk refuses to read fails the latch. A content whose block is damaged
/// comes as an empty row, which does not decode; such a note is left out; both are logged.
[[nodiscard]] std::vector<Fetched> fetch_rows(Store& store, const Fetch& wanted,
                                              FailureLatch& latch);

}  // namespace carillon
