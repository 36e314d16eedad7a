// The log on one node: RocksDB, a committer thread, a reader thread.
//
// Operation: opening takes the directory's lock, checks its format, and compares what can be
// recovered with the mark of what was synced, on a read-only view: a directory that has lost synced
// data is refused untouched, so that carillon-replay still finds all there is. An append is one
// synced RocksDB write on the committer's thread, and never fenced: the directory's lock sees to
// it that there is one owner. Fetches run on the reader's thread; checkpoints,
// the giving back of trimmed files and the measuring of sizes on a third, which sleeps otherwise.
//
// Concurrency: as storage/log.h.
//
// Limitations: one shard. A trim frees rows at once, and their files when compaction gets to them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "storage/log.h"
#include "storage/mirror.h"

namespace rocksdb {
class Env;
}

namespace carillon {

struct RocksdbLogOptions {
  std::string dir;
  Post post;
  /// Storage has failed and nothing is acknowledged any more: end the process (exit code 3). Called
  /// at most once, from any thread.
  std::function<void(std::string message)> on_failure;
  /// The key of the log: a new directory is made with it, one that has another is refused. Absent:
  /// a new one draws its own.
  std::optional<SipKey> key = std::nullopt;
  std::size_t block_cache_bytes = 8 << 20;
  /// With less than this free on the disk, stats say that it is short of space.
  std::uint64_t disk_free_min = 0;
  /// What is written ahead of a write-ahead log (storage/wal_space.h).
  std::uint64_t wal_ahead_bytes = 1 << 20;
  /// The file system; nullptr: the machine's. Must outlive the log.
  rocksdb::Env* env = nullptr;
};

/// Opens `options.dir`, which is made if it is not there (its parent must be). Error slug
/// `storage`: in use by another process, of a newer format, damaged, or short of what was synced;
/// the detail says what to do.
[[nodiscard]] Result<std::unique_ptr<Log>> open_rocksdb_log(RocksdbLogOptions options);

/// The same as a mirror.
[[nodiscard]] Result<std::unique_ptr<Mirror>> open_mirror(RocksdbLogOptions options);

}  // namespace carillon
