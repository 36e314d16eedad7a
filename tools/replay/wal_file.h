// RocksDB's write-ahead log, read without RocksDB: every record that is whole, also behind one that
// is not.
//
// Why our own: RocksDB's recovery stops at the first damaged record. Each record here is one commit
// of Carillon's, whole in itself, so those behind the damage are worth as much as those before it.
//
// The format is RocksDB's ("Write Ahead Log File Format" in its wiki): blocks of 32 KiB; in them
// records of a masked CRC-32C (u32), a length (u16), a type (u8: full, first, middle, last) and the
// bytes; the end of a block that has no room for a header is zeros. Damage is skipped up to the
// next header whose checksum is right, or else to the next block.
//
// Limitations: no recycled and no compressed logs; Carillon writes neither.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace carillon::replay {

/// Bytes of a write-ahead log that cannot be read.
struct WalDamage {
  std::uint64_t offset = 0;
  std::string what;
  bool at_end = false;  // no whole record follows: what a crash leaves
};

/// Calls `visit` with each whole record of `file`, in order. Returns what could not be read.
[[nodiscard]] std::vector<WalDamage> read_wal(
    std::string_view file, const std::function<void(std::string_view record)>& visit);

/// The CRC-32C (Castagnoli) of `bytes`.
[[nodiscard]] std::uint32_t crc32c_of(std::string_view bytes);

}  // namespace carillon::replay
