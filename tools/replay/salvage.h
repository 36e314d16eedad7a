// All rows that can be read from the files of a data directory, whether RocksDB would open it or
// not. Writes nothing.
//
// Operation: table files and write-ahead logs are read as they lie there, the manifest is not
// asked. That is sound because of how Carillon writes: a log row or a content is written once under
// a number of its own and never changed, so a copy that RocksDB would call superseded is still
// right, and what was deleted is told by the log itself (a finished task has its Outcome; rows
// below `oldest` were trimmed). Where two files have different rows of one number, the later file's
// comes first.
//
// Limitations: the write-ahead logs, some 100 MiB at most, are held in memory.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/data_dir.h"
#include "tools/replay/rows.h"
#include "tools/replay/table_cursor.h"
#include "wheel/task.h"

namespace carillon::replay {

/// A file that is damaged, and how.
struct Damage {
  std::string file;
  std::string what;
};

/// Told of bytes read and bytes in all.
using Progress = std::function<void(std::uint64_t, std::uint64_t)>;

class Salvage {
 public:
  /// Reads the write-ahead logs and opens the tables. Error: there is no directory to read.
  [[nodiscard]] static Result<std::unique_ptr<Salvage>> open(const DataDir& dir);

  /// Calls `visit` once for each number of `family`, ascending, with its rows, the latest file's
  /// first. The views are gone after the call. False ends it.
  void for_each(Family family, const std::function<bool(std::span<const Row>)>& visit,
                const Progress& progress = {});

  /// Found so far: all of it only after `for_each` of every family.
  [[nodiscard]] const std::vector<Damage>& damage() const { return damage_; }
  /// What a crash leaves at the end of a write-ahead log; harmless unless the mark says otherwise.
  [[nodiscard]] const std::vector<Damage>& torn_ends() const { return torn_ends_; }
  [[nodiscard]] std::optional<SipKey> sip_key() const { return sip_key_; }
  /// First sequence of the oldest batch that was not trimmed.
  [[nodiscard]] Sequence oldest() const { return oldest_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct WalRow {
    std::uint64_t file = 0;
    std::string bytes;
  };
  struct Table {
    std::string name;
    std::unique_ptr<TableCursor> cursor;
  };
  class BatchRows;

  Salvage() = default;
  void read_wal_file(const std::string& path, const std::string& name, std::uint64_t file);
  void open_table(const std::string& path, const std::string& name, std::uint64_t file);
  void read_meta_tables();
  void note_damage(Family family);
  void take_meta(std::string_view key, std::string_view value);

  std::vector<Table> tables_;
  std::array<std::multimap<std::uint64_t, WalRow>, kFamilies> wal_rows_;
  std::vector<Damage> damage_;
  std::vector<Damage> torn_ends_;
  std::optional<SipKey> sip_key_;
  Sequence oldest_ = 1;
  std::uint64_t bytes_ = 0;
};

}  // namespace carillon::replay
