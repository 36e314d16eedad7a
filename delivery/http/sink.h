// The sink of kind `http`: carries a fired task to its receiver in a request of its own.
//
// Operation: connections are kept alive in a pool per origin and used again. When many are wanted
// at once they are opened some in each turn of the loop, origin after origin: opening 5,000 in one
// go kept all other targets waiting for a quarter of a second.
//
// Each attempt is sent once. A kept connection may end just as it is used; whether the receiver
// read the push then, nobody can tell, so that is a failed attempt, and only where not one byte
// went out another connection is taken. That this stays rare: connections are used for a bounded
// time, idle ones are closed before most receivers would, and each is looked at before it is used.
//
// Addresses: pushes are spread over those that the receiver's name has, all of them are tried, and
// a retry prefers another one than the attempt before it (addresses.h, dial.h). The egress rules
// (net/url_policy.h) are asked for each new connection, and again for kept ones when the rules have
// changed. A push's time-out begins when its name is resolved; resolving has limits of its own
// (net/resolver.h).
//
// Concurrency: as delivery/sink.h.
//
// Limitations: HTTP/1.1 only; redirects are answers, not followed; at most 16 KiB of an answer's
// head and 64 KiB of its body (more where more is wanted) are read, then the connection is dropped.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "delivery/http/connection.h"
#include "delivery/http/route.h"
#include "delivery/sink.h"
#include "net/deadlines.h"
#include "net/resolver.h"
#include "net/url_policy.h"

namespace carillon {

/// One push under way. Used again, for the storage in it.
struct Attempt
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>> {
  template <typename Expired>
  explicit Attempt(Expired expired) : deadline(std::move(expired)) {}

  Push push;
  std::function<void(PushResult)> done;
  std::shared_ptr<const Route> route;
  Destination own_destination;               // where the task brings its own URL
  const Destination* destination = nullptr;  // that, or the route's
  std::shared_ptr<PushConnection> connection;
  std::optional<Addresses::Endpoint> avoid;    // where the attempt before this one failed
  std::optional<Addresses::Endpoint> address;  // where it goes, and counts
  bool on_used_connection = false;
  Deadline deadline;
};

class HttpSink final : public Sink, public PushConnection::Events {
 public:
  /// What only tests choose otherwise.
  struct Options {
    std::size_t idle_connections_max = 256;  // kept per origin
    /// Unless the receiver says how long it keeps one (Keep-Alive: timeout=...): less than the 5 s
    /// after which Node, Apache and uvicorn close theirs.
    Millis idle_timeout{std::chrono::seconds(4)};
    Millis drain_timeout{std::chrono::seconds(1)};  // for the rest of an answer
  };
  explicit HttpSink(const SinkOptions& options) : HttpSink(options, Options()) {}
  HttpSink(const SinkOptions& options, const Options& own);
  ~HttpSink() override { stop(); }

  void push(Push push, std::function<void(PushResult)> done) override;
  void reload_files() override { routes_.forget_tls_files(); }
  void stop() override;
  [[nodiscard]] DeliveryStats stats() const override { return stats_; }

 private:
  using Moment = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kFailedOnMax = 4096;

  // sink.cc
  [[nodiscard]] Attempt& new_attempt();
  [[nodiscard]] Result<> start(Attempt& attempt);
  void send(Attempt& attempt);
  void connected(PushConnection& connection) override;
  void answered(PushConnection& connection, PushConnection::After after) override;
  void drained(PushConnection& connection) override;
  void failed(PushConnection& connection, std::string why) override;
  void expired(Attempt& attempt);
  [[nodiscard]] PushResult judge(const AnswerReader& answer, std::string cut_short = {}) const;
  [[nodiscard]] static PushResult unsent(const Error& error);
  void fail_later(Attempt& attempt, Error error);
  void finish(Attempt& attempt, PushResult result);
  [[nodiscard]] std::optional<Addresses::Endpoint> failed_before_on(const Push& push);
  void note_way(const Attempt& attempt, const PushResult& result);

  // opening.cc
  [[nodiscard]] std::shared_ptr<const Proxy> proxy_for(const Pool& pool) const;
  [[nodiscard]] Result<> find_way(Attempt& attempt);
  [[nodiscard]] bool use_idle(Attempt& attempt);
  [[nodiscard]] std::shared_ptr<PushConnection> take_idle(Attempt& attempt);
  [[nodiscard]] bool is_usable(PushConnection& connection, const Attempt& attempt);
  [[nodiscard]] Result<> check_rules(PushConnection& connection, const Pool& pool) const;
  [[nodiscard]] Result<> open_in_turn(Attempt& attempt);
  void open_more();
  void open_more_later();
  [[nodiscard]] Result<> open_connection(Attempt& attempt);
  void resolved(PushConnection& connection, const Result<Resolver::Addresses>& found);
  [[nodiscard]] Result<> connect(Attempt& attempt, const Result<Resolver::Addresses>& found);
  [[nodiscard]] bool try_another(Attempt& attempt);
  void note_address(Attempt& attempt, const std::optional<Addresses::Endpoint>& address);
  void keep(PushConnection& connection, PushConnection::After after);
  void let_go(PushConnection& connection);
  bool close_unused();
  void close(PushConnection& connection);
  [[nodiscard]] Deadlines& deadlines(Millis length);

  const SinkOptions options_;
  const Options own_;
  DeliveryStats stats_;
  Routes routes_;
  std::unique_ptr<Resolver> resolver_;
  /// Where a task's last attempt failed, by its webhook id's hash; of receivers with more than one
  /// address.
  std::unordered_map<std::size_t, Addresses::Endpoint> failed_on_;

  // The pools in which attempts wait for a connection to be opened, each in turn.
  std::deque<std::shared_ptr<Pool>> opening_;
  int opened_ = 0;             // in this turn of the loop
  bool opening_more_ = false;  // the next turn is posted

  std::map<Millis, Deadlines> deadlines_;
  Deadlines next_address_;
  Deadlines drain_patience_;
  std::deque<Attempt> attempts_;  // all there are, under way or spare
  std::vector<Attempt*> spare_;
  boost::intrusive::list<Attempt> under_way_;
  std::shared_ptr<bool> alive_;  // empty once stopped
};

}  // namespace carillon
