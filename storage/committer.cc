#include "storage/committer.h"

#include "base/check.h"
#include "base/failpoint.h"
#include "base/thread.h"
#include "storage/note.h"
#include "storage/record_codec.h"

namespace carillon {

namespace {

using std::chrono::steady_clock;

/// With no batch for so long, the mark is written.
constexpr std::chrono::milliseconds kIdle{5};
/// Under load the mark is written this often.
constexpr std::chrono::milliseconds kMarkEvery{50};
/// Both of a mirror, whose mark costs a sync.
constexpr std::chrono::milliseconds kMirrorMarkEvery{1000};
/// Buffers that grew beyond this are given back after the batch.
constexpr std::size_t kBufferBytesMax = 4 << 20;

}  // namespace

Committer::Committer(Store& store, SyncedMark& mark, FailureLatch& latch, Sequence last, Sync sync)
    : store_(store), mark_(mark), latch_(latch), sync_(sync), committed_(last), thread_([this] {
        begin_thread("committer");
        ask_for_short_slices();
        run();
      }) {}

Committer::~Committer() {
  close();
}

void Committer::append(Batch&& batch, const std::optional<StreamPosition>& position,
                       Durable durable) {
  {
    const std::lock_guard lock(mutex_);
    CARILLON_CHECK(!job_);
    job_ = Job{std::move(batch), position, std::move(durable)};
  }
  changed_.notify_one();
}

void Committer::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Committer::run() {
  std::unique_lock lock(mutex_);
  const auto woken = [this] { return job_ || closing_; };
  const bool each = sync_ == Sync::each_commit;
  while (true) {
    const bool exact = mark_.sequence() == committed_ || latch_.failed();
    if (exact) {
      changed_.wait(lock, woken);
    } else {
      changed_.wait_for(lock, each ? kIdle : kMirrorMarkEvery, woken);
    }
    if (!job_ && exact) return;
    std::optional<Job> job = std::exchange(job_, std::nullopt);
    lock.unlock();
    if (job) {
      commit(std::move(*job));
      if (steady_clock::now() - marked_at_ >= (each ? kMarkEvery : kMirrorMarkEvery)) write_mark();
    } else {
      write_mark();
    }
    lock.lock();
  }
}

void Committer::commit(Job job) {
  if (latch_.failed()) return;
  auto status = fill(job.batch);
  if (status.ok() && job.position) status = fill_position(job.batch, *job.position);
  rocksdb::WriteOptions options;
  options.sync = sync_ == Sync::each_commit;
  CARILLON_FAILPOINT("commit.before_write");
  if (status.ok()) status = store_.db().Write(options, &rows_);
  if (!status.ok()) {
    latch_.fail("a commit failed, nothing is acknowledged any more: " + status.ToString());
    return;
  }
  if (latch_.failed()) return;
  CARILLON_FAILPOINT("commit.written");
  if (!job.batch.records.empty()) committed_ = job.batch.last();
  ++commits_;
  commit_bytes_ += rows_.GetDataSize();
  const std::uint64_t row_bytes = row_.size();
  if (rows_.GetDataSize() > kBufferBytesMax) rows_ = rocksdb::WriteBatch();
  if (row_.capacity() > kBufferBytesMax) row_ = std::string();
  job.durable(std::move(job.batch), row_bytes);
}

rocksdb::Status Committer::fill(const Batch& batch) {
  rows_.Clear();
  row_.clear();
  rocksdb::Status status;
  if (!batch.records.empty()) {
    encode_batch(batch, row_);
    status = rows_.Put(store_.log(), row_key(batch.first), row_);
  } else if (batch.at > WallTime{}) {
    const auto at = static_cast<std::uint64_t>(batch.at.time_since_epoch().count());
    status = rows_.Put(store_.meta(), meta::kClock, encode_meta_number(at));
  }
  for (const ContentRow& content : batch.contents) {
    if (status.ok()) status = rows_.Put(store_.contents(), row_key(content.number), content.bytes);
  }
  for (const NoteRow& note : batch.notes) {
    if (status.ok()) {
      status = rows_.Put(store_.notes(), row_key(note.number), encode_note(note.note));
    }
  }
  for (const TaskNumber number : batch.forgotten) {
    const std::string key = row_key(number);
    if (status.ok()) status = rows_.Delete(store_.contents(), key);
    if (status.ok()) status = rows_.Delete(store_.notes(), key);
  }
  if (status.ok() && batch.trim_before > 0) status = fill_trim(batch);
  return status;
}

rocksdb::Status Committer::fill_trim(const Batch& batch) {
  auto status = rows_.DeleteRange(store_.log(), row_key(0), row_key(batch.trim_before));
  if (!status.ok()) return status;
  CARILLON_FAILPOINT("trim.before_write");
  return rows_.Put(store_.meta(), meta::kOldest, encode_meta_number(oldest_after_trim(batch)));
}

rocksdb::Status Committer::fill_position(const Batch& batch, const StreamPosition& position) {
  auto status = rows_.Put(store_.meta(), meta::kStream, encode_stream_position(position));
  if (status.ok() && !batch.records.empty()) {
    status = rows_.Put(store_.meta(), place_key(batch.first),
                       encode_meta_number(position.batch_begins_at));
    // A stream that was trimmed before it was mirrored.
    if (status.ok() && committed_ == 0 && batch.first > 1) {
      status = rows_.Put(store_.meta(), meta::kOldest, encode_meta_number(batch.first));
    }
  }
  if (status.ok() && batch.trim_before > 0) {
    status = rows_.DeleteRange(store_.meta(), place_key(0), place_key(batch.trim_before));
  }
  return status;
}

Sequence Committer::oldest_after_trim(const Batch& batch) {
  const std::unique_ptr<rocksdb::Iterator> rows(
      store_.db().NewIterator(rocksdb::ReadOptions(), store_.log()));
  rows->Seek(row_key(batch.trim_before));
  const auto kept = rows->Valid() ? row_number(rows->key().ToStringView()) : std::nullopt;
  return kept.value_or(batch.first);
}

void Committer::write_mark() {
  if (latch_.failed() || mark_.sequence() == committed_) return;
  if (sync_ == Sync::before_the_mark) {
    if (const auto synced = store_.db().SyncWAL(); !synced.ok()) {
      return latch_.fail("a sync failed: " + synced.ToString());
    }
  }
  CARILLON_FAILPOINT("mark.before_write");
  if (const auto written = mark_.write(committed_); !written) latch_.fail(written.error().detail);
  CARILLON_FAILPOINT("mark.written");
  marked_at_ = steady_clock::now();
}

}  // namespace carillon
