#include "storage/rocksdb_log.h"

#include <rocksdb/convenience.h>
#include <rocksdb/env.h>

#include "base/check.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/thread.h"
#include "storage/checkpoint.h"
#include "storage/committer.h"
#include "storage/dir_watch.h"
#include "storage/open_store.h"
#include "storage/row_reader.h"
#include "storage/worker.h"

namespace carillon {

namespace {

/// How old sizes in stats may be, and how much may be committed meanwhile.
constexpr std::chrono::seconds kSizesAge{1};
constexpr std::uint64_t kSizesBytes = 16 << 20;

/// Somebody who waits for the batch that begins at `from`.
struct Follower {
  Sequence from = 0;
  std::uint64_t bytes = 0;
  Followed done;
};

/// Of the loop's thread, and alive as long as a callback that was posted to it may run.
struct LoopState {
  std::vector<Follower> followers;
  bool in_flight = false;
  bool closed = false;
  /// Guards `end` and `extent` while a mirror is read on another thread: batches that were written
  /// before may still arrive on the loop's. Everything else looks at them before or after that.
  std::mutex mutex;
  LogEnd end;
  LogExtent extent;
};

class RocksdbLog final : public Mirror {
 public:
  RocksdbLog(RocksdbLogOptions options, std::unique_ptr<FailureLatch> latch, OpenStore opened,
             Sync sync)
      : post_(std::move(options.post)),
        latch_(std::move(latch)),
        opened_(std::move(opened)),
        opened_at_{opened_.stream, opened_.end},
        disk_free_min_(options.disk_free_min),
        loop_(std::make_shared<LoopState>()) {
    loop_->end = opened_.end;
    committer_.emplace(*opened_.store, *opened_.mark, *latch_, opened_.end.last, sync);
    measure();
    reader_.emplace("reader");
    browser_.emplace("browser");
    browser_->post(yield_to_others);
    housekeeper_.emplace("housekeeper");
    if (options.env == nullptr) watch_.emplace(opened_.dir, *opened_.store, *latch_);
  }
  ~RocksdbLog() override { close(); }

  [[nodiscard]] SipKey key() const override { return opened_.key; }

  [[nodiscard]] Result<> read(
      Sequence from, const std::function<void(Batch&&)>& visit,
      const std::function<void(std::uint64_t, std::uint64_t)>& progress) override {
    auto extent = read_batches(*opened_.store, from, visit, progress);
    if (!extent) {
      Error error = std::move(extent.error()).in(opened_.dir.path);
      error.detail += ". " + how_to_go_on(opened_.dir);
      return error;
    }
    const auto end = opened_.store->log_end();
    if (!end) return end.error();
    const std::lock_guard lock(loop_->mutex);
    loop_->extent = std::move(*extent);
    loop_->end = *end;
    return {};
  }

  void follow(Sequence from, std::uint64_t bytes, Followed done) override;
  void append(Batch&& batch, AppendDone done) override;
  void fetch(Fetch wanted, std::function<void(std::vector<Fetched>)> done) override;
  void read_oldest(std::uint64_t bytes, std::function<void(std::vector<Batch>)> done) override;
  void checkpoint(std::string dir, std::function<void(Result<>)> done) override;
  [[nodiscard]] LogStats stats() const override;
  void close() override;

  [[nodiscard]] const MirrorEnd& opened_at() const override { return opened_at_; }
  void write(Batch&& batch, const StreamPosition& position,
             std::function<void(Batch&&)> written) override;
  [[nodiscard]] std::vector<Fetched> fetch_now(const Fetch& wanted) override {
    return fetch_rows(*opened_.store, wanted, *latch_);
  }
  [[nodiscard]] StreamPlace oldest_place() override;
  void detach() override;

 private:
  /// What a commit did to the log; on the loop's thread.
  struct Step {
    Sequence first = 0;
    Sequence last = 0;  // 0: no records
    Sequence trim_before = 0;
    std::uint64_t row_bytes = 0;
  };
  [[nodiscard]] Step durable(const Batch& batch, std::uint64_t row_bytes);
  void advance(const Step& step);
  void measure();
  void measure_space();
  void reclaim(Sequence before);

