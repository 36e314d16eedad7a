// Brings a stream's messages into its mirror, one after the other, for as long as it is wanted.
//
// Operation: a push consumer delivers from the place behind the mirror's end on. Each message is
// checked (storage/jetstream/message.h), written to the mirror, and only then counted. Where
// delivery stops or leaves a gap, another consumer is made. Two things end it for good: a stream
// that begins behind the place that is wanted (slug `trimmed`), and a message that must not stand
// there (slug `storage`).
//
// Concurrency: `run` on a thread of the owner's, which waits there; all else from another one.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

#include "storage/jetstream/client.h"
#include "storage/jetstream/message.h"
#include "storage/mirror.h"

namespace carillon {

class MirrorFeed {
 public:
  /// `nats` must outlive it.
  MirrorFeed(JetstreamClient& nats, StreamName stream, const Genesis& genesis);

  /// Is wanted from now on. True: it was not, so `run` has to be called.
  [[nodiscard]] bool start();
  /// Is no longer wanted; on return nothing is written any more. `run` returns soon.
  void stop();
  /// Feeds `mirror` until `stop`, or until it cannot go on, of which `failed` is told.
  void run(Mirror& mirror, const std::function<void(const Error&)>& failed);

  /// How far the mirror has come. May be set while the feed is stopped, which forgets a fault.
  [[nodiscard]] MirrorEnd end() const;
  /// The same of the stream, without waiting for what is being written.
  [[nodiscard]] StreamPosition position() const;
  void set_end(const MirrorEnd& end);
  [[nodiscard]] std::optional<Error> fault() const;

  /// Waits until the mirror has come to `place`. Errors: the fault; `network`: nothing came for
  /// `patience`.
  [[nodiscard]] Result<> wait_until(StreamPlace place, std::chrono::milliseconds patience);

 private:
  [[nodiscard]] bool wanted() const;
  void receive(StreamSubscription& subscription, Mirror& mirror);
  /// False: it was not the next one, so another consumer is needed.
  [[nodiscard]] bool take(const StreamSubscription::Received& received, Mirror& mirror);
  [[nodiscard]] Result<> apply(const StreamSubscription::Received& received, Mirror& mirror);
  void fail(Error error);
  void set_position(const StreamPosition& position);

  JetstreamClient& nats_;
  const StreamName stream_;
  const Genesis genesis_;
  mutable std::mutex position_mutex_;
  StreamPosition position_;
  mutable std::mutex mutex_;  // over what follows; also held while a message is written
  std::condition_variable changed_;
  MirrorEnd end_;
  bool wanted_ = false;
  std::optional<Error> fault_;
};

}  // namespace carillon
