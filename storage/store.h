// The RocksDB database of a data directory: its column families, keys and settings.
//
// Column families: `default` (meta: what the directory is), `log` (one row a batch), `contents` and
// `notes` (one row a task). Keys are shard u16 | number u64, big endian, so rows lie in the order
// in which they came: flushed files follow each other and compaction moves most of them whole.
//
// Settings are those of a sidecar: small buffers, a small cache, two background threads, and no
// compression of the log (hashes do not compress). What must stay off for the durability that is
// promised: pipelined or unordered writes, manual WAL flush, WAL recycling and compression.
//
// Concurrency: as RocksDB's own: thread-safe once open.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/db.h>

#include "base/result.h"
#include "storage/data_dir.h"
#include "storage/failure_latch.h"
#include "storage/stream_position.h"
#include "wheel/task.h"

namespace carillon {

struct StoreOptions {
  rocksdb::Env* env = nullptr;  // nullptr: the machine's
  std::size_t block_cache_bytes = 8 << 20;
  /// What is written ahead of a write-ahead log (storage/wal_space.h).
  std::uint64_t wal_ahead_bytes = 1 << 20;
  /// RocksDB's own log in db/LOG; off where nothing may be written.
  bool info_log = true;
};

enum class StoreMode {
  create,      // a new database
  read_write,  // one that is there
  read_only,   // replays the write-ahead log in memory, writes nothing
};

inline constexpr std::uint16_t kShard = 0;
/// Keys in the default column family.
namespace meta {
inline constexpr std::string_view kFormat = "format";  // u32: kFormatVersion
inline constexpr std::string_view kSipKey = "sipkey";  // 16 bytes
inline constexpr std::string_view kShardId = "shard";  // u16
inline constexpr std::string_view kClock = "clock";    // u64: ms of Unix time, see Log::append
inline constexpr std::string_view kOldest = "oldest";  // u64: first sequence of the oldest row kept
// Of a mirror (storage/mirror.h).
inline constexpr std::string_view kStream = "stream";  // as storage/stream_position.h encodes it
inline constexpr std::string_view kPlace = "place";    // with a sequence behind it: see place_key
}  // namespace meta

/// shard | number, big endian.
[[nodiscard]] std::string row_key(std::uint64_t number);
/// The number in a key of row_key's form; nothing where it has another form or shard.
[[nodiscard]] std::optional<std::uint64_t> row_number(std::string_view key);

/// The key in the default family under which a mirror keeps where in the stream the batch begins
/// whose first sequence is this: a u64.
[[nodiscard]] std::string place_key(Sequence first);

class Store {
 public:
  /// `latch`, where given, hears of errors in RocksDB's background work; it must outlive the store.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::string& dir, StoreMode mode,
                                                           const StoreOptions& options,
                                                           FailureLatch* latch);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] rocksdb::DB& db() { return *db_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* meta() { return families_[0]; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* log() { return families_[1]; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* contents() { return families_[2]; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* notes() { return families_[3]; }
  [[nodiscard]] const std::vector<rocksdb::ColumnFamilyHandle*>& families() { return families_; }

  /// A u64 of the meta family; `otherwise` where there is none.
  [[nodiscard]] Result<std::uint64_t> meta_number(std::string_view key, std::uint64_t otherwise);
  /// Error: the row is there but is not 16 bytes; nothing: no row.
  [[nodiscard]] Result<std::optional<SipKey>> sip_key();
  /// Writes what makes the database a Carillon one, durably.
  [[nodiscard]] Result<> initialize(const SipKey& key);
  /// Says that the database may hold what this program's format has, durably.
  [[nodiscard]] Result<> raise_format();
  /// How far in its stream a mirror is; all 0 where nothing was mirrored.
  [[nodiscard]] Result<StreamPosition> stream_position();
  /// Where the log ends. Decodes the last row.
  [[nodiscard]] Result<LogEnd> log_end();
  /// Writes out all memtables, so that the next start has no write-ahead log to replay.
  [[nodiscard]] Result<> flush();

 private:
  Store() = default;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

/// Database and family settings, for tools that open damaged databases their own way.
[[nodiscard]] rocksdb::DBOptions database_options(const StoreOptions& options);
[[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(
    const std::shared_ptr<rocksdb::Cache>& cache);

/// A u64 as meta rows hold it; nothing where the row has another size.
[[nodiscard]] std::string encode_meta_number(std::uint64_t number);
[[nodiscard]] std::optional<std::uint64_t> decode_meta_number(std::string_view row);
/// The key as its meta row holds it; nothing where the row has another size.
[[nodiscard]] std::optional<SipKey> decode_sip_key(std::string_view row);

}  // namespace carillon
