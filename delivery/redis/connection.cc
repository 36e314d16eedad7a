#include "delivery/redis/connection.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "delivery/errors.h"

namespace carillon {
namespace {

std::string_view name_of(RedisCommand command) {
  static constexpr std::array<std::string_view, 5> kNames = {"AUTH", "SELECT", "PING", "XADD",
                                                             "WAIT"};
  return kNames.at(static_cast<std::size_t>(command));
}

/// Its first word, which is all that may be shown of an answer that repeats what it was asked.
std::string_view word_of(std::string_view error) {
  const std::string_view word = error.substr(0, error.find(' '));
  const bool plain = std::ranges::all_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
  return plain && !word.empty() ? word : "an error";
}

/// Why the server does not let us in.
Error refused(std::string_view command, std::string_view said, std::string_view shown) {
  Error error = network_error("the server answered " + std::string(command) + " with " +
                              quoted_answer(shown));
  if (is_redis_not_now(said)) error.slug = "not_now";
  return error;
}

/// Whether it can be the answer to that command, an error apart.
bool answers(const RedisReply& reply, RedisCommand command) {
  using Type = RedisReply::Type;
  switch (command) {
    case RedisCommand::auth:
    case RedisCommand::select:
      return reply.type == Type::status && reply.text == "OK";
    case RedisCommand::ping:
      return reply.type == Type::status;
    case RedisCommand::xadd:
      return reply.type == Type::text && !reply.text.empty();
    case RedisCommand::wait:
      return reply.type == Type::integer;
  }
  return false;
}

}  // namespace

Result<> RedisConnection::greet(std::string& out, std::string_view password) {
  if (!password.empty()) {
    if (settings_.username.empty()) {
      append_redis_command(out, {"AUTH", password});
    } else {
      append_redis_command(out, {"AUTH", settings_.username, password});
    }
    expected_.push_back({.command = RedisCommand::auth});
  }
  // Also for the first database: until it is answered, nobody knows whether anyone listens.
  append_redis_command(out, {"SELECT", std::to_string(settings_.database())});
  expected_.push_back({.command = RedisCommand::select});
  return {};
}

void RedisConnection::write_question(std::string& out) {
  append_redis_command(out, {"PING"});
  expected_.push_back({.command = RedisCommand::ping});
}

void RedisConnection::write_message(std::string& out, BrokerAttempt& attempt) {
  append_redis_add(out, attempt.push, redis_settings(*attempt.push.target));
  expected_.push_back({.command = RedisCommand::xadd, .attempt = &attempt});
}

void RedisConnection::end_messages(std::string& out) {
  if (settings_.replicas == 0) return;
  append_redis_command(out, {"WAIT", std::to_string(settings_.replicas), wait_ms()});
  expected_.push_back({.command = RedisCommand::wait});
}

/// Over before the first of the attempts is late: so the reason is heard.
std::string RedisConnection::wait_ms() const {
  const auto now = std::chrono::steady_clock::now();
  auto begun = now;
  for (const Expected& sent : expected_) begun = std::min(begun, sent.attempt->begun_at);
  const auto left = target().timeout - std::chrono::duration_cast<Millis>(now - begun);
  return std::to_string(std::max<Millis::rep>(left.count() * 3 / 4, 1));
}

std::vector<BrokerAttempt*> RedisConnection::take_unanswered() {
  std::vector<BrokerAttempt*> all(unconfirmed_.begin(), unconfirmed_.end());
  for (const Expected& sent : expected_) {
    if (sent.attempt != nullptr) all.push_back(sent.attempt);
  }
  unconfirmed_.clear();
  expected_.clear();
  return all;
}

Result<> RedisConnection::read(std::string_view bytes) {
  reader_.feed(bytes);
  while (!is_closed()) {
    const Result<std::optional<RedisReply>> reply = reader_.next();
    if (!reply) return reply.error();
    if (!*reply) break;
    if (expected_.empty()) return network_error("the server answers what was not asked");
    if (Result<> ok = answered(**reply); !ok) return ok;
  }
  return {};
}

Result<> RedisConnection::answered(const RedisReply& reply) {
  const Expected expected = expected_.front();
  if (!reply.is_error() && !answers(reply, expected.command)) {
    return network_error("the server's answer to " + std::string(name_of(expected.command)) +
                         " makes no sense");
  }
  expected_.pop_front();
  switch (expected.command) {
    case RedisCommand::auth:
      if (reply.is_error()) return refused("AUTH", reply.text, word_of(reply.text));
      break;
    case RedisCommand::select:
      if (reply.is_error()) return refused("SELECT", reply.text, reply.text);
      let_in();
      break;
    case RedisCommand::ping:
      gave_sign_of_life();  // also by an error: who may not ask is answered, too
      break;
    case RedisCommand::xadd:
      added(*expected.attempt, reply);
      break;
    case RedisCommand::wait:
      confirmed(reply);
      break;
  }
  return {};
}

void RedisConnection::added(BrokerAttempt& attempt, const RedisReply& reply) {
  if (!reply.is_error() && settings_.replicas > 0) return unconfirmed_.push_back(&attempt);
  PushResult result{.may_be_seen = true};
  if (!reply.is_error()) {
    result.kind = PushResult::Kind::delivered;
  } else {
    if (is_redis_not_now(reply.text)) result.not_now = NotNow::unavailable;
    result.error = "answered " + quoted_answer(reply.text);
  }
  ended(attempt, std::move(result));
  // Another server may be the master by now: the next connection looks its name up again.
  if (reply.is_error() && reply.text.starts_with("READONLY")) retire();
}

void RedisConnection::confirmed(const RedisReply& reply) {
  const bool enough = !reply.is_error() && std::cmp_greater_equal(reply.number, settings_.replicas);
  const std::string why = reply.is_error()
                              ? "answered " + quoted_answer(reply.text)
                              : std::to_string(reply.number) + " of " +
                                    std::to_string(settings_.replicas) + " replicas have it";
  // Those that were refused are not among them, and no later ones: answers come in order.
  while (!unconfirmed_.empty()) {
    BrokerAttempt& attempt = *unconfirmed_.front();
    unconfirmed_.pop_front();
    PushResult result{.may_be_seen = true};
    if (enough) {
      result.kind = PushResult::Kind::delivered;
    } else {
      result.error = why;
    }
    ended(attempt, std::move(result));
  }
}

}  // namespace carillon
