#include "delivery/delivery.h"

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/intrusive/list.hpp>

#include "delivery/connection.h"
#include "delivery/request.h"
#include "delivery/route.h"
#include "net/deadlines.h"
#include "net/resolver.h"
#include "net/url.h"

namespace carillon {

namespace intrusive = boost::intrusive;

namespace {

constexpr Millis kConnectTimeoutMax = std::chrono::seconds(5);
// A connection costs some 40 us of the loop's time on a machine whose receiver is on it, too. When
// thousands are wanted at once, everything else has its turn after each few.
constexpr int kOpenedPerTurn = 16;
// Of the addresses that a name resolves to, how many are tried for one push.
constexpr std::size_t kEndpointsMax = 4;

}  // namespace

/// One push under way. Used again, for the storage in it.
struct Attempt : intrusive::list_base_hook<intrusive::link_mode<intrusive::safe_link>> {
  template <typename Expired>
  explicit Attempt(Expired expired) : deadline(std::move(expired)) {}

  Push push;
  std::function<void(PushResult)> done;
  std::shared_ptr<const Route> route;
  Destination own_destination;               // where the task brings its own URL
  const Destination* destination = nullptr;  // that, or the route's
  std::shared_ptr<PushConnection> connection;
  bool on_used_connection = false;
  Deadline deadline;
};

class Delivery::Impl final : public PushConnection::Events {
 public:
  Impl(boost::asio::io_context& loop, Clock& clock, Options options)
      : loop_(loop),
        clock_(clock),
        options_(std::move(options)),
        resolver_(std::make_unique<Resolver>(loop, options_.lookup)),
        idle_patience_(loop, options_.idle_timeout),
        alive_(std::make_shared<bool>(true)) {}
  ~Impl() override { stop(); }

  void push(Push push, std::function<void(PushResult)> done);
  [[nodiscard]] Result<std::string_view> check_url(std::string_view text);
  void set_egress(Egress egress);
  void stop();
  [[nodiscard]] DeliveryStats stats() const { return stats_; }

 private:
  /// A URL taken apart. Tasks name the same few again and again, and taking one apart and holding
  /// it against the egress rules costs more than all else that is done for an add.
  struct Known {
    Url url;
    std::string origin;
    bool allowed = false;  // by the egress rules as they are
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  static constexpr std::size_t kKnownMax = 4096;

  [[nodiscard]] Result<Known*> know(std::string_view text);
  [[nodiscard]] Attempt& new_attempt();
  [[nodiscard]] Result<> start(Attempt& attempt);
  [[nodiscard]] Result<> find_way(Attempt& attempt);
  [[nodiscard]] bool use_idle(Attempt& attempt);
  [[nodiscard]] Result<> open_in_turn(Attempt& attempt);
  void open_more();
  void open_more_later();
  [[nodiscard]] Result<> open_connection(Attempt& attempt);
  void resolved(PushConnection& connection, const Result<Resolver::Addresses>& addresses);
  [[nodiscard]] Result<> connect(Attempt& attempt, const Resolver::Addresses& addresses);
  void send(Attempt& attempt);

  void connected(PushConnection& connection) override;
  void answered(PushConnection& connection, bool reusable) override;
  void failed(PushConnection& connection, std::string why) override;
  void expired(Attempt& attempt);
  [[nodiscard]] PushResult judge(const AnswerReader& answer) const;
  void fail_later(Attempt& attempt, std::string why);
  void finish(Attempt& attempt, PushResult result);

  void keep_idle(PushConnection& connection);
  bool close_idle();
  void close(PushConnection& connection);
  [[nodiscard]] Deadlines& deadlines(Millis length);