  Post post_;
  std::unique_ptr<FailureLatch> latch_;
  OpenStore opened_;
  const MirrorEnd opened_at_;
  const std::uint64_t disk_free_min_;
  std::shared_ptr<LoopState> loop_;
  // Sizes as last measured, by the housekeeper.
  std::atomic<std::uint64_t> disk_bytes_ = 0;
  std::atomic<std::uint64_t> memory_bytes_ = 0;
  std::atomic<std::uint64_t> free_bytes_ = 0;
  std::atomic<std::uint64_t> committed_bytes_ = 0;  // when that was so
  bool short_of_space_ = false;
  mutable std::atomic<bool> measuring_ = false;
  mutable std::chrono::steady_clock::time_point measured_at_{};
  // The threads; last, so that they end first.
  std::optional<Committer> committer_;
  std::optional<Worker> reader_;
  std::optional<Worker> browser_;
  mutable std::optional<Worker> housekeeper_;
  std::optional<DirWatch> watch_;
};

void RocksdbLog::append(Batch&& batch, AppendDone done) {
  CARILLON_CHECK(!loop_->in_flight);
  CARILLON_CHECK(batch.records.empty() || batch.first == loop_->end.last + 1);
  const Sequence newest = batch.records.empty() ? loop_->end.first : batch.first;
  batch.trim_before = std::min(batch.trim_before, newest);
  loop_->in_flight = true;
  committer_->append(std::move(batch), std::nullopt,
                     [this, done = std::move(done)](Batch&& its, std::uint64_t row_bytes) {
                       const Step step = durable(its, row_bytes);
                       auto shared = std::make_shared<Batch>(std::move(its));
                       post_([this, loop = loop_, step, shared, done = std::move(done)] {
                         loop->in_flight = false;
                         if (!loop->closed) advance(step);
                         done(Appended::committed, std::move(*shared));
                       });
                     });
}

void RocksdbLog::write(Batch&& batch, const StreamPosition& position,
                       std::function<void(Batch&&)> written) {
  committer_->append(std::move(batch), position,
                     [this, written = std::move(written)](Batch&& its, std::uint64_t row_bytes) {
                       post_([this, loop = loop_, step = durable(its, row_bytes)] {
                         if (!loop->closed) advance(step);
                       });
                       written(std::move(its));
                     });
}

RocksdbLog::Step RocksdbLog::durable(const Batch& batch, std::uint64_t row_bytes) {
  if (batch.trim_before > 0) {
    CARILLON_FAILPOINT("trim.durable");
    housekeeper_->post([this, before = batch.trim_before] { reclaim(before); });
  }
  const Sequence last = batch.records.empty() ? 0 : batch.last();
  return {batch.first, last, batch.trim_before, row_bytes};
}

void RocksdbLog::advance(const Step& step) {
  {
    const std::lock_guard lock(loop_->mutex);
    if (step.trim_before > 0) loop_->extent.trim(step.trim_before);
    // A mirror may have been read since it was written.
    if (step.last <= loop_->end.last) return;
    loop_->end = {step.first, step.last};
    loop_->extent.add(step.first, step.row_bytes);
  }
  for (Follower& one : std::exchange(loop_->followers, {})) {
    follow(one.from, one.bytes, std::move(one.done));
  }
}

StreamPlace RocksdbLog::oldest_place() {
  const std::unique_ptr<rocksdb::Iterator> rows(
      opened_.store->db().NewIterator(rocksdb::ReadOptions(), opened_.store->meta()));
  rows->Seek(place_key(0));
  if (!rows->Valid() || !rows->key().starts_with(meta::kPlace)) return 0;
  return decode_meta_number(rows->value().ToStringView()).value_or(0);
}

void RocksdbLog::fetch(Fetch wanted, std::function<void(std::vector<Fetched>)> done) {
  Worker& thread = wanted.in_background ? *browser_ : *reader_;
  thread.post([this, wanted = std::move(wanted), done = std::move(done)] {
    auto fetched = fetch_rows(*opened_.store, wanted, *latch_);
    post_([fetched = std::move(fetched), done]() mutable { done(std::move(fetched)); });
  });
}

void RocksdbLog::read_oldest(std::uint64_t bytes, std::function<void(std::vector<Batch>)> done) {
  reader_->post([this, oldest = loop_->extent.oldest(), bytes, done = std::move(done)] {
    auto batches = read_oldest_batches(*opened_.store, oldest, bytes, *latch_);
    if (latch_->failed()) return;
    post_([batches = std::move(batches), done]() mutable { done(std::move(batches)); });
  });
}

void RocksdbLog::follow(Sequence from, std::uint64_t bytes, Followed done) {
  if (from > loop_->end.last) {
    loop_->followers.push_back({from, bytes, std::move(done)});
    return;
  }
  browser_->post([this, loop = loop_, from, bytes, done = std::move(done)] {
    auto batches = read_batches_from(*opened_.store, from, bytes, *latch_);
    if (latch_->failed()) return;
    post_([loop, batches = std::move(batches), done]() mutable {
      if (!loop->closed) done(std::move(batches));
    });
  });
}

void RocksdbLog::checkpoint(std::string dir, std::function<void(Result<>)> done) {
  housekeeper_->post([this, dir = std::move(dir), done = std::move(done)] {
    auto written =
        write_checkpoint(*opened_.store, opened_.dir, DataDir{dir}, committer_->committed());
    post_([written = std::move(written), done] { done(written); });
  });
}

void RocksdbLog::reclaim(Sequence before) {
  const std::string begin = row_key(0);
  const std::string end = row_key(before);
  const rocksdb::Slice begin_slice = begin;
  const rocksdb::Slice end_slice = end;
  const auto status = rocksdb::DeleteFilesInRange(&opened_.store->db(), opened_.store->log(),
                                                  &begin_slice, &end_slice, /*include_end=*/false);
  // The rows are gone already; only their space is not.
  if (!status.ok()) {
    log_warning("files of the trimmed log are not given back yet", {{"why", status.ToString()}});
  }
  CARILLON_FAILPOINT("trim.reclaimed");
}

void RocksdbLog::measure() {
  rocksdb::DB& db = opened_.store->db();
  std::vector<rocksdb::Env::FileAttributes> files;
  std::uint64_t disk = 0;
  if (db.GetEnv()->GetChildrenFileAttributes(opened_.dir.db(), &files).ok()) {
    for (const auto& file : files) disk += file.size_bytes;
  }
  std::uint64_t memtables = 0;
  std::uint64_t readers = 0;
  std::uint64_t cache = 0;  // one for all families
  db.GetAggregatedIntProperty("rocksdb.cur-size-all-mem-tables", &memtables);
  db.GetAggregatedIntProperty("rocksdb.estimate-table-readers-mem", &readers);
  db.GetIntProperty("rocksdb.block-cache-usage", &cache);
  disk_bytes_ = disk;
  memory_bytes_ = memtables + readers + cache;
  measure_space();
  measuring_ = false;
}

void RocksdbLog::measure_space() {
  std::uint64_t free = 0;
  const std::uint64_t committed = committer_->commit_bytes();
  const bool known = opened_.store->db().GetEnv()->GetFreeSpace(opened_.dir.path, &free).ok();
  free_bytes_ = known ? free : std::numeric_limits<std::uint64_t>::max();
  committed_bytes_ = committed;
  const bool short_now = free_bytes_ < disk_free_min_;
  if (short_now == short_of_space_) return;
  short_of_space_ = short_now;
  log_warning(short_now ? "the disk is nearly full; adds are refused"
                        : "the disk has space again; adds are taken",
              {{"free_mib", free >> 20}, {"disk_free_min_mib", disk_free_min_ >> 20}});
}

LogStats RocksdbLog::stats() const {
  const auto now = std::chrono::steady_clock::now();
  const std::uint64_t since = committer_->commit_bytes() - committed_bytes_;
  if (!measuring_ && (now - measured_at_ >= kSizesAge || since >= kSizesBytes)) {
    measuring_ = true;
    measured_at_ = now;
    housekeeper_->post([self = const_cast<RocksdbLog*>(this)] { self->measure(); });
  }
  LogStats stats;
  stats.log_bytes = loop_->extent.bytes();
  stats.disk_bytes = disk_bytes_;
  stats.commits = committer_->commits();
  stats.commit_bytes = committer_->commit_bytes();
  stats.memory_bytes = memory_bytes_;
  stats.free_bytes = free_bytes_ - std::min<std::uint64_t>(free_bytes_, since);
  stats.low_on_space = stats.free_bytes < 2 * disk_free_min_;
  stats.short_of_space = stats.free_bytes < disk_free_min_;
  return stats;
}

void RocksdbLog::detach() {
  loop_->closed = true;
  loop_->followers.clear();
}

void RocksdbLog::close() {
  if (!opened_.store) return;
  if (!loop_->closed) detach();
  if (watch_) watch_->close();
  reader_->close();
  browser_->close();
  committer_->close();
  housekeeper_->close();
  CARILLON_FAILPOINT("close.threads_ended");
  if (!latch_->failed()) {
    if (const auto flushed = opened_.store->flush(); !flushed) {
      log_error("the last flush failed; the next start reads the write-ahead log instead",
                {{"why", flushed.error().detail}});
    }
  }
  CARILLON_FAILPOINT("close.flushed");
  opened_.store.reset();
  opened_.mark.reset();
  opened_.lock.reset();
}

}  // namespace

namespace {

Result<std::unique_ptr<Mirror>> open(RocksdbLogOptions options, Sync sync) {
  auto latch = std::make_unique<FailureLatch>(options.on_failure);
  StoreOptions store_options;
  store_options.env = options.env;
  store_options.block_cache_bytes = options.block_cache_bytes;
  store_options.wal_ahead_bytes = options.wal_ahead_bytes;
  auto opened = open_data_dir(DataDir{options.dir}, store_options, options.key, latch.get());
  if (!opened) return opened.error();
  return std::unique_ptr<Mirror>(
      new RocksdbLog(std::move(options), std::move(latch), std::move(*opened), sync));
}

}  // namespace

Result<std::unique_ptr<Log>> open_rocksdb_log(RocksdbLogOptions options) {
  auto opened = open(std::move(options), Sync::each_commit);
  if (!opened) return opened.error();
  return std::unique_ptr<Log>(std::move(*opened));
}

Result<std::unique_ptr<Mirror>> open_mirror(RocksdbLogOptions options) {
  return open(std::move(options), Sync::before_the_mark);
}

}  // namespace carillon
