#include "tools/replay/table_cursor.h"

#include <fmt/format.h>
#include <rocksdb/sst_file_reader.h>

#include "storage/bytes.h"
#include "storage/store.h"

namespace carillon::replay {

namespace {

constexpr std::size_t kReadAheadBytes = 256 << 10;

rocksdb::ReadOptions scan_options() {
  rocksdb::ReadOptions options;
  options.readahead_size = kReadAheadBytes;
  options.fill_cache = false;
  return options;
}

}  // namespace

TableCursor::TableCursor() = default;
TableCursor::~TableCursor() = default;

Result<std::unique_ptr<TableCursor>> TableCursor::open(const std::string& path,
                                                       std::uint64_t file) {
  std::unique_ptr<TableCursor> cursor(new TableCursor());
  cursor->file_ = file;
  cursor->reader_ = std::make_unique<rocksdb::SstFileReader>(rocksdb::Options());
  if (const auto status = cursor->reader_->Open(path); !status.ok()) {
    return status_error(status, "a table that cannot be opened");
  }
  const auto properties = cursor->reader_->GetTableProperties();
  const auto families = family_descriptors(nullptr);
  for (std::size_t i = 0; i < families.size(); ++i) {
    if (properties->column_family_name != families[i].name) continue;
    cursor->family_ = static_cast<Family>(i);
    cursor->rows_.reset(cursor->reader_->NewIterator(scan_options()));
    return cursor;
  }
  return storage_error("a table of an unknown family: " + properties->column_family_name);
}

void TableCursor::seek_to_first() {
  damage_.clear();
  rows_->SeekToFirst();
  if (!rows_->status().ok()) leave_damage(0);
}

bool TableCursor::valid() const {
  return rows_->Valid();
}

std::string_view TableCursor::key() const {
  return rows_->key().ToStringView();
}

Row TableCursor::row() const {
  return {row_number(key()).value_or(0), rows_->value().ToStringView(), file_};
}

void TableCursor::next() {
  const std::uint64_t last = row().number;
  rows_->Next();
  if (!rows_->status().ok()) leave_damage(last + 1);
}

bool TableCursor::reaches(std::uint64_t number) {
  // An iterator that met damage once does not get over it.
  rows_.reset(reader_->NewIterator(scan_options()));
  rows_->Seek(row_key(number));
  return rows_->status().ok();
}

void TableCursor::leave_damage(std::uint64_t from) {
  const std::string reason = rows_->status().ToString();
  std::uint64_t bad = from;
  std::uint64_t good = from;
  for (std::uint64_t stride = 1; good == from; stride *= 2) {
    const bool beyond = stride == 0 || from + stride < from;
    if (beyond || reaches(from + stride)) good = beyond ? UINT64_MAX : from + stride;
    if (good == from) bad = from + stride;
  }
  while (good - bad > 1) {
    const std::uint64_t middle = bad + (good - bad) / 2;
    if (reaches(middle)) {
      good = middle;
    } else {
      bad = middle;
    }
  }
  if (!reaches(good))
    damage_.push_back(fmt::format("everything from row {} on: {}", from, reason));
  else
    damage_.push_back(fmt::format("rows {} to {}: {}", from, good - 1, reason));
}

}  // namespace carillon::replay
