#include "delivery/delivery.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "delivery/impl.h"
#include "delivery/request.h"

namespace carillon {

// Starting an attempt.

void Delivery::Impl::push(Push push, std::function<void(PushResult)> done) {
  if (!alive_) return;
  Attempt& attempt = new_attempt();
  attempt.push = std::move(push);
  attempt.done = std::move(done);
  ++stats_.in_flight;
  if (Result<> ok = start(attempt); !ok) fail_later(attempt, ok.error());
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
  attempt.avoid = failed_before_on(attempt.push);
  deadlines(attempt.push.target->timeout).arm(attempt.deadline);
  if (use_idle(attempt)) return {};
  return open_in_turn(attempt);
}

void Delivery::Impl::send(Attempt& attempt) {
  PushConnection& connection = *attempt.connection;
  note_address(attempt, connection.endpoint());
  std::string& head = connection.head();
  head.clear();
  // Inside a tunnel it is the receiver that reads the head.
  const Proxy* proxy = attempt.destination->pool->tls ? nullptr : connection.proxy.get();
  append_request_head(head, attempt.push, attempt.destination->url, options_.user_agent,
                      clock_.real(), attempt.route->signer, proxy);
  connection.send(attempt.push.content.body, attempt.push.answer_body_bytes);
}

// How it goes on.

void Delivery::Impl::connected(PushConnection& connection) {
  ++stats_.connections_made;
  Attempt& attempt = *connection.attempt;
  Pool& pool = *attempt.destination->pool;
  for (const Addresses::Endpoint& dead : connection.unreachable()) {
    pool.addresses.note_dead(dead, std::chrono::steady_clock::now());
  }
  pool.addresses.note_alive(connection.endpoint());
  if (const Result<> ok = check_rules(connection, pool); !ok) {
    close(connection);
    return finish(attempt, unsent(ok.error()));
  }
  send(attempt);
}

void Delivery::Impl::answered(PushConnection& connection, PushConnection::After after) {
  Attempt& attempt = *connection.attempt;
  PushResult result = judge(connection.answer());
  if (after == PushConnection::After::closed) {
    close(connection);
  } else {
    keep(connection, after);
  }
  finish(attempt, std::move(result));
}

void Delivery::Impl::failed(PushConnection& connection, std::string why) {
  if (connection.attempt == nullptr) {
    let_go(connection);
    --stats_.connections_open;
    return;
  }
  Attempt& attempt = *connection.attempt;
  for (const Addresses::Endpoint& dead : connection.unreachable()) {
    attempt.destination->pool->addresses.note_dead(dead, std::chrono::steady_clock::now());
  }
  const std::uint32_t status = connection.answer().status();
  close(connection);
  if (try_another(attempt)) return;
  finish(attempt, {.http_status = status, .error = std::move(why)});
}

void Delivery::Impl::expired(Attempt& attempt) {
  std::string why = "no answer within " + format_duration(attempt.push.target->timeout);
  if (!attempt.connection) {
    std::erase(attempt.destination->pool->waiting, &attempt);
    return finish(attempt, {.error = std::move(why)});
  }
  if (attempt.connection->answer().is_decided()) {
    // Only its body is still to come.
    PushResult result = judge(attempt.connection->answer());
    close(*attempt.connection);
    return finish(attempt, std::move(result));
  }
  const std::uint32_t status = attempt.connection->answer().status();
  if (status != 0) {
    why = "no whole answer within " + format_duration(attempt.push.target->timeout) + ", status " +
          std::to_string(status);
  }
  close(*attempt.connection);
  finish(attempt, {.http_status = status, .error = std::move(why)});
}

PushResult Delivery::Impl::judge(const AnswerReader& answer) const {
  using Kind = PushResult::Kind;
  constexpr std::uint32_t kGone = 410;
  PushResult result{.http_status = answer.status(), .answer_body = answer.body()};
  if (result.http_status >= 200 && result.http_status < 300) {
    result.kind = Kind::delivered;
    return result;
  }
  result.kind = result.http_status == kGone ? Kind::refused_for_good : Kind::failed;
  result.retry_after = parse_retry_after(answer.retry_after(), clock_.real());
  result.error = "answered " + std::to_string(result.http_status);
  return result;
}

/// Of a push that could not even be sent. What the egress rules deny now they deny the next time.
PushResult Delivery::Impl::unsent(const Error& error) {
  using Kind = PushResult::Kind;
  return {.kind = error.slug == "target_denied" ? Kind::refused_for_good : Kind::failed,
          .error = error.detail};
}

void Delivery::Impl::fail_later(Attempt& attempt, Error error) {
  attempt.deadline.disarm();
  boost::asio::post(loop_, [this, alive = std::weak_ptr<bool>(alive_), &attempt,
                            error = std::move(error)]() mutable {
    if (!alive.expired()) finish(attempt, unsent(error));
  });
}

/// Ends with the callback, which may do anything: push again, stop, destroy.
void Delivery::Impl::finish(Attempt& attempt, PushResult result) {
  result.may_be_seen = attempt.connection && attempt.connection->may_be_seen();
  note_way(attempt, result);
  const std::function<void(PushResult)> done = std::move(attempt.done);
  attempt.done = nullptr;
  attempt.deadline.disarm();
  attempt.push = Push();
  attempt.route.reset();
  attempt.own_destination.pool.reset();
  attempt.connection.reset();
  attempt.address.reset();
  under_way_.erase(under_way_.iterator_to(attempt));
  spare_.push_back(&attempt);
  --stats_.in_flight;
  done(std::move(result));
}

// Which address a task's attempts went to.

std::optional<Addresses::Endpoint> Delivery::Impl::failed_before_on(const Push& push) {
  if (push.attempt < 2 || failed_on_.empty()) return std::nullopt;
  const auto found = failed_on_.find(std::hash<std::string_view>()(push.content.webhook_id));
  if (found == failed_on_.end()) return std::nullopt;
  const Addresses::Endpoint endpoint = found->second;
  failed_on_.erase(found);
  return endpoint;
}

void Delivery::Impl::note_way(const Attempt& attempt, const PushResult& result) {
  if (!attempt.address) return;
  Addresses& addresses = attempt.destination->pool->addresses;
  addresses.end(*attempt.address);
  if (result.kind != PushResult::Kind::failed || addresses.size() < 2) return;
  if (failed_on_.size() >= kFailedOnMax) failed_on_.clear();
  failed_on_.insert_or_assign(std::hash<std::string_view>()(attempt.push.content.webhook_id),
                              *attempt.address);
}

// The end.

void Delivery::Impl::stop() {
  alive_.reset();
  resolver_.reset();
  for (Attempt& attempt : under_way_) {
    attempt.deadline.disarm();
    if (attempt.connection) close(*attempt.connection);
  }
  close_unused();
  for (const auto& pool : opening_) pool->waiting.clear();
  opening_.clear();
  under_way_.clear();
  spare_.clear();
  stats_.in_flight = 0;
  // Last, for what the callbacks hold goes with them.
  attempts_.clear();
}

Delivery::Delivery(boost::asio::io_context& loop, Clock& clock, UrlPolicy& urls, Options options)
    : impl_(std::make_unique<Impl>(loop, clock, urls, std::move(options))) {}
Delivery::~Delivery() = default;

void Delivery::push(Push push, std::function<void(PushResult)> done) {
  impl_->push(std::move(push), std::move(done));
}
void Delivery::reload_files() {
  impl_->reload_files();
}
void Delivery::stop() {
  impl_->stop();
}
DeliveryStats Delivery::stats() const {
  return impl_->stats();
}

}  // namespace carillon
