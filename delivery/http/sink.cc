#include "delivery/http/sink.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "delivery/http/request.h"

namespace carillon {

HttpSink::HttpSink(const SinkOptions& options, const Options& own)
    : options_(options),
      own_(own),
      resolver_(std::make_unique<Resolver>(options.loop, options.resolving, options.lookup)),
      next_address_(options.loop, Millis(250)),
      drain_patience_(options.loop, own.drain_timeout),
      alive_(std::make_shared<bool>(true)) {}

// Starting an attempt.

void HttpSink::push(Push push, std::function<void(PushResult)> done) {
  if (!alive_) return;
  Attempt& attempt = new_attempt();
  attempt.push = std::move(push);
  attempt.done = std::move(done);
  ++stats_.in_flight;
  if (Result<> ok = start(attempt); !ok) fail_later(attempt, ok.error());
}

Attempt& HttpSink::new_attempt() {
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

Result<> HttpSink::start(Attempt& attempt) {
  if (Result<> ok = find_way(attempt); !ok) return ok;
  attempt.avoid = failed_before_on(attempt.push);
  deadlines(attempt.push.target->timeout).arm(attempt.deadline);
  if (use_idle(attempt)) return {};
  return open_in_turn(attempt);
}

void HttpSink::send(Attempt& attempt) {
  PushConnection& connection = *attempt.connection;
  note_address(attempt, connection.endpoint());
  std::string& head = connection.head();
  head.clear();
  // Inside a tunnel it is the receiver that reads the head.
  const Proxy* proxy = attempt.destination->pool->tls ? nullptr : connection.proxy.get();
  append_request_head(head, attempt.push, *attempt.route->http, attempt.destination->url,
                      options_.user_agent, options_.clock.real(), attempt.route->signer, proxy);
  connection.send(attempt.push.content.body, attempt.push.answer_body_bytes);
}

// How it goes on.

void HttpSink::connected(PushConnection& connection) {
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

void HttpSink::answered(PushConnection& connection, PushConnection::After after) {
  Attempt& attempt = *connection.attempt;
  PushResult result = judge(connection.answer());
  if (after == PushConnection::After::closed) {
    close(connection);
  } else {
    keep(connection, after);
  }
  finish(attempt, std::move(result));
}

void HttpSink::failed(PushConnection& connection, std::string why) {
  if (connection.attempt == nullptr) {
    let_go(connection);
    --stats_.connections_open;
    return;
  }
  Attempt& attempt = *connection.attempt;
  for (const Addresses::Endpoint& dead : connection.unreachable()) {
    attempt.destination->pool->addresses.note_dead(dead, std::chrono::steady_clock::now());
  }
  PushResult result = judge(connection.answer(), std::move(why));
  close(connection);
  if (try_another(attempt)) return;
  finish(attempt, std::move(result));
}

void HttpSink::expired(Attempt& attempt) {
  std::string why = "no answer within " + format_duration(attempt.push.target->timeout);
  if (!attempt.connection) {
    std::erase(attempt.destination->pool->waiting, &attempt);
    return finish(attempt, {.error = std::move(why)});
  }
  const AnswerReader& answer = attempt.connection->answer();
  if (answer.is_decided()) {
    why.clear();  // only its body is still to come
  } else if (answer.status() != 0) {
    why = "no whole answer within " + format_duration(attempt.push.target->timeout) + ", status " +
          std::to_string(answer.status());
  }
  PushResult result = judge(answer, std::move(why));
  close(*attempt.connection);
  finish(attempt, std::move(result));
}

/// `cut_short`: why the head did not come whole; empty where it did.
PushResult HttpSink::judge(const AnswerReader& answer, std::string cut_short) const {
  PushResult result;
  if (cut_short.empty()) {
    result =
        result_of(answer.status(), parse_retry_after(answer.retry_after(), options_.clock.real()));
    result.answer_body = answer.body();
    result.answer_type = answer.content_type();
    result.answer_is_whole = answer.is_whole();
    return result;
  }
  result.status = answer.status();
  if (result.status == kTooManyRequests) result.not_now = NotNow::too_many_requests;
  result.error = std::move(cut_short);
  return result;
}

/// Of a push that could not even be sent. What the egress rules deny now they deny the next time.
PushResult HttpSink::unsent(const Error& error) {
  using Kind = PushResult::Kind;
  return {.kind = error.slug == "target_denied" ? Kind::refused_for_good : Kind::failed,
          .error = error.detail};
}

void HttpSink::fail_later(Attempt& attempt, Error error) {
  attempt.deadline.disarm();
  boost::asio::post(options_.loop, [this, alive = std::weak_ptr<bool>(alive_), &attempt,
                                    error = std::move(error)]() mutable {
    if (!alive.expired()) finish(attempt, unsent(error));
  });
}

/// Ends with the callback, which may do anything: push again, stop, destroy.
void HttpSink::finish(Attempt& attempt, PushResult result) {
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

std::optional<Addresses::Endpoint> HttpSink::failed_before_on(const Push& push) {
  if (push.attempt < 2 || failed_on_.empty()) return std::nullopt;
  const auto found = failed_on_.find(std::hash<std::string_view>()(push.content.webhook_id));
  if (found == failed_on_.end()) return std::nullopt;
  const Addresses::Endpoint endpoint = found->second;
  failed_on_.erase(found);
  return endpoint;
}

void HttpSink::note_way(const Attempt& attempt, const PushResult& result) {
  if (!attempt.address) return;
  Addresses& addresses = attempt.destination->pool->addresses;
  addresses.end(*attempt.address);
  if (result.kind != PushResult::Kind::failed || addresses.size() < 2) return;
  if (failed_on_.size() >= kFailedOnMax) failed_on_.clear();
  failed_on_.insert_or_assign(std::hash<std::string_view>()(attempt.push.content.webhook_id),
                              *attempt.address);
}

// The end.

void HttpSink::stop() {
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

}  // namespace carillon
