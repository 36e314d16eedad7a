#include "tools/replay/salvage.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <queue>

#include <fmt/format.h>
#include <rocksdb/write_batch.h>

#include "storage/bytes.h"
#include "storage/store.h"
#include "tools/replay/wal_file.h"

namespace carillon::replay {

namespace {

constexpr std::uint64_t kProgressRows = 20'000;

/// "000017.sst" -> 17.
std::optional<std::uint64_t> file_number(const std::filesystem::path& path) {
  const std::string stem = path.stem().string();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
  if (error != std::errc() || end != stem.data() + stem.size()) return std::nullopt;
  return number;
}

std::optional<std::string> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return std::nullopt;
  return bytes;
}

}  // namespace

/// Takes the puts out of a RocksDB write batch; deletes are no news (see the header).
class Salvage::BatchRows final : public rocksdb::WriteBatch::Handler {
 public:
  BatchRows(Salvage& salvage, std::uint64_t file) : salvage_(salvage), file_(file) {}

  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    if (family == static_cast<std::uint32_t>(Family::meta)) {
      salvage_.take_meta(key.ToStringView(), value.ToStringView());
    } else if (const auto number = row_number(key.ToStringView()); number && family < kFamilies) {
      salvage_.wal_rows_[family].emplace(*number, WalRow{file_, value.ToString()});
    }
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t /*family*/, const rocksdb::Slice& /*key*/) override {
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t /*family*/, const rocksdb::Slice& /*begin*/,
                                const rocksdb::Slice& /*end*/) override {
    return rocksdb::Status::OK();
  }

 private:
  Salvage& salvage_;
  std::uint64_t file_;
};

Result<std::unique_ptr<Salvage>> Salvage::open(const DataDir& dir) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(dir.db(), error)) {
    paths.push_back(entry.path());
  }
  if (error) {
    return storage_error(
        fmt::format("{}: no database to read: {}: {}", dir.path, dir.db(), error.message()));
  }
  std::sort(paths.begin(), paths.end());
  std::unique_ptr<Salvage> salvage(new Salvage());
  for (const auto& path : paths) {
    const auto number = file_number(path);
    if (!number) continue;
    const std::string name = "db/" + path.filename().string();
    if (path.extension() == ".log") salvage->read_wal_file(path, name, *number);
    if (path.extension() == ".sst") salvage->open_table(path, name, *number);
  }
  salvage->read_meta_tables();
  return salvage;
}

void Salvage::read_wal_file(const std::string& path, const std::string& name, std::uint64_t file) {
  const auto bytes = bytes_of(path);
  if (!bytes) {
    damage_.push_back({name, "cannot be read"});
    return;
  }
  bytes_ += bytes->size();
  BatchRows rows(*this, file);
  const auto unreadable = read_wal(*bytes, [&](std::string_view record) {
    const auto status = rocksdb::WriteBatch(std::string(record)).Iterate(&rows);
    if (!status.ok()) damage_.push_back({name, "a commit of another form: " + status.ToString()});
  });
  for (const WalDamage& one : unreadable) {
    auto& list = one.at_end ? torn_ends_ : damage_;
    list.push_back(
        {name, fmt::format("at byte {} of {}: {}", one.offset, bytes->size(), one.what)});
  }
}

void Salvage::open_table(const std::string& path, const std::string& name, std::uint64_t file) {
  std::error_code ignored;
  bytes_ += std::filesystem::file_size(path, ignored);
  auto cursor = TableCursor::open(path, file);
  if (cursor) {
    tables_.push_back({name, std::move(*cursor)});
  } else {
    damage_.push_back({name, cursor.error().detail});
  }
}

void Salvage::read_meta_tables() {
  for (Table& table : tables_) {
    if (table.cursor->family() != Family::meta) continue;
    for (table.cursor->seek_to_first(); table.cursor->valid(); table.cursor->next()) {
      take_meta(table.cursor->key(), table.cursor->row().bytes);
    }
  }
  note_damage(Family::meta);
}

void Salvage::take_meta(std::string_view key, std::string_view value) {
  if (key == meta::kSipKey && !sip_key_) sip_key_ = decode_sip_key(value);
  if (key == meta::kOldest) {
    oldest_ = std::max(oldest_, decode_meta_number(value).value_or(oldest_));
  }
}

void Salvage::for_each(Family family, const std::function<bool(std::span<const Row>)>& visit,
                       const Progress& progress) {
  // The tables by the number of the row that each stands at, the lowest first.
  using Place = std::pair<std::uint64_t, Table*>;
  std::priority_queue<Place, std::vector<Place>, std::greater<>> places;
  const auto place = [&places](Table& table) {
    if (table.cursor->valid()) places.emplace(table.cursor->row().number, &table);
  };
  for (Table& table : tables_) {
    if (table.cursor->family() != family) continue;
    table.cursor->seek_to_first();
    place(table);
  }
  const auto& wal_rows = wal_rows_[static_cast<std::size_t>(family)];
  auto wal_row = wal_rows.begin();
  std::vector<Row> rows;
  std::vector<Table*> at_number;
  std::uint64_t read = 0;
  std::uint64_t count = 0;
  bool going = true;
  while (going && (!places.empty() || wal_row != wal_rows.end())) {
    std::uint64_t number = places.empty() ? UINT64_MAX : places.top().first;
    if (wal_row != wal_rows.end()) number = std::min(number, wal_row->first);
    rows.clear();
    at_number.clear();
    for (; !places.empty() && places.top().first == number; places.pop()) {
      at_number.push_back(places.top().second);
      rows.push_back(at_number.back()->cursor->row());
    }
    for (; wal_row != wal_rows.end() && wal_row->first == number; ++wal_row) {
      rows.push_back({number, wal_row->second.bytes, wal_row->second.file});
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return a.file > b.file; });
    for (const Row& row : rows) read += row.bytes.size();
    going = visit(rows);
    for (Table* table : at_number) {
      table->cursor->next();
      place(*table);
    }
    if (progress && ++count % kProgressRows == 0) progress(read, bytes_);
  }
  note_damage(family);
}

void Salvage::note_damage(Family family) {
  for (Table& table : tables_) {
    if (table.cursor->family() != family) continue;
    for (const std::string& what : table.cursor->damage()) {
      const bool known = std::any_of(damage_.begin(), damage_.end(), [&](const Damage& one) {
        return one.file == table.name && one.what == what;
      });
      if (!known) damage_.push_back({table.name, what});
    }
  }
}

}  // namespace carillon::replay
