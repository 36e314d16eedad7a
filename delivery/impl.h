// Delivery's inside. delivery.cc: how an attempt begins and ends; opening.cc: how it comes by a
// connection.
#pragma once

#include <deque>
#include <map>
#include <unordered_map>

#include <boost/intrusive/list.hpp>

#include "delivery/connection.h"
#include "delivery/delivery.h"
#include "delivery/route.h"
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

class Delivery::Impl final : public PushConnection::Events {
 public:
  Impl(boost::asio::io_context& loop, Clock& clock, UrlPolicy& urls, Options options)
      : loop_(loop),
        clock_(clock),
        urls_(urls),
        options_(std::move(options)),
        resolver_(std::make_unique<Resolver>(loop, options_.resolving, options_.lookup)),
        next_address_(loop, Millis(250)),
        drain_patience_(loop, options_.drain_timeout),
        alive_(std::make_shared<bool>(true)) {}
  ~Impl() override { stop(); }

  void push(Push push, std::function<void(PushResult)> done);
  void reload_files() { routes_.forget_tls_files(); }
  void stop();
  [[nodiscard]] DeliveryStats stats() const { return stats_; }

 private:
  using Moment = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kFailedOnMax = 4096;

  // delivery.cc
  [[nodiscard]] Attempt& new_attempt();
  [[nodiscard]] Result<> start(Attempt& attempt);
  void send(Attempt& attempt);
  void connected(PushConnection& connection) override;
  void answered(PushConnection& connection, PushConnection::After after) override;
  void drained(PushConnection& connection) override;
  void failed(PushConnection& connection, std::string why) override;
  void expired(Attempt& attempt);
  [[nodiscard]] PushResult judge(const AnswerReader& answer) const;
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

  boost::asio::io_context& loop_;
  Clock& clock_;
  UrlPolicy& urls_;
  Options options_;
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
