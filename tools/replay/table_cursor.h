// The rows of one RocksDB table file (SST), in order, damaged blocks left out.
//
// Operation: a block that does not match its checksum ends RocksDB's iterator; the cursor looks for
// the next number that can be reached (doubling its stride, then halving it) and goes on there.
//
// Concurrency: one thread per cursor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tools/replay/rows.h"

namespace rocksdb {
class Iterator;
class SstFileReader;
}  // namespace rocksdb

namespace carillon::replay {

class TableCursor {
 public:
  /// Error: the file has no readable index or is of no family of ours.
  [[nodiscard]] static Result<std::unique_ptr<TableCursor>> open(const std::string& path,
                                                                 std::uint64_t file);
  ~TableCursor();

  [[nodiscard]] Family family() const { return family_; }
  /// To the first row that can be read.
  void seek_to_first();
  [[nodiscard]] bool valid() const;
  [[nodiscard]] Row row() const;
  void next();
  /// The raw key, for rows of the meta family.
  [[nodiscard]] std::string_view key() const;
  /// What was left out since `seek_to_first`: "rows 17 to 99: ...".
  [[nodiscard]] const std::vector<std::string>& damage() const { return damage_; }

 private:
  TableCursor();
  void leave_damage(std::uint64_t from);
  /// Whether `number`, or what follows it, can be reached, or the table ends before it.
  bool reaches(std::uint64_t number);

  std::unique_ptr<rocksdb::SstFileReader> reader_;
  std::unique_ptr<rocksdb::Iterator> rows_;
  Family family_ = Family::meta;
  std::uint64_t file_ = 0;
  std::vector<std::string> damage_;
};

}  // namespace carillon::replay
