// Compare-and-append: puts a message at one place of a stream, or finds another there.
//
// Operation: the message is sent with the place that the stream must end at, so that of all who
// want the next place one gets it. An acknowledgement of just that place is believed. Whatever else
// is answered decides nothing (an error may come from a server that has been replaced, or be about
// a message that is not kept in the end): what lies at the place decides. Our own bytes: committed.
// Other ones, or a stream that begins beyond it: fenced. Neither: the same bytes are sent again,
// which does no harm, since they can be taken at that one place alone. After 3 s
// without an answer, and after 10 s in any case, the connection is left for another server.
//
// Concurrency: `append` on one thread; `close` from any.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string_view>

#include "storage/jetstream/client.h"
#include "storage/log.h"

namespace carillon {

class StreamAppender {
 public:
  /// `nats` must outlive it.
  StreamAppender(JetstreamClient& nats, StreamName stream)
      : nats_(nats), stream_(std::move(stream)) {}

  /// Appends `bytes`, which no other message has, at `place`. Blocks until that is decided.
  /// Nothing: `close` was called first, or `patience` is over.
  [[nodiscard]] std::optional<Appended> append(
      StreamPlace place, std::string_view bytes,
      std::chrono::milliseconds patience = std::chrono::milliseconds::max());
  /// Ends an `append` that is under way, soon.
  void close();

 private:
  /// What lies at `place`; nothing: nothing does. An error: no server answered.
  [[nodiscard]] Result<std::optional<Appended>> look(StreamPlace place, std::string_view bytes);
  /// False: `close` was called.
  [[nodiscard]] bool pause(std::chrono::milliseconds time);

  JetstreamClient& nats_;
  const StreamName stream_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
};

}  // namespace carillon
