// A sink: where pushes go in, and from where each outcome comes back.
//
// Operation: `push` starts one attempt and calls back once, later, with what came of it. A sink
// does not queue, count slots or try again: the shard fires a task only when its target has a free
// slot, and decides by the result whether it comes again. An attempt ends only when its message can
// no longer leave, so a task that is cancelled after a failed attempt stays cancelled. Each kind of
// receiver has a sink (delivery/kind.h); `Delivery` (delivery/delivery.h) is the sink of all kinds.
//
// Concurrency: one loop's thread; calls back on it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/time.h"
#include "delivery/target.h"
#include "net/resolver.h"
#include "net/url_policy.h"
#include "wheel/task.h"

namespace carillon {

/// One attempt: of one task, or of several in one push (delivery/batch.h).
struct Push {
  std::shared_ptr<const TargetSettings> target;
  /// The row that `content` points into; kept until the push is over.
  std::shared_ptr<const std::string> row;
  TaskContent content;
  WallTime due{};  // as asked
  std::uint32_t attempt = 1;
  /// So many tasks are in its body; 0: the body is a task's own.
  std::uint32_t tasks = 0;
  /// How much of the answer's body is wanted in the result. If any, the push is over only when it
  /// has come, or its time is up.
  std::size_t answer_body_bytes = 0;
};

/// Why a receiver wants to be left alone for a while.
enum class NotNow : std::uint8_t { too_many_requests, unavailable };

struct PushResult {
  enum class Kind { delivered, failed, refused_for_good };
  Kind kind = Kind::failed;
  /// Where `kind` is failed: the receiver only asked to be left alone for a while.
  std::optional<NotNow> not_now{};
  std::optional<Millis> retry_after{};  // what the receiver asked for, in full, as a pause from now
  std::uint32_t status = 0;             // the receiver's answer as a number; 0: none came
  bool may_be_seen = false;   // bytes of the push went out, so a receiver may have acted on it
  std::string answer_body{};  // as much as was wanted
  /// Where a body was wanted: its content type, once the head has come.
  std::optional<std::string> answer_type{};
  bool answer_is_whole = false;  // the body came to its end
  std::string error{};           // for a person: "connect to 10.0.0.7:443: connection refused"
};

struct DeliveryStats {
  std::uint64_t in_flight = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t connections_made = 0;
  std::uint64_t connections_reused = 0;
};

/// What every sink is opened with. What it refers to must outlive the sink.
struct SinkOptions {
  boost::asio::io_context& loop;
  Clock& clock;
  UrlPolicy& urls;
  /// At as many, and where the process has no descriptor left, those that are idle are closed to
  /// make room. Pushes under way are never in another's way: bound them elsewhere.
  std::size_t connections_max = 20'000;
  Resolver::Options resolving{};
  Resolver::Lookup lookup = system_lookup;  // of host names
  std::string user_agent = "carillon";
};

class Sink {
 public:
  Sink() = default;
  virtual ~Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  /// Starts one attempt. `done` is called once, later, never inside this call; not at all after
  /// `stop`.
  virtual void push(Push push, std::function<void(PushResult)> done) = 0;
  /// New connections read the files that targets name again.
  virtual void reload_files() = 0;
  /// Drops every connection and attempt without calling back.
  virtual void stop() = 0;
  [[nodiscard]] virtual DeliveryStats stats() const = 0;
};

}  // namespace carillon
