#include "storage/row_reader.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/log.h"
#include "storage/content.h"
#include "storage/note.h"
#include "storage/read_ahead.h"

namespace carillon {

namespace {

constexpr std::size_t kReadAheadBytes = 2 << 20;
/// Progress is told about once in so many bytes.
constexpr std::uint64_t kProgressBytes = 16 << 20;
/// Rows of one MultiGet.
constexpr std::size_t kRowsAtOnce = 1000;
/// Contents that are held at once where only little is wanted of each.
constexpr std::uint64_t kHeldBytes = 1 << 20;
/// From so many rows on, and up to so many others for each of them, one pass over all is cheaper
/// than looking each up.
constexpr std::size_t kScanRowsMin = 16;
constexpr std::uint64_t kScanSpanMax = 4;

/// Trims are deletions of ranges that end below the oldest row: who begins there need not heed
/// them.
rocksdb::ReadOptions scan_options() {
  rocksdb::ReadOptions options;
  options.ignore_range_deletions = true;
  options.readahead_size = kReadAheadBytes;
  options.fill_cache = false;
  return options;
}

/// False: enough, no more rows are wanted.
using TakeRow =
    std::function<bool(std::size_t at, const rocksdb::Status&, const rocksdb::Slice& row)>;

/// Gets the rows of `keys` from `begin` on, at most kRowsAtOnce and ascending, each to `take`.
void multi_get(Store& store, rocksdb::ColumnFamilyHandle* family, rocksdb::ReadOptions options,
               const std::vector<std::string>& keys, std::size_t begin, const TakeRow& take) {
  options.value_size_soft_limit = kHeldBytes;
  while (begin < keys.size()) {
    const std::vector<rocksdb::Slice> slices(keys.begin() + static_cast<std::ptrdiff_t>(begin),
                                             keys.end());
    std::vector<rocksdb::PinnableSlice> values(slices.size());
    std::vector<rocksdb::Status> statuses(slices.size());
    store.db().MultiGet(options, family, slices.size(), slices.data(), values.data(),
                        statuses.data(), /*sorted_input=*/true);
    std::size_t taken = 0;
    // Those that would have been too much come in the next round.
    for (; taken < slices.size() && !statuses[taken].IsAborted(); ++taken) {
      if (!take(begin + taken, statuses[taken], values[taken])) return;
    }
    if (taken == 0) {
      options.value_size_soft_limit = std::numeric_limits<std::uint64_t>::max();
    }
    begin += taken;
  }
}

/// The same in one pass over the rows from the first key to the last; equal keys get the same row.
/// Answers how many keys it came to: fewer than there are where a row between them cannot be read.
std::size_t scan(Store& store, rocksdb::ColumnFamilyHandle* family,
                 const rocksdb::ReadOptions& options, const std::vector<std::string>& keys,
                 const TakeRow& take) {
  const std::unique_ptr<rocksdb::Iterator> rows(store.db().NewIterator(options, family));
  std::size_t at = 0;
  for (rows->Seek(keys.front()); rows->Valid() && at < keys.size(); rows->Next()) {
    const std::string_view key = rows->key().ToStringView();
    for (; at < keys.size() && keys[at] < key; ++at) {
      if (!take(at, rocksdb::Status::NotFound(), {})) return keys.size();
    }
    // A number may be asked for twice.
    for (; at < keys.size() && keys[at] == key; ++at) {
      if (!take(at, rocksdb::Status::OK(), rows->value())) return keys.size();
    }
  }
  if (!rows->status().ok()) return at;
  for (; at < keys.size(); ++at) {
    if (!take(at, rocksdb::Status::NotFound(), {})) break;
  }
  return keys.size();
}

/// Fetches `chunk`, positions in `fetched` in ascending order of their numbers.
class Fetcher {
 public:
  Fetcher(Store& store, FailureLatch& latch, const Fetch& wanted, std::vector<Fetched>& fetched)
      : store_(store), latch_(latch), wanted_(wanted), fetched_(fetched) {}

  void fetch(const std::vector<std::size_t>& chunk) {
    if (bytes_ >= wanted_.bytes_max) return;
    std::vector<std::string> keys;
    keys.reserve(chunk.size());
    for (const std::size_t at : chunk) keys.push_back(row_key(fetched_[at].number));
    // Tasks that are due together were often added together, and their rows lie side by side.
    const std::uint64_t span = fetched_[chunk.back()].number - fetched_[chunk.front()].number;
    const bool dense = chunk.size() >= kScanRowsMin && span / kScanSpanMax < chunk.size();
    get(store_.contents(), keys, dense,
        [&](std::size_t i, const rocksdb::Status& status, const rocksdb::Slice& row) {
          content(fetched_[chunk[i]], status, row);
          return bytes_ < wanted_.bytes_max;
        });
    if (!wanted_.notes) return;
    get(store_.notes(), keys, dense,
        [&](std::size_t i, const rocksdb::Status& status, const rocksdb::Slice& row) {
          note(fetched_[chunk[i]], status, row);
          return true;
        });
  }

 private:
  void get(rocksdb::ColumnFamilyHandle* family, const std::vector<std::string>& keys, bool dense,
           const TakeRow& take) {
    rocksdb::ReadOptions options;
    options.fill_cache = !wanted_.in_background;
    const std::size_t taken = dense ? scan(store_, family, options, keys, take) : 0;
    if (taken < keys.size()) multi_get(store_, family, options, keys, taken, take);
  }

