// The log: where a batch becomes durable, and where a shard's past is read from.
//
// Operation: `append` makes one Batch durable, whole or not at all, and then calls back; at most
// one is under way. It ends in one of two ways. Committed: it is durable. Fenced: the shard has
// another owner by now, whose batch stands in its place, and it never will be. Where a back end
// cannot tell at first, because an answer was lost for instance, it finds out before it calls back,
// however long that takes. Whoever is fenced discards its shard and builds it anew from `read`.
//
// On one node the batch's records are one row of a RocksDB write that also puts its contents and
// notes and deletes what is forgotten or trimmed, all under one sync. `read` replays the batches in
// order, `follow` waits for those to come; `fetch` reads contents and notes back.
//
// Concurrency: every member is called from the loop's thread; callbacks come back on it, through
// the `post` that the back end was given. Nothing here blocks that thread except `open`, `read` and
// `close`, which are for start and stop.
//
// Limitations: on one node an append that fails ends the process (the back end cannot know what the
// disk holds, and an fsync must not be tried again), so there is no error to handle: `on_failure`
// says what to log.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "shard/record.h"

namespace carillon {

/// Runs a function on the loop's thread, soon, never inside the call. Thread-safe.
using Post = std::function<void(std::function<void()>)>;

/// What to read back.
struct Fetch {
  std::vector<TaskNumber> numbers;
  bool notes = false;  // too
  /// Contents without body and headers, for whoever just shows what a task is.
  bool heads = false;
  /// Reads no further once contents come to so many bytes. At least one is read.
  std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max();
  /// On a thread of its own that yields to the others, so that nothing due waits behind it.
  bool in_background = false;
};

/// What the reader brings of one task.
struct Fetched {
  TaskNumber number = 0;
  bool left_out = false;               // not read, because of `bytes_max`
  std::optional<std::string> content;  // absent: no such row
  std::optional<Note> note;
};

/// Sizes for stats and metrics.
struct LogStats {
  std::uint64_t log_bytes = 0;     // rows of the log that are not trimmed, encoded
  std::uint64_t disk_bytes = 0;    // files of the data directory
  std::uint64_t commits = 0;       // since the start
  std::uint64_t commit_bytes = 0;  // handed to commits since the start
  std::uint64_t memory_bytes = 0;  // of the back end: memtables, caches
  std::uint64_t free_bytes = 0;    // on the data directory's disk
  bool low_on_space =
      false;  // so little space, there or in the stream, that what nobody waits for should go
  bool short_of_space = false;  // so little that nothing that can wait should be added
};

enum class Appended { committed, fenced };
using AppendDone = std::function<void(Appended how, Batch&& batch)>;

/// What comes next in the log. Error slug `trimmed`: that is no longer there.
using Followed = std::function<void(Result<std::vector<Batch>>)>;
[[nodiscard]] inline Error trimmed_error(Sequence from) {
  return {"trimmed", "the log has no batch any more that begins at " + std::to_string(from), ""};
}

class Log {
 public:
  virtual ~Log() = default;

  /// The log's identity and secret, with which ids are hashed: made with the log, and the same in
  /// each of its copies.
  [[nodiscard]] virtual SipKey key() const = 0;

  /// Calls `visit` with every batch from the one that holds `from` on, in order. Blocks; before the
  /// first append, or after one that was fenced. `progress` is called now and then with bytes read
  /// and bytes in all. Error slug `storage`: a batch that cannot be read or decoded, a gap, or a
  /// log that ends before the highest sequence known to be synced. The message says what and how to
  /// go on.
  [[nodiscard]] virtual Result<> read(
      Sequence from, const std::function<void(Batch&&)>& visit,
      const std::function<void(std::uint64_t, std::uint64_t)>& progress) = 0;

  /// Reads the batches from `from` on, at least one, until `bytes` are read: records, and no
  /// contents. Where there is none yet, waits for the next that is committed, by whomever. `from`
  /// is where a batch begins: behind the last that the caller has. Not called back after `close`.
  virtual void follow(Sequence from, std::uint64_t bytes, Followed done) = 0;

  /// Makes `batch` durable, then calls `done` with it (so that its memory is used again). The
  /// batch's records must follow the last appended one without a gap. One at a time: not before the
  /// last `done`, and none after one that was fenced. A trim leaves the newest batch that has
  /// records, whatever it asks for, so that the sequences go on after a restart; `done` gets the
  /// `trim_before` that was carried out. Of a batch without records its time is kept, and `read`
  /// ends with it where it is the latest.
  virtual void append(Batch&& batch, AppendDone done) = 0;

  /// Reads contents and notes; `done` gets one answer for each number, in the order given.
  virtual void fetch(Fetch wanted, std::function<void(std::vector<Fetched>)> done) = 0;

  /// Reads the oldest batches, at least one if there is one, until `bytes` are read. For cleaning.
  virtual void read_oldest(std::uint64_t bytes, std::function<void(std::vector<Batch>)> done) = 0;

  /// Writes a consistent copy, openable as a data directory, into `dir`, which must not exist.
  virtual void checkpoint(std::string dir, std::function<void(Result<>)> done) = 0;

  [[nodiscard]] virtual LogStats stats() const = 0;

  /// Ends the threads after what is under way, syncs and closes. Nothing may be called afterwards.
  virtual void close() = 0;
};

}  // namespace carillon
