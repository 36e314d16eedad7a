// A node's own copy of a replicated stream: a RocksDB log whose batches are another log's.
//
// Operation: each message of the stream is written with `write`, in the stream's order: its batch
// in the rows that a log of one node has too, and in the same RocksDB write how far in the stream
// that is, with the hash of the message. So a restart knows where to go on, and whether the stream
// still is the one that it copied. Contents and notes are fetched, and batches read and followed,
// as of any log.
//
// What is written waits for no sync: the stream has it. After a loss of power the mirror ends a
// little earlier, and the mark (storage/synced_mark.h) says only what was synced, about once a
// second.
//
// Concurrency: as storage/log.h; `write` and `fetch_now` from any thread, one `write` at a time.
//
// Limitations: one stream a directory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "storage/log.h"
#include "storage/stream_position.h"

namespace carillon {

class Mirror : public Log {
 public:
  /// What the last `write` said, as it was when the mirror was opened.
  [[nodiscard]] virtual const MirrorEnd& opened_at() const = 0;

  /// Writes what a message brought and `position`, then calls `written` with the batch, on a thread
  /// of the mirror's. The batch may be empty; its records follow the last ones, or begin anywhere
  /// in a mirror that has none.
  virtual void write(Batch&& batch, const StreamPosition& position,
                     std::function<void(Batch&&)> written) = 0;

  /// Nothing is called back any more. On the loop's thread; after it `close` may be on any.
  virtual void detach() = 0;

  /// As `fetch`, at once, on the calling thread.
  [[nodiscard]] virtual std::vector<Fetched> fetch_now(const Fetch& wanted) = 0;

  /// Where in the stream that begins which belongs to the oldest batch that is left; 0: there is
  /// no batch. Blocks; any thread.
  [[nodiscard]] virtual StreamPlace oldest_place() = 0;
};

}  // namespace carillon