  /// Whether there is a row to look at.
  bool readable(const char* what, TaskNumber number, const rocksdb::Status& status) {
    if (status.ok() || status.IsNotFound()) return status.ok();
    if (status.IsCorruption()) {
      log_error("a row of a task is damaged",
                {{"row", what}, {"task_number", number}, {"why", status.ToString()}});
    } else {
      latch_.fail(
          fmt::format("reading the {} of task number {}: {}", what, number, status.ToString()));
    }
    return false;
  }

  void content(Fetched& one, const rocksdb::Status& status, const rocksdb::Slice& row) {
    one.left_out = false;
    if (readable("content", one.number, status)) {
      one.content = wanted_.heads ? head_of_content(row.ToStringView()) : row.ToString();
      bytes_ += one.content->size();
    } else if (status.IsCorruption()) {
      one.content.emplace();
    }
  }

  void note(Fetched& one, const rocksdb::Status& status, const rocksdb::Slice& row) {
    if (one.left_out || !readable("note", one.number, status)) return;
    auto note = decode_note(row.ToStringView());
    if (note) {
      one.note = std::move(*note);
    } else {
      log_error("a row of a task is damaged",
                {{"row", "note"}, {"task_number", one.number}, {"why", note.error().detail}});
    }
  }

  Store& store_;
  FailureLatch& latch_;
  const Fetch& wanted_;
  std::vector<Fetched>& fetched_;
  std::uint64_t bytes_ = 0;  // of contents that were read
};

}  // namespace

Result<LogExtent> read_batches(Store& store, Sequence from,
                               const std::function<void(Batch&&)>& visit,
                               const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  auto expected = store.meta_number(meta::kOldest, 1);
  if (!expected) return expected.error();
  const auto clock = store.meta_number(meta::kClock, 0);
  if (!clock) return clock.error();
  LogExtent extent;
  extent.trim(*expected);
  Sequence next = 1;
  WallTime latest{};
  std::uint64_t total = 0;
  store.db().GetIntProperty(store.log(), "rocksdb.estimate-live-data-size", &total);
  std::uint64_t reported = 0;
  ReadAhead ahead(store, scan_options(), *expected);
  for (bool last = false; !last;) {
    ReadAhead::Portion& portion = ahead.next();
    for (std::size_t i = 0; i < portion.count; ++i) {
      ReadAhead::Row& row = portion.rows[i];
      extent.add(row.batch.first, row.bytes);
      next = row.batch.last() + 1;
      latest = std::max(latest, row.batch.at);
      if (row.batch.last() >= from) visit(std::move(row.batch));
      if (progress && extent.bytes() - reported >= kProgressBytes) {
        reported = extent.bytes();
        progress(reported, std::max(total, reported));
      }
    }
    if (!portion.end) return portion.end.error();
    last = portion.last;
  }
  if (const WallTime at{Millis(*clock)}; at > latest) {
    Batch time_alone;
    time_alone.first = next;
    time_alone.at = at;
    visit(std::move(time_alone));
  }
  if (progress) progress(extent.bytes(), extent.bytes());
  return extent;
}

namespace {

/// The rows from `from` on, or behind it, until `bytes` are read; at least one if there is one.
std::vector<Batch> read_some(Store& store, const rocksdb::ReadOptions& options, Sequence from,
                             std::uint64_t bytes, FailureLatch& latch) {
  std::vector<Batch> batches;
  std::uint64_t read = 0;
  const std::unique_ptr<rocksdb::Iterator> rows(store.db().NewIterator(options, store.log()));
  for (rows->Seek(row_key(from)); rows->Valid() && (batches.empty() || read < bytes);
       rows->Next()) {
    Batch batch;
    const Sequence expected = batches.empty() ? 0 : batches.back().last() + 1;
    if (const auto there = read_row(*rows, expected, batch); !there) {
      latch.fail(there.error().detail);
      return batches;
    }
    read += rows->value().size();
    batches.push_back(std::move(batch));
  }
  if (!rows->status().ok()) latch.fail("reading the log: " + rows->status().ToString());
  return batches;
}

}  // namespace

std::vector<Batch> read_oldest_batches(Store& store, Sequence oldest, std::uint64_t bytes,
                                       FailureLatch& latch) {
  return read_some(store, scan_options(), oldest, bytes, latch);
}

Result<std::vector<Batch>> read_batches_from(Store& store, Sequence from, std::uint64_t bytes,
                                             FailureLatch& latch) {
  // A trim may be under way: what it deletes must not be read in part.
  rocksdb::ReadOptions options = scan_options();
  options.ignore_range_deletions = false;
  std::vector<Batch> batches = read_some(store, options, from, bytes, latch);
  if (batches.empty() || batches.front().first != from) return trimmed_error(from);
  return batches;
}

std::vector<Fetched> fetch_rows(Store& store, const Fetch& wanted, FailureLatch& latch) {
  const std::vector<TaskNumber>& numbers = wanted.numbers;
  std::vector<Fetched> fetched(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    fetched[i].number = numbers[i];
    fetched[i].left_out = true;
  }
  std::vector<std::size_t> order(numbers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return numbers[a] < numbers[b]; });
  Fetcher fetcher(store, latch, wanted, fetched);
  for (std::size_t at = 0; at < order.size(); at += kRowsAtOnce) {
    const std::size_t end = std::min(order.size(), at + kRowsAtOnce);
    const auto begin = order.begin();
    fetcher.fetch(
        {begin + static_cast<std::ptrdiff_t>(at), begin + static_cast<std::ptrdiff_t>(end)});
  }
  return fetched;
}

}  // namespace carillon
