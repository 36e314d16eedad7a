// The committer: the thread on which batches become durable.
//
// Operation: one batch at a time is encoded, written and synced as one RocksDB write, and handed
// back through `post`. While none waits, the mark (storage/synced_mark.h) is brought up to date;
// under load that happens every 50 ms. A mirror's commits are not synced one by one, but about once
// a second, before the mark.
//
// Concurrency: `append` from the loop's thread, one at a time; `close` once. `post` and the latch
// are called from the committer's thread.
//
// Limitations: a failure is final: the batch is never acknowledged, nor any after it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include <rocksdb/write_batch.h>

#include "storage/failure_latch.h"
#include "storage/log.h"
#include "storage/store.h"
#include "storage/synced_mark.h"

namespace carillon {

enum class Sync { each_commit, before_the_mark };

class Committer {
 public:
  /// Called on the committer's thread with the batch, durable, and the bytes of its row.
  using Durable = std::function<void(Batch&&, std::uint64_t row_bytes)>;

  /// All must outlive it. `last`: the last sequence that is durable already.
  Committer(Store& store, SyncedMark& mark, FailureLatch& latch, Sequence last, Sync sync);
  ~Committer();

  /// `batch.trim_before` leaves at least one row of the log. `position`: of a mirror.
  void append(Batch&& batch, const std::optional<StreamPosition>& position, Durable durable);
  /// Ends the thread after what is under way, with the mark exact. Idempotent.
  void close();

  /// Durable up to here. Any thread.
  [[nodiscard]] Sequence committed() const { return committed_; }
  [[nodiscard]] std::uint64_t commits() const { return commits_; }
  [[nodiscard]] std::uint64_t commit_bytes() const { return commit_bytes_; }

 private:
  struct Job {
    Batch batch;
    std::optional<StreamPosition> position;
    Durable durable;
  };

  void run();
  void commit(Job job);
  [[nodiscard]] rocksdb::Status fill(const Batch& batch);
  [[nodiscard]] rocksdb::Status fill_trim(const Batch& batch);
  [[nodiscard]] rocksdb::Status fill_position(const Batch& batch, const StreamPosition& position);
  [[nodiscard]] Sequence oldest_after_trim(const Batch& batch);
  void write_mark();

  Store& store_;
  SyncedMark& mark_;
  FailureLatch& latch_;
  const Sync sync_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Job> job_;
  bool closing_ = false;

  // Of the committer's thread.
  rocksdb::WriteBatch rows_;
  std::string row_;
  std::chrono::steady_clock::time_point marked_at_{};

  std::atomic<Sequence> committed_;
  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> commit_bytes_ = 0;
  std::thread thread_;
};

}  // namespace carillon
