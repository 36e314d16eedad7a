// The log of a shard that several nodes may own, one after the other: a stream of NATS JetStream.
//
// Operation: the stream is the log; what each node has on its disk is a mirror of it
// (storage/mirror.h), from which batches, contents and notes are read. `read` looks first whether
// the mirror is a copy of this very stream, brings it up to the stream's end, and then replays it.
// `follow` has the mirror fed with what others append. Neither makes a node the owner: that is
// `take_over`, an append of its own, which succeeds only at exactly the end that the caller has
// come to. From then on the mirror gets what this node appends, and every other node's appends are
// fenced.
//
// A mirror that the stream was trimmed past is built anew by `read`. One that the stream cannot
// have led to (it ends below the mirror, or its chain of hashes breaks) is refused, untouched: the
// message says how to go on.
//
// A batch's Keeps restate tasks whose content stands in a part of the stream that may be trimmed
// next, so these contents and notes are appended again before it, as messages of their own. The
// trim is carried out once the batch is committed: the stream is purged up to the first message
// that still belongs to a batch.
//
// Concurrency: as storage/log.h. Appends and their resolution run on one thread, following and
// purging on another, and the mirror has its own.
//
// Space: while this node is the owner it looks every second how full the stream and the account
// are. From 70 % on finished tasks are forgotten early, from 80 % on nothing is added: the rest is
// for cancels, outcomes and what restates the oldest, without which nothing could be trimmed.
//
// Limitations: an append waits for NATS however long that takes. The trim asks no follower: one
// that was overtaken is told `trimmed`, and has to `read` again. `stats` are the mirror's, but for
// what they say of space.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "storage/jetstream/client.h"
#include "storage/jetstream/message.h"
#include "storage/log.h"
#include "storage/rocksdb_log.h"

namespace carillon {

struct JetstreamLogOptions {
  JetstreamClient* nats = nullptr;  // must outlive the log
  StreamName stream;                // which is there: see JetstreamClient::create
  Genesis genesis;
  RocksdbLogOptions mirror;  // its key is the genesis's
  /// What a task may have at most: NATS has to take a message that holds one, with its headers.
  std::uint64_t content_bytes_max = std::uint64_t{1} << 20;
  /// Contents that are restated go out in messages of about so many bytes.
  std::uint64_t restated_bytes_max = std::uint64_t{512} << 10;
  /// For so long `read` waits for a stream that is away, or ends below its mirror.
  std::chrono::milliseconds patience = std::chrono::seconds(60);
};

class JetstreamLog : public Log {
 public:
  /// Makes this node the owner, as `incarnation`, of the shard that it has read or followed up to,
  /// but without, sequence `next`. `at` is not before any time that the log has said. Fenced:
  /// somebody has appended since, or has been appending all along. Needed before `append`, and
  /// anew after each `read` and each append that was fenced; not while an append is under way.
  virtual void take_over(Sequence next, WallTime at, const Hash128& incarnation,
                         std::function<void(Appended)> done) = 0;

  /// How far this node has come in the stream. Any thread.
  [[nodiscard]] virtual StreamPosition position() const = 0;

  /// Waits for NATS no longer: an append that is not decided yet ends as fenced, though it may be
  /// committed, and so do all that follow. Any thread.
  virtual void give_up() = 0;
  /// Nothing is called back any more. On the loop's thread; after it `close` may be on any.
  virtual void detach() = 0;
};

/// Whether the servers of NATS take messages that hold such a task. Error slug: config.
[[nodiscard]] Result<> check_max_payload(const JetstreamClient& nats,
                                         std::uint64_t content_bytes_max);

/// Error slugs: `storage`, as of the mirror; `config`: the NATS server takes too small messages.
[[nodiscard]] Result<std::unique_ptr<JetstreamLog>> open_jetstream_log(JetstreamLogOptions options);

}  // namespace carillon
