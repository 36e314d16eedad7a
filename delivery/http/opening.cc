// How an attempt comes by a connection: one that is kept, or a new one in its turn.

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "delivery/http/sink.h"

namespace carillon {
namespace {

constexpr Millis kConnectTimeoutMax = std::chrono::seconds(5);
// A receiver that says how long it keeps connections is believed up to here.
constexpr std::chrono::seconds kIdleTimeoutMax{30};
// Before the receiver closes it.
constexpr std::chrono::seconds kIdleMargin{1};

// A connection costs some 40 us of the loop's time on a machine whose receiver is on it, too. When
// thousands are wanted at once, everything else has its turn after each few.
constexpr int kOpenedPerTurn = 16;

// Of the addresses that a name resolves to, how many are tried for one push.
constexpr std::size_t kEndpointsMax = 16;
// Where there is a choice, one address may take half of the time for connecting, or as little as a
// quarter.
constexpr std::ptrdiff_t kSharedAmong = 4;
// Of the pushes that find no idle connection to the address whose turn it is, each so many opens
// one: pushes are spread, and yet few of them wait for a connection.
constexpr int kSpreadEach = 8;

}  // namespace

Result<> HttpSink::find_way(Attempt& attempt) {
  Result<std::shared_ptr<const Route>> route = routes_.route(attempt.push.target);
  if (!route) return route.error();
  attempt.route = *std::move(route);
  if (attempt.route->destination) {
    attempt.destination = &*attempt.route->destination;
    return {};
  }
  const auto known = options_.urls.parse(attempt.push.content.target);
  if (!known) return known.error();
  attempt.own_destination = routes_.destination((*known)->url, attempt.route->http->tls);
  attempt.destination = &attempt.own_destination;
  return {};
}

std::shared_ptr<const Proxy> HttpSink::proxy_for(const Pool& pool) const {
  return pool.local ? nullptr : options_.urls.proxy();
}

// Kept connections.

bool HttpSink::use_idle(Attempt& attempt) {
  while (const std::shared_ptr<PushConnection> connection = take_idle(attempt)) {
    if (!is_usable(*connection, attempt)) {
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

/// One to the address whose turn it is; to another one only as far as that spreads the pushes, and
/// never to the one where the attempt before failed while there is a choice. Empty: none.
std::shared_ptr<PushConnection> HttpSink::take_idle(Attempt& attempt) {
  Pool& pool = *attempt.destination->pool;
  if (pool.idle.empty()) return {};
  auto chosen = pool.idle.end() - 1;
  if (pool.addresses.size() > 1) {
    const auto best = pool.addresses.best(std::chrono::steady_clock::now(), attempt.avoid);
    const auto to_best = std::ranges::find_if(
        pool.idle.rbegin(), pool.idle.rend(),
        [&](const auto& connection) { return connection->endpoint() == best; });
    if (to_best != pool.idle.rend()) {
      chosen = to_best.base() - 1;
    } else if (attempt.avoid || ++pool.pushes_not_spread >= kSpreadEach) {
      pool.pushes_not_spread = 0;
      return {};
    }
  }
  std::shared_ptr<PushConnection> connection = std::move(*chosen);
  pool.idle.erase(chosen);
  return connection;
}

bool HttpSink::is_usable(PushConnection& connection, const Attempt& attempt) {
  const auto age = std::chrono::steady_clock::now() - connection.opened_at();
  return connection.proxy == proxy_for(*attempt.destination->pool) &&
         age < attempt.route->http->connection_max_age && connection.is_quiet() &&
         check_rules(connection, *attempt.destination->pool);
}

/// Whether the rules, which may have changed since it was opened, let a push go out on it.
Result<> HttpSink::check_rules(PushConnection& connection, const Pool& pool) const {
  if (connection.rules == options_.urls.edition()) return {};
  if (connection.proxy) {
    if (Result<> ok = options_.urls.egress().check_proxied(pool.host, pool.port); !ok) return ok;
  } else {
    if (Result<> ok = options_.urls.egress().check_host(pool.host); !ok) return ok;
    if (Result<> ok = options_.urls.egress().check_endpoint(pool.host, connection.endpoint());
        !ok) {
      return ok;
    }
  }
  connection.rules = options_.urls.edition();
  return {};
}

/// Takes it from its attempt, to be used again.
void HttpSink::keep(PushConnection& connection, PushConnection::After after) {
  const std::shared_ptr<Pool> pool = connection.attempt != nullptr
                                         ? connection.attempt->destination->pool
                                         : connection.pool->shared_from_this();
  const auto said = connection.answer().idle_timeout();
  const Millis idle =
      said ? Millis(std::min(*said, kIdleTimeoutMax) - kIdleMargin) : own_.idle_timeout;
  const bool is_room = pool->idle.size() + pool->draining.size() < own_.idle_connections_max;
  if (!is_room || idle <= Millis(0)) return close(connection);
  connection.attempt = nullptr;
  connection.pool = pool.get();
  const bool drains = after == PushConnection::After::draining;
  connection.expect_use(drains ? drain_patience_ : deadlines(idle));
  (drains ? pool->draining : pool->idle).push_back(connection.shared_from_this());
}

/// Takes one that carries no push from its pool.
void HttpSink::let_go(PushConnection& connection) {
  const auto is_it = [&](const auto& one) { return one.get() == &connection; };
  std::erase_if(connection.pool->idle, is_it);
  std::erase_if(connection.pool->draining, is_it);
}

void HttpSink::drained(PushConnection& connection) {
  const auto keep_alive = connection.shared_from_this();
  let_go(connection);
  keep(connection, PushConnection::After::idle);
}

/// Whether there was one.
bool HttpSink::close_unused() {
  const auto unused = routes_.take_unused();
  for (const auto& connection : unused) close(*connection);
  return !unused.empty();
}

/// Of one that no pool has.
void HttpSink::close(PushConnection& connection) {
  connection.attempt = nullptr;
  connection.close();
  --stats_.connections_open;
}

// New connections.

Result<> HttpSink::open_in_turn(Attempt& attempt) {
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
void HttpSink::open_more() {
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
    if (Result<> ok = open_connection(attempt); !ok) fail_later(attempt, ok.error());
  }
  if (opened_ > 0 || !opening_.empty()) open_more_later();
}

void HttpSink::open_more_later() {
  if (std::exchange(opening_more_, true)) return;
  boost::asio::post(options_.loop, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) open_more();
  });
}

Result<> HttpSink::open_connection(Attempt& attempt) {
  Pool& pool = *attempt.destination->pool;
  const std::shared_ptr<const Proxy> proxy = proxy_for(pool);
  const Result<> allowed = proxy ? options_.urls.egress().check_proxied(pool.host, pool.port)
                                 : options_.urls.egress().check_host(pool.host);
  if (!allowed) return allowed;
  Result<TlsContext> tls = routes_.tls_context(pool);
  if (!tls) return tls.error();
  if (stats_.connections_open >= options_.connections_max) close_unused();
  auto connection = std::make_shared<PushConnection>(options_.loop, *this, *tls);
  connection->attempt = &attempt;
  connection->proxy = proxy;
  if (proxy && pool.tls) {
    constexpr std::size_t kScheme = std::string_view("https://").size();
    const std::string authority = attempt.destination->url.origin().substr(kScheme);
    connection->ask_for_tunnel(connect_request(*proxy, authority));
  }
  attempt.connection = connection;
  attempt.on_used_connection = false;
  ++stats_.connections_open;
  const std::string& name = proxy ? proxy->lookup_name : pool.lookup_name;
  const Resolver::Vouched vouched =
      !proxy && attempt.push.target->name.empty() ? Resolver::Vouched::no : Resolver::Vouched::yes;
  if (const auto* found = resolver_->known(name, vouched)) {
    Result<> ok = connect(attempt, *found);
    if (!ok) close(*connection);
    return ok;
  }
  // Looking up has its own limits.
  attempt.deadline.disarm();
  resolver_->resolve(name, vouched, [this, connection](const Result<Resolver::Addresses>& found) {
    if (connection->attempt != nullptr) resolved(*connection, found);
  });
  return {};
}

void HttpSink::resolved(PushConnection& connection, const Result<Resolver::Addresses>& found) {
  Attempt& attempt = *connection.attempt;
  deadlines(attempt.push.target->timeout).arm(attempt.deadline);
  const Result<> ok = connect(attempt, found);
  if (ok) return;
  close(connection);
  finish(attempt, unsent(ok.error()));
}

/// Connects to the addresses that the rules allow, and to no other that the name might have by now;
/// or to the proxy, which the operator chose.
Result<> HttpSink::connect(Attempt& attempt, const Result<Resolver::Addresses>& found) {
  if (!found) return found.error();
  Pool& pool = *attempt.destination->pool;
  const Proxy* const proxy = attempt.connection->proxy.get();
  const std::string& host = proxy != nullptr ? proxy->host : pool.host;
  std::vector<Addresses::Endpoint> allowed;
  Result<> refused = Error{.slug = "network", .detail = host + " has no address", .field = {}};
  for (const boost::asio::ip::address& address : *found) {
    const Addresses::Endpoint endpoint(address, proxy != nullptr ? proxy->port : pool.port);
    const Result<> ok =
        proxy != nullptr ? Result<>() : options_.urls.egress().check_endpoint(pool.host, endpoint);
    if (!ok) {
      refused = ok;
    } else if (allowed.size() < kEndpointsMax) {
      allowed.push_back(endpoint);
    }
  }
  if (allowed.empty()) return refused;
  pool.addresses.set(allowed);
  std::vector<Addresses::Endpoint> in_order =
      pool.addresses.in_order(std::chrono::steady_clock::now(), attempt.avoid);
  note_address(attempt, in_order.front());
  const Millis whole = std::min(attempt.push.target->timeout, kConnectTimeoutMax);
  const Millis each = std::max(whole / std::min(std::ssize(in_order), kSharedAmong), Millis(1));
  attempt.connection->rules = options_.urls.edition();
  attempt.connection->connect(std::move(in_order), pool.host, next_address_, deadlines(each));
  return {};
}

/// After one that failed without a byte of the push having gone out, where another may do better.
bool HttpSink::try_another(Attempt& attempt) {
  const PushConnection& failed = *attempt.connection;
  const bool unsent_on_kept = attempt.on_used_connection && !failed.may_be_seen();
  if (!unsent_on_kept && !(failed.lacked_descriptor() && close_unused())) return false;
  note_address(attempt, std::nullopt);
  attempt.connection.reset();
  if (Result<> ok = open_in_turn(attempt); !ok) fail_later(attempt, ok.error());
  return true;
}

/// Which address the attempt goes to, as far as is known.
void HttpSink::note_address(Attempt& attempt, const std::optional<Addresses::Endpoint>& address) {
  if (attempt.address == address) return;
  Addresses& addresses = attempt.destination->pool->addresses;
  if (attempt.address) addresses.end(*attempt.address);
  if (address) addresses.begin(*address);
  attempt.address = address;
}

Deadlines& HttpSink::deadlines(Millis length) {
  return deadlines_.try_emplace(length, options_.loop, length).first->second;
}

}  // namespace carillon
