#include "tools/replay/rebuild.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

#include <fmt/format.h>
#include <rocksdb/env.h>

#include "base/text.h"
#include "storage/bytes.h"
#include "storage/record_codec.h"
#include "storage/store.h"
#include "storage/synced_mark.h"

namespace carillon::replay {

namespace {

constexpr std::size_t kTasksAtOnce = 1000;
constexpr std::size_t kBytesAtOnce = std::size_t{4} << 20;

/// Gathers records and rows, and writes them as batches.
class Writer {
 public:
  Writer(Store& store, Sequence first, WallTime at) : store_(store), first_(first) {
    batch_.first = first;
    batch_.at = at;
  }

  Result<> add(Record record) {
    batch_.records.push_back(std::move(record));
    if (batch_.records.size() < kTasksAtOnce && rows_.GetDataSize() < kBytesAtOnce) return {};
    return write();
  }
  Result<> add(rocksdb::ColumnFamilyHandle* family, std::uint64_t number, std::string_view row) {
    return check(rows_.Put(family, row_key(number), row));
  }

  Result<> write() {
    if (!batch_.records.empty()) {
      std::string row;
      encode_batch(batch_, row);
      if (auto added = add(store_.log(), batch_.first, row); !added) return added;
      batch_.first = batch_.last() + 1;
      batch_.records.clear();
    }
    const auto written = check(store_.db().Write(rocksdb::WriteOptions(), &rows_));
    rows_.Clear();
    return written;
  }

  /// Writes the rest and where the log begins. The last sequence.
  Result<Sequence> finish() {
    auto done = check(rows_.Put(store_.meta(), meta::kOldest, encode_meta_number(first_)));
    if (done) done = write();
    if (done) done = check(store_.db().FlushWAL(/*sync=*/true));
    if (done) done = store_.flush();
    if (!done) return done.error();
    return batch_.first - 1;
  }

 private:
  static Result<> check(const rocksdb::Status& status) {
    if (!status.ok()) return status_error(status, "writing the new database");
    return {};
  }

  Store& store_;
  Sequence first_;
  Batch batch_;
  rocksdb::WriteBatch rows_;
};

struct Rebuilt {
  SavedTasks tasks;
  std::vector<TaskNumber> numbers;  // of the tasks saved, ascending
  std::uint64_t pending = 0;
  Sequence last = 0;
};

Result<> copy_settings(Inspection& inspection, Writer& writer) {
  for (const LaneState& lane : inspection.history->shard().lanes().all()) {
    if (!lane.stands()) continue;
    if (auto added = writer.add(lane.settings); !added) return added;
  }
  for (const auto* target : inspection.history->shard().named_targets()) {
    if (auto added = writer.add(target->settings); !added) return added;
  }
  const History& history = *inspection.history;
  for (const record::Operation& done : history.shard().operations(history.last_at())) {
    if (auto added = writer.add(done); !added) return added;
  }
  return {};
}

Result<> copy_tasks(Inspection& inspection, Store& store, Writer& writer, Rebuilt& rebuilt,
                    ProgressLine& progress) {
  Result<> done;
  rebuilt.tasks = for_each_task_kept(
      *inspection.history, *inspection.salvage,
      [&](const Statement& task, const TaskContent&, std::string_view row) {
        if (pending(task)) ++rebuilt.pending;
        rebuilt.numbers.push_back(task.number);
        done = writer.add(store.contents(), task.number, row);
        if (done) done = writer.add(record::Keep{task});
        return done.has_value();
      },
      progress.of("copying tasks"));
  return done;
}

Result<> copy_notes(Inspection& inspection, Store& store, Writer& writer, const Rebuilt& rebuilt,
                    ProgressLine& progress) {
  Result<> done;
  for_each_note(
      *inspection.salvage,
      [&](TaskNumber number, std::string_view row, const Note&) {
        const auto& numbers = rebuilt.numbers;
        if (!std::binary_search(numbers.begin(), numbers.end(), number)) return true;
        done = writer.add(store.notes(), number, row);
        return done.has_value();
      },
      progress.of("copying notes"));
  return done;
}

Result<Rebuilt> fill(Inspection& inspection, const DataDir& to, const SipKey& key,
                     ProgressLine& progress) {
  rocksdb::Env* env = rocksdb::Env::Default();
  if (auto made = make_data_dir(env, to); !made) return made.error();
  if (auto wrote = write_format(env, to); !wrote) return wrote.error();
  auto store = Store::open(to.db(), StoreMode::create, StoreOptions(), nullptr);
  if (!store) return store.error();
  if (auto wrote = (*store)->initialize(key); !wrote) return wrote.error();
  const History& history = *inspection.history;
  Writer writer(**store, inspection.next(), history.last_at());
  Rebuilt rebuilt;
  auto done = copy_settings(inspection, writer);
  if (done) done = copy_tasks(inspection, **store, writer, rebuilt, progress);
  if (done) done = copy_notes(inspection, **store, writer, rebuilt, progress);
  if (!done) return done.error();
  const auto last = writer.finish();
  if (!last) return last.error();
  rebuilt.last = *last;
  if (auto wrote = SyncedMark::create(env, to.path, to.mark(), *last); !wrote) return wrote.error();
  return rebuilt;
}

}  // namespace

int rebuild(Inspection& inspection, const std::string& new_dir, ProgressLine& progress) {
  if (std::filesystem::exists(new_dir)) {
    return fail(storage_error(new_dir + ": exists already; name a directory that does not"));
  }
  const auto key = inspection.key();
  if (!key) return fail(key.error());
  const auto rebuilt = fill(inspection, DataDir{new_dir}, *key, progress);
  if (!rebuilt) return fail(rebuilt.error());
  std::cout << fmt::format("rebuilt {} with {}, {} of them pending, up to sequence {}\n", new_dir,
                           counted(rebuilt->tasks.saved, "task", "tasks"),
                           grouped(rebuilt->pending), rebuilt->last);
  report_losses(inspection, rebuilt->tasks);
  return inspection.log_is_whole() && rebuilt->tasks.lost.empty() ? kDone : kLost;
}

}  // namespace carillon::replay
