#include "storage/read_ahead.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/thread.h"
#include "storage/bytes.h"
#include "storage/record_codec.h"

namespace carillon {

namespace {

/// A portion has about so many: enough that handing it over costs nothing, few enough that it is
/// still in the processor's shared cache when it is taken.
constexpr std::size_t kPortionRecords = 4096;

}  // namespace

Result<> read_row(const rocksdb::Iterator& row, Sequence expected, Batch& batch) {
  const auto number = row_number(row.key().ToStringView());
  if (!number) return storage_error("the log has a row with a key of another form");
  if (expected != 0 && *number != expected) {
    return storage_error(
        fmt::format("the log has a gap: sequences {} to {} are missing", expected, *number - 1));
  }
  auto decoded = decode_batch(row.value().ToStringView(), batch);
  if (!decoded) {
    return std::move(decoded.error()).in(fmt::format("the row of sequence {}", *number));
  }
  if (batch.first != *number) {
    return storage_error(
        fmt::format("the row of sequence {} says that it begins at {}", *number, batch.first));
  }
  return {};
}

ReadAhead::ReadAhead(Store& store, const rocksdb::ReadOptions& options, Sequence oldest)
    : store_(store), options_(options), expected_(oldest), thread_([this] {
        begin_thread("read-ahead");
        run();
      }) {}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

ReadAhead::Portion& ReadAhead::next() {
  std::unique_lock lock(mutex_);
  ++taken_;
  changed_.notify_one();  // the portion before may be filled again
  changed_.wait(lock, [this] { return filled_ >= taken_; });
  return ring_[(taken_ - 1) % ring_.size()];
}

bool ReadAhead::wait_for_room() {
  std::unique_lock lock(mutex_);
  // What was handed out last is in use.
  changed_.wait(lock, [this] {
    return stopping_ || filled_ + 1 < std::max<std::size_t>(taken_, 1) + ring_.size();
  });
  return !stopping_;
}

void ReadAhead::run() {
  const std::unique_ptr<rocksdb::Iterator> rows(store_.db().NewIterator(options_, store_.log()));
  rows->Seek(row_key(expected_));
  for (bool last = false; !last && wait_for_room();) {
    Portion& portion = ring_[filled_ % ring_.size()];
    fill(*rows, portion);
    last = portion.last;
    const std::lock_guard lock(mutex_);
    ++filled_;
    changed_.notify_one();
  }
}

void ReadAhead::fill(rocksdb::Iterator& rows, Portion& portion) {
  portion.count = 0;
  for (std::size_t records = 0; records < kPortionRecords; rows.Next()) {
    if (!rows.Valid()) {
      portion.last = true;
      if (!rows.status().ok()) portion.end = status_error(rows.status(), "reading the log");
      return;
    }
    if (portion.count == portion.rows.size()) portion.rows.emplace_back();
    Row& row = portion.rows[portion.count];
    if (auto read = read_row(rows, expected_, row.batch); !read) {
      portion.last = true;
      portion.end = std::move(read);
      return;
    }
    row.bytes = rows.value().size();
    expected_ = row.batch.last() + 1;
    records += row.batch.records.size();
    ++portion.count;
  }
}

}  // namespace carillon