  boost::asio::io_context& loop_;
  Clock& clock_;
  Options options_;
  DeliveryStats stats_;
  Routes routes_;
  std::unordered_map<std::string, Known, TextHash, std::equal_to<>> known_;
  std::unique_ptr<Resolver> resolver_;
  // The pools in which attempts wait for a connection to be opened, each in turn.
  std::deque<std::shared_ptr<Pool>> opening_;
  int opened_ = 0;             // in this turn of the loop
  bool opening_more_ = false;  // the next turn is posted
  std::map<Millis, Deadlines> deadlines_;
  Deadlines idle_patience_;
  std::deque<Attempt> attempts_;  // all there are, under way or spare
  std::vector<Attempt*> spare_;
  intrusive::list<Attempt> under_way_;
  std::shared_ptr<bool> alive_;  // empty once stopped
};

// Starting an attempt.

void Delivery::Impl::push(Push push, std::function<void(PushResult)> done) {
  if (!alive_) return;
  Attempt& attempt = new_attempt();
  attempt.push = std::move(push);
  attempt.done = std::move(done);
  ++stats_.in_flight;
  if (Result<> ok = start(attempt); !ok) fail_later(attempt, ok.error().detail);
}

Attempt& Delivery::Impl::new_attempt() {
  if (spare_.empty()) {
    const auto next = attempts_.size();
    attempts_.emplace_back([this, next] { expired(attempts_[next]); });
    spare_.push_back(&attempts_.back());
  }
  Attempt& attempt = *spare_.back();
  spare_.pop_back();
  under_way_.push_back(attempt);
  return attempt;
}

Result<> Delivery::Impl::start(Attempt& attempt) {
  if (Result<> ok = find_way(attempt); !ok) return ok;
  deadlines(attempt.push.target->timeout).arm(attempt.deadline);
  if (use_idle(attempt)) return {};
  return open_in_turn(attempt);
}

bool Delivery::Impl::use_idle(Attempt& attempt) {
  Pool& pool = *attempt.destination->pool;
  const Millis age_max = attempt.push.target->connection_max_age;
  while (!pool.idle.empty()) {
    const std::shared_ptr<PushConnection> connection = std::move(pool.idle.back());
    pool.idle.pop_back();
    if (std::chrono::steady_clock::now() - connection->opened_at() >= age_max) {
      close(*connection);
      continue;
    }
    connection->attempt = &attempt;
    attempt.connection = connection;
    attempt.on_used_connection = true;
    ++stats_.connections_reused;
    send(attempt);
    return true;
  }
  return false;
}

Result<> Delivery::Impl::open_in_turn(Attempt& attempt) {
  if (opened_ < kOpenedPerTurn && opening_.empty()) {
    ++opened_;
    open_more_later();
    return open_connection(attempt);
  }
  const std::shared_ptr<Pool>& pool = attempt.destination->pool;
  if (pool->waiting.empty()) opening_.push_back(pool);
  pool->waiting.push_back(&attempt);
  return {};
}

/// One turn: pool after pool, so that one with thousands of attempts keeps no other waiting.
void Delivery::Impl::open_more() {
  opening_more_ = false;
  opened_ = 0;
  while (opened_ < kOpenedPerTurn && !opening_.empty()) {
    const std::shared_ptr<Pool> pool = std::move(opening_.front());
    opening_.pop_front();
    if (pool->waiting.empty()) continue;  // their time was up
    Attempt& attempt = *pool->waiting.front();
    pool->waiting.pop_front();
    if (!pool->waiting.empty()) opening_.push_back(pool);
    if (use_idle(attempt)) continue;
    ++opened_;
    if (Result<> ok = open_connection(attempt); !ok) fail_later(attempt, ok.error().detail);
  }
  if (opened_ > 0 || !opening_.empty()) open_more_later();
}

void Delivery::Impl::open_more_later() {
  if (std::exchange(opening_more_, true)) return;
  boost::asio::post(loop_, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) open_more();
  });
}

Result<> Delivery::Impl::find_way(Attempt& attempt) {
  Result<std::shared_ptr<const Route>> route = routes_.route(attempt.push.target);
  if (!route) return route.error();
  attempt.route = *std::move(route);
  if (attempt.route->destination) {
    attempt.destination = &*attempt.route->destination;
    return {};
  }
  const Result<Known*> known = know(attempt.push.content.target);
  if (!known) return known.error();
  attempt.own_destination = routes_.destination((*known)->url, attempt.push.target->tls);
  attempt.destination = &attempt.own_destination;
  return {};
}

Result<> Delivery::Impl::open_connection(Attempt& attempt) {
  Pool& pool = *attempt.destination->pool;
  if (Result<> ok = options_.egress.check_host(pool.host); !ok) return ok;
  Result<TlsContext> tls = routes_.tls_context(pool);
  if (!tls) return tls.error();
  if (stats_.connections_open >= options_.connections_max) close_idle();
  auto connection = std::make_shared<PushConnection>(loop_, *this, *tls);
  connection->attempt = &attempt;
  attempt.connection = connection;
  attempt.on_used_connection = false;
  ++stats_.connections_open;
  resolver_->resolve(pool.lookup_name,
                     [this, connection](const Result<Resolver::Addresses>& found) {
                       if (connection->attempt != nullptr) resolved(*connection, found);
                     });
  return {};
}

