// Opening a data directory's store for good: lock, format, mark, recovery, all checked in the order
// in which nothing is touched before it is known to be sound.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "storage/store.h"
#include "storage/synced_mark.h"

namespace carillon {

/// A store and what belongs to it. Ends in the reverse order.
struct OpenStore {
  DataDir dir;
  std::unique_ptr<DataDirLock> lock;
  std::unique_ptr<SyncedMark> mark;
  std::unique_ptr<Store> store;
  SipKey key{};
  LogEnd end;
  StreamPosition stream;  // of a mirror
};

/// Opens `dir` for writing, and makes it where it is not there. `key` as of RocksdbLogOptions;
/// `latch` must outlive the answer.
[[nodiscard]] Result<OpenStore> open_data_dir(const DataDir& dir, const StoreOptions& options,
                                              const std::optional<SipKey>& key,
                                              FailureLatch* latch);

/// Compares what a store recovered with the mark. Error: it ends before it, or there is no mark
/// although there are sequences; the detail says what is lost and how to go on.
[[nodiscard]] Result<> check_against_mark(const DataDir& dir, Sequence recovered,
                                          std::optional<Sequence> synced);

}  // namespace carillon
