// Delivery: carries a fired task to its receiver and says how that went.
//
// Operation: `push` starts one attempt and later calls back once with what came of it. Delivery
// does not queue, count slots or retry: the shard fires a task only when its target has a free
// slot, and decides by the answer whether it comes again. Connections are kept alive in a pool per
// origin and used again. When many are wanted at once they are opened some in each turn of the
// loop, origin after origin: opening 5,000 in one go kept all other targets waiting for a quarter
// of a second.
//
// Each attempt is sent once. A kept connection may end just as it is used; whether the receiver
// read the push then, nobody can tell, so that is a failed attempt, and only where not one byte
// went out another connection is taken. That this stays rare: connections are used for a bounded
// time, idle ones are closed before most receivers would, and each is looked at before it is used.
//
// Addresses: pushes are spread over those that the receiver's name has, all of them are tried, and
// a retry prefers another one than the attempt before it (delivery/addresses.h, delivery/dial.h).
// The egress rules (net/url_policy.h) are asked for each new connection, and again for kept ones
// when the rules have changed. A push's time-out begins when its name is resolved; resolving has
// limits of its own (net/resolver.h).
//
// Concurrency: everything happens on the loop's thread that the constructor was given.
//
// Limitations: HTTP/1.1 only; redirects are answers, not followed; at most 16 KiB of an answer's
// head and 64 KiB of its body are read, then the connection is dropped.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "base/time.h"
#include "delivery/target.h"
#include "net/resolver.h"
#include "net/url_policy.h"
#include "wheel/task.h"

namespace carillon {

/// One attempt of one task.
struct Push {
  std::shared_ptr<const TargetSettings> target;
  /// The row that `content` points into; kept until the push is over.
  std::shared_ptr<const std::string> row;
  TaskContent content;
  WallTime due{};             // as asked; sent as carillon-due-at
  std::uint32_t attempt = 1;  // sent as carillon-attempt
  /// How much of the answer's body is wanted in the result. If any, the push is over only when it
  /// has come, or its time is up.
  std::size_t answer_body_bytes = 0;
};

struct PushResult {
  enum class Kind { delivered, failed, refused_for_good };
  Kind kind = Kind::failed;
  std::uint32_t http_status = 0;        // 0: no answer came
  std::optional<Millis> retry_after{};  // what the receiver asked for, in full, as a pause from now
  bool may_be_seen = false;   // bytes of the push went out, so a receiver may have acted on it
  std::string answer_body{};  // as much as was wanted
  std::string error{};        // for a person: "connect to 10.0.0.7:443: connection refused"
};

struct DeliveryStats {
  std::uint64_t in_flight = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t connections_made = 0;
  std::uint64_t connections_reused = 0;
};

class Delivery {
 public:
  struct Options {
    std::size_t idle_connections_max = 256;  // kept per origin
    /// Unless the receiver says how long it keeps one (Keep-Alive: timeout=...): less than the 5 s
    /// after which Node, Apache and uvicorn close theirs.
    Millis idle_timeout{std::chrono::seconds(4)};
    Millis drain_timeout{std::chrono::seconds(1)};  // for the rest of an answer
    /// At as many, and where the process has no descriptor left, those that are idle are closed to
    /// make room. Pushes under way are never in another's way: bound them elsewhere.
    std::size_t connections_max = 20'000;
    Resolver::Options resolving{};
    std::string user_agent = "carillon";
    Resolver::Lookup lookup = system_lookup;  // of host names
  };
  /// `urls` must outlive it.
  Delivery(boost::asio::io_context& loop, Clock& clock, UrlPolicy& urls, Options options);
  ~Delivery();
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  /// Starts one attempt. `done` is called once, later, never inside this call; not at all after
  /// `stop`.
  void push(Push push, std::function<void(PushResult)> done);

  /// New connections read the targets' TLS files again.
  void reload_files();

  /// Drops every connection and attempt without calling back.
  void stop();

  [[nodiscard]] DeliveryStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace carillon