void Delivery::Impl::resolved(PushConnection& connection,
                              const Result<Resolver::Addresses>& found) {
  Attempt& attempt = *connection.attempt;
  Result<> ok = found ? connect(attempt, *found) : Result<>(found.error());
  if (ok) return;
  close(connection);
  finish(attempt, {.error = ok.error().detail});
}

/// Connects to the addresses that the rules allow, and to no other that the name might have by now.
Result<> Delivery::Impl::connect(Attempt& attempt, const Resolver::Addresses& addresses) {
  const Pool& pool = *attempt.destination->pool;
  std::vector<boost::asio::ip::tcp::endpoint> endpoints;
  Result<> refused = Error{.slug = "network", .detail = pool.host + " has no address", .field = {}};
  for (const boost::asio::ip::address& address : addresses) {
    const boost::asio::ip::tcp::endpoint endpoint(address, pool.port);
    if (Result<> ok = options_.egress.check_endpoint(pool.host, endpoint); !ok) {
      refused = ok;
    } else if (endpoints.size() < kEndpointsMax) {
      endpoints.push_back(endpoint);
    }
  }
  if (endpoints.empty()) return refused;
  const Millis whole = std::min(attempt.push.target->timeout, kConnectTimeoutMax);
  const Millis each = std::max(whole / std::ssize(endpoints), Millis(1));
  attempt.connection->connect(std::move(endpoints), pool.host, deadlines(each));
  return {};
}

void Delivery::Impl::send(Attempt& attempt) {
  PushConnection& connection = *attempt.connection;
  std::string& head = connection.head();
  head.clear();
  append_request_head(head, attempt.push, attempt.destination->url, options_.user_agent,
                      clock_.real(), attempt.route->signer);
  connection.send(attempt.push.content.body);
}

// How it goes on.

void Delivery::Impl::connected(PushConnection& connection) {
  ++stats_.connections_made;
  send(*connection.attempt);
}

void Delivery::Impl::answered(PushConnection& connection, bool reusable) {
  Attempt& attempt = *connection.attempt;
  PushResult result = judge(connection.answer());
  if (reusable) {
    keep_idle(connection);
  } else {
    close(connection);
  }
  finish(attempt, std::move(result));
}

void Delivery::Impl::failed(PushConnection& connection, std::string why) {
  if (connection.attempt == nullptr) {
    std::erase_if(connection.pool->idle,
                  [&](const auto& idle) { return idle.get() == &connection; });
    --stats_.connections_open;
    return;
  }
  Attempt& attempt = *connection.attempt;
  const std::uint32_t status = connection.answer().status();
  close(connection);
  // A receiver may close a kept connection just as it is used again: that says nothing about this
  // push, so it goes out once more on a new one.
  const bool stale = attempt.on_used_connection && !connection.answer_began();
  if (stale || (connection.lacked_descriptor() && close_idle())) {
    attempt.connection.reset();
    Result<> ok = open_in_turn(attempt);
    if (ok) return;
    why = ok.error().detail;
  }
  finish(attempt, {.http_status = status, .error = std::move(why)});
}

void Delivery::Impl::expired(Attempt& attempt) {
  std::string why = "no answer within " + format_duration(attempt.push.target->timeout);
  if (!attempt.connection) {
    std::erase(attempt.destination->pool->waiting, &attempt);
    return finish(attempt, {.error = std::move(why)});
  }
  const std::uint32_t status = attempt.connection->answer().status();
  if (status != 0)
    why = "no end of the answer within the timeout, status " + std::to_string(status);
  close(*attempt.connection);
  finish(attempt, {.http_status = status, .error = std::move(why)});
}

