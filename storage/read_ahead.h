// The log's rows, read and decoded on a thread of its own while the caller works on those before.
//
// Operation: a few portions of some thousand records go round: the thread fills them, `next` hands
// them out in order, and their memory is used again. Every row is checked for its place: its first
// sequence is its key, and the row before it ends there. The first row that cannot be had ends the
// reading; what was read before it is handed out first.
//
// Concurrency: made, asked and destroyed by one thread.
#pragma once

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "shard/record.h"
#include "storage/store.h"

namespace carillon {

/// The batch of a row, if it is whole and at its place, into `batch`, whose memory is used again.
/// `expected`: its first sequence, 0 for any.
[[nodiscard]] Result<> read_row(const rocksdb::Iterator& row, Sequence expected, Batch& batch);

class ReadAhead {
 public:
  struct Row {
    Batch batch;
    std::uint64_t bytes = 0;
  };
  /// Rows at [0, count) are there.
  struct Portion {
    std::vector<Row> rows;
    std::size_t count = 0;
    bool last = false;
    Result<> end;  // of the last: why there is no more
  };

  /// From the row of sequence `oldest` on, which has to be there unless there is none at all.
  ReadAhead(Store& store, const rocksdb::ReadOptions& options, Sequence oldest);
  ~ReadAhead();

  /// The next portion, to be used until the next call; none after the last.
  [[nodiscard]] Portion& next();

 private:
  void run();
  void fill(rocksdb::Iterator& rows, Portion& portion);
  /// False: nobody wants more.
  [[nodiscard]] bool wait_for_room();

  Store& store_;
  const rocksdb::ReadOptions options_;
  Sequence expected_;
  std::array<Portion, 4> ring_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t filled_ = 0;  // portions so far
  std::size_t taken_ = 0;   // of these, handed out; the last one is in use
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace carillon
