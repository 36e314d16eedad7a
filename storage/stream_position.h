// How far in a replicated stream something is.
//
// Concurrency: pure values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/siphash.h"
#include "wheel/task.h"

namespace carillon {

/// Which message of a stream: 1 is the first that it ever had.
using StreamPlace = std::uint64_t;

struct StreamPosition {
  StreamPlace place = 0;            // of the last message; 0: none yet
  Hash128 hash;                     // of that message
  std::uint64_t epoch = 0;          // of the owner in whose time it was appended
  StreamPlace batch_begins_at = 0;  // where the messages begin that belong to its batch
  friend bool operator==(const StreamPosition&, const StreamPosition&) = default;
};

/// The newest row of the log; all 0: there is none.
struct LogEnd {
  Sequence first = 0;
  Sequence last = 0;
};

/// Where a mirror ends, in the stream and in the log.
struct MirrorEnd {
  StreamPosition at;
  LogEnd log;
};

/// The position as its meta row holds it, without `batch_begins_at`. Error slug `storage`.
[[nodiscard]] std::string encode_stream_position(const StreamPosition& position);
[[nodiscard]] Result<StreamPosition> decode_stream_position(std::string_view row);

}  // namespace carillon