PushResult Delivery::Impl::judge(const AnswerReader& answer) const {
  using Kind = PushResult::Kind;
  constexpr std::uint32_t kGone = 410;
  PushResult result{.http_status = answer.status()};
  if (result.http_status >= 200 && result.http_status < 300) {
    result.kind = Kind::delivered;
    return result;
  }
  result.kind = result.http_status == kGone ? Kind::refused_for_good : Kind::failed;
  result.retry_after = parse_retry_after(answer.retry_after(), clock_.real());
  result.error = "answered " + std::to_string(result.http_status);
  return result;
}

void Delivery::Impl::fail_later(Attempt& attempt, std::string why) {
  attempt.deadline.disarm();
  boost::asio::post(
      loop_, [this, alive = std::weak_ptr<bool>(alive_), &attempt, why = std::move(why)]() mutable {
        if (!alive.expired()) finish(attempt, {.error = std::move(why)});
      });
}

/// Ends with the callback, which may do anything: push again, stop, destroy.
void Delivery::Impl::finish(Attempt& attempt, PushResult result) {
  const std::function<void(PushResult)> done = std::move(attempt.done);
  attempt.done = nullptr;
  attempt.deadline.disarm();
  attempt.push = Push();
  attempt.route.reset();
  attempt.own_destination.pool.reset();
  attempt.connection.reset();
  under_way_.erase(under_way_.iterator_to(attempt));
  spare_.push_back(&attempt);
  --stats_.in_flight;
  done(std::move(result));
}

// Connections.

void Delivery::Impl::keep_idle(PushConnection& connection) {
  const std::shared_ptr<Pool>& pool = connection.attempt->destination->pool;
  if (pool->idle.size() >= options_.idle_connections_max) return close(connection);
  connection.attempt = nullptr;
  connection.pool = pool.get();
  connection.expect_use(idle_patience_);
  pool->idle.push_back(connection.shared_from_this());
}

/// Whether there was one.
bool Delivery::Impl::close_idle() {
  const auto idle = routes_.take_idle();
  for (const auto& connection : idle) close(*connection);
  return !idle.empty();
}

/// Of one that no pool has.
void Delivery::Impl::close(PushConnection& connection) {
  connection.attempt = nullptr;
  connection.close();
  --stats_.connections_open;
}

Deadlines& Delivery::Impl::deadlines(Millis length) {
  return deadlines_.try_emplace(length, loop_, length).first->second;
}

// Rules and end.

Result<Delivery::Impl::Known*> Delivery::Impl::know(std::string_view text) {
  if (const auto found = known_.find(text); found != known_.end()) return &found->second;
  Result<Url> url = parse_url(text);
  if (!url) return url.error();
  if (known_.size() >= kKnownMax) known_.clear();
  std::string origin = url->origin();
  return &known_.emplace(text, Known{*std::move(url), std::move(origin)}).first->second;
}

Result<std::string_view> Delivery::Impl::check_url(std::string_view text) {
  const Result<Known*> found = know(text);
  if (!found) return found.error();
  Known& known = **found;
  if (!known.allowed) {
    if (Result<> ok = options_.egress.check_host(known.url.host); !ok) return ok.error();
    known.allowed = true;
  }
  return std::string_view(known.origin);
}

void Delivery::Impl::set_egress(Egress egress) {
  options_.egress = std::move(egress);
  known_.clear();
  routes_.forget_tls_files();
}

void Delivery::Impl::stop() {
  alive_.reset();
  resolver_.reset();
  for (Attempt& attempt : under_way_) {
    attempt.deadline.disarm();
    if (attempt.connection) close(*attempt.connection);
  }
  close_idle();
  for (const auto& pool : opening_) pool->waiting.clear();
  opening_.clear();
  under_way_.clear();
  spare_.clear();
  stats_.in_flight = 0;
  // Last, for what the callbacks hold goes with them.
  attempts_.clear();
}

Delivery::Delivery(boost::asio::io_context& loop, Clock& clock, Options options)
    : impl_(std::make_unique<Impl>(loop, clock, std::move(options))) {}
Delivery::~Delivery() = default;

void Delivery::push(Push push, std::function<void(PushResult)> done) {
  impl_->push(std::move(push), std::move(done));
}
Result<std::string_view> Delivery::check_url(std::string_view url) {
  return impl_->check_url(url);
}
void Delivery::set_egress(Egress egress) {
  impl_->set_egress(std::move(egress));
}
void Delivery::stop() {
  impl_->stop();
}
DeliveryStats Delivery::stats() const {
  return impl_->stats();
}

}  // namespace carillon
