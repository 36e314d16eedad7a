// Whether a mirror is a copy of this stream, and what becomes of one that is too old.
//
// Concurrency: blocks; for `read`, while nothing is fed or appended.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "storage/jetstream/client.h"
#include "storage/jetstream/message.h"
#include "storage/rocksdb_log.h"

namespace carillon {

/// Compares the message at `end`, a mirror's last, with the stream's. No error: the mirror can be
/// brought up to the stream's end; or, where the stream begins beyond the place after `end`, is to
/// be built anew. The answer is what the leader said. Errors: `network`: NATS did not answer within
/// `patience`; `storage`: the stream ends below the mirror, as its leader has said for `patience`,
/// or has another message there. The detail says how to go on.
[[nodiscard]] Result<StreamExtent> compare_with_mirror(JetstreamClient& nats,
                                                       const StreamName& stream,
                                                       const Genesis& genesis,
                                                       const StreamPosition& end,
                                                       std::chrono::milliseconds patience);

/// What an operator does about a stream that is not what its mirror is a copy of.
[[nodiscard]] std::string how_to_go_on(const StreamName& stream);

/// Opens an empty mirror in place of the one in `options.dir`, which is closed.
[[nodiscard]] Result<std::unique_ptr<Mirror>> open_mirror_anew(const RocksdbLogOptions& options);
/// What is left of that where it was cut short.
void remove_left_over_mirror(const std::string& dir);

}  // namespace carillon
