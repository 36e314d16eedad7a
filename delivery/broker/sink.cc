#include "delivery/broker/sink.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/text.h"

namespace carillon {
namespace {

constexpr const char* kNoMessage = "no_message";

/// Of a push of which not a byte went out. What the egress rules deny now they deny the next time,
/// and what no message can be will be none.
PushResult not_sent(const Error& why) {
  PushResult result{.error = why.detail};
  if (why.slug == "target_denied" || why.slug == kNoMessage)
    result.kind = PushResult::Kind::refused_for_good;
  if (why.slug == "not_now") result.not_now = NotNow::unavailable;
  return result;
}

}  // namespace

BrokerSink::BrokerSink(const SinkOptions& options, const BrokerSinkOptions& own)
    : loop_(options.loop),
      own_(own),
      network_(options),
      answers_(options.loop, std::chrono::seconds(10)),
      heartbeats_(options.loop, own.look_each) {}

void BrokerSink::push(Push push, std::function<void(PushResult)> done) {
  if (!alive_) return;
  BrokerAttempt& attempt = new_attempt();
  attempt.push = std::move(push);
  attempt.done = std::move(done);
  attempt.begun_at = std::chrono::steady_clock::now();
  ++stats_.in_flight;
  deadlines(attempt.push.target->timeout).arm(attempt.deadline);
  if (const Result<> ok = start(attempt); !ok) fail_later(attempt, ok.error());
}

BrokerAttempt& BrokerSink::new_attempt() {
  if (spare_.empty()) {
    const auto next = attempts_.size();
    attempts_.emplace_back([this, next] { expired(attempts_[next]); });
    spare_.push_back(&attempts_.back());
  }
  BrokerAttempt& attempt = *spare_.back();
  spare_.pop_back();
  return attempt;
}

Result<> BrokerSink::start(BrokerAttempt& attempt) {
  if (const Result<> ok = check_push(attempt.push); !ok)
    return Error{kNoMessage, ok.error().detail, {}};
  auto connection = connection_for(attempt.push);
  if (!connection) return connection.error();
  if (Result<> ok = (*connection)->check_push(attempt.push); !ok) return ok;
  attempt.connection = *std::move(connection);
  if (attempt.connection->is_ready()) ++stats_.connections_reused;
  attempt.connection->push(attempt);
  return {};
}

Result<std::shared_ptr<BrokerConnection>> BrokerSink::connection_for(const Push& push) {
  const std::string& key =
      routes_.key_of(push.target, [this](const TargetSettings& target) { return key_for(target); });
  if (const auto found = connections_.find(key); found != connections_.end()) {
    const std::shared_ptr<BrokerConnection> kept = found->second;
    if (kept->is_allowed()) return kept;
    kept->retire();
  }
  if (connections_.size() >= kConnectionsMax && !close_an_idle_one()) {
    return Error{"network", "64 connections to brokers are in use, as many as may be", ""};
  }
  auto made =
      make_connection({network_, *this, answers_, heartbeats_, own_.silent_for, push.target, key});
  connections_.emplace(key, made);
  ++stats_.connections_open;
  made->open();
  return made;
}

std::string BrokerSink::key_for(const TargetSettings& target) const {
  std::string key = static_cast<const BrokerSettings&>(*target.own).connection_key();
  append_number(key, target.timeout.count());
  append_key(key, target);
  return key;
}

bool BrokerSink::close_an_idle_one() {
  const auto idle =
      std::ranges::find_if(connections_, [](const auto& entry) { return entry.second->is_idle(); });
  if (idle == connections_.end()) return false;
  const std::shared_ptr<BrokerConnection> keep = idle->second;
  keep->retire();
  return true;
}

// How it goes on.

void BrokerSink::closed(BrokerConnection& connection) {
  --stats_.connections_open;
  connections_.erase(connection.key());
}

void BrokerSink::unsent(BrokerAttempt& attempt, const Error& why, bool was_ready) {
  if (!was_ready || why.slug == "not_now" || why.slug == "unfit")
    return ended(attempt, not_sent(why));
  if (const Result<> ok = start(attempt); !ok) fail_later(attempt, ok.error());
}

void BrokerSink::expired(BrokerAttempt& attempt) {
  const std::shared_ptr<BrokerConnection> connection = attempt.connection;
  if (!connection->withdraw(attempt)) return connection->give_up(attempt);
  ended(attempt, {.error = "not sent within " + format_duration(attempt.push.target->timeout) +
                           ": the broker does not answer"});
}

void BrokerSink::fail_later(BrokerAttempt& attempt, const Error& error) {
  attempt.deadline.disarm();
  boost::asio::post(loop_, [this, alive = std::weak_ptr<bool>(alive_), &attempt, error] {
    if (!alive.expired()) ended(attempt, not_sent(error));
  });
}

/// Ends with the callback, which may do anything: push again, stop, destroy.
void BrokerSink::ended(BrokerAttempt& attempt, PushResult result) {
  const std::function<void(PushResult)> done = std::exchange(attempt.done, nullptr);
  attempt.deadline.disarm();
  attempt.push = Push();
  attempt.connection.reset();
  spare_.push_back(&attempt);
  --stats_.in_flight;
  done(std::move(result));
}

Deadlines& BrokerSink::deadlines(Millis length) {
  return deadlines_.try_emplace(length, loop_, length).first->second;
}

void BrokerSink::stop() {
  alive_.reset();
  for (BrokerAttempt& attempt : attempts_) {
    attempt.deadline.disarm();
    if (attempt.connection) attempt.connection->drop();
  }
  for (const auto& [key, connection] : connections_) connection->drop();
  connections_.clear();
  stats_.in_flight = stats_.connections_open = 0;
  spare_.clear();
  // Last, for what the callbacks hold goes with them.
  attempts_.clear();
}

}  // namespace carillon
