// The messages of a shard's stream, and how each hangs on the one before.
//
// Operation: a message begins with a header: format version, kind, cluster id, epoch, nonce, and
// the hash of the message before it. Then it says what its kind says:
//
//     batch      a batch, whole: records (the row of storage/record_codec.h), contents, notes,
//                what is forgotten, and how far the log may be trimmed
//     contents   contents and notes that were there already, for the batch that comes next: what
//                its Keeps restate, where all of it would be too much for one message
//     take-over  a node owns the shard from here on, in an epoch of its own
//
// It ends in a checksum. No two messages are the same, because of their nonces: whoever finds his
// own bytes in the stream knows that it was he who put them there. The hashes make a chain: a
// stream that lost a message, or got one from elsewhere, is known as broken.
//
// Epochs begin with 1; each take-over has the next. A message of an older epoch came from an owner
// that had not yet heard: it counts for nothing, and may hang on a message that never was.
//
// Layout: docs/on-disk-format.md. Concurrency: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/siphash.h"
#include "shard/record.h"
#include "storage/stream_position.h"

namespace carillon {

/// What all streams of a cluster have in common, fixed when it is made.
struct Genesis {
  Hash128 cluster;
  SipKey key{};  // with which ids, groups, targets and messages are hashed
};

struct StreamMessage {
  /// Numbers are for ever.
  enum class Kind : std::uint8_t { batch = 1, contents = 2, take_over = 3 };
  Kind kind = Kind::batch;
  Hash128 cluster;
  std::uint64_t epoch = 0;
  Hash128 nonce;
  Hash128 previous;  // of the message before; all 0: there is none
  Batch batch;       // of a take-over only its time; of contents only these, notes, time and first
  std::uint64_t contents_before = 0;  // of a batch: so many messages of contents belong to it
  Hash128 incarnation;                // of a take-over: of the node that the shard belongs to now
};

[[nodiscard]] std::string encode_message(const StreamMessage& message);

/// Takes exactly what `encode_message` makes or once made. Error slug `storage`, with the byte at
/// fault.
[[nodiscard]] Result<StreamMessage> decode_message(std::string_view bytes);

/// By which the next message names this one.
[[nodiscard]] Hash128 hash_of_message(const Genesis& genesis, std::string_view bytes);

/// Whether a message at `place` counts, read by who has come to `at`, place and hash of the message
/// before it; at place 0, whatever comes may be the first. False: of an older epoch. Error slug
/// `storage`: of another cluster, or the chain is broken.
[[nodiscard]] Result<bool> check_next(const Genesis& genesis, const StreamPosition& at,
                                      StreamPlace place, const StreamMessage& message);

/// What nobody can foresee: for nonces and identities.
[[nodiscard]] Hash128 random_hash();

/// `hash` as people see it.
[[nodiscard]] std::string hex_of(const Hash128& hash);

}  // namespace carillon
