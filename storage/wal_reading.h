// Reads RocksDB's write-ahead logs so that no damage can keep it reading for ever.
//
// Why: RocksDB 9.4 and later do not move on at a fragment that claims to be of a recycled log,
// where the log began as one that is not: recovery never ends
// (https://github.com/facebook/rocksdb/issues/13333). A record torn by a loss of power can look so.
//
// Operation: in front of a database's file system. The fragments of a log are followed by their
// headers as they are read. Only four kinds are ever written here: no log is recycled or
// compressed, and no key has a timestamp. A fragment of another kind is damage, and is shown as a
// whole record, whose checksum is then wrong. So every version of RocksDB does with it what it does
// with any damage.
//
// Concurrency: as RocksDB's own files.
// Limitations: nothing is checked here; RocksDB checks lengths and checksums.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace carillon {

/// Goes along the fragments of a write-ahead log.
class WalFragments {
 public:
  /// The next bytes of the file; the kinds that we never write are replaced in them.
  void show(std::span<char> bytes);
  /// So many bytes are passed over. The fragments are found again with the next block.
  void skip(std::uint64_t bytes);

 private:
  static constexpr std::size_t kHeaderBytes = 7;  // checksum, length in two bytes, kind
  std::uint64_t at_ = 0;
  std::uint64_t header_at_ = 0;  // where the next header begins, or the one that is being read
  std::array<unsigned char, kHeaderBytes> header_{};
};

/// The same files, but that logs are read as described above.
[[nodiscard]] std::shared_ptr<rocksdb::FileSystem> wal_reading_files(
    const std::shared_ptr<rocksdb::FileSystem>& files);

}  // namespace carillon
