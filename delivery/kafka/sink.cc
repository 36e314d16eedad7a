#include "delivery/kafka/sink.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/text.h"

namespace carillon {
namespace {

std::string key_for(const TargetSettings& target) {
  const KafkaSettings& settings = kafka_settings(target);
  std::string key = settings.connection_key();
  append_number(key, target.timeout.count());
  key.append(settings.names_tls ? "t" : "p").append(settings.acks_all ? "a" : "1");
  key.append(settings.sasl_mechanism);
  for (const std::string& broker : settings.brokers) key.append(" ").append(broker);
  return key;
}

}  // namespace

KafkaSink::KafkaSink(const SinkOptions& options, const KafkaSinkOptions& own)
    : loop_(options.loop),
      own_(own),
      network_(options),
      looks_(options.loop, own.look_each),
      look_([this] { look_after(); }) {}

void KafkaSink::push(Push push, std::function<void(PushResult)> done) {
  if (!attempts_) return;
  KafkaAttempt& attempt = new_attempt();
  attempt.push = std::move(push);
  attempt.done = std::move(done);
  ++stats_.in_flight;
  if (const Result<> ok = start(attempt); !ok) fail_later(attempt, ok.error());
}

KafkaAttempt& KafkaSink::new_attempt() {
  if (spare_.empty()) spare_.push_back(&attempts_->emplace_back());
  KafkaAttempt& attempt = *spare_.back();
  spare_.pop_back();
  return attempt;
}

Result<> KafkaSink::start(KafkaAttempt& attempt) {
  const auto producer = producer_for(attempt.push);
  if (!producer) return producer.error();
  if ((*producer)->connections_open() > 0) ++stats_.connections_reused;
  return (*producer)->push(attempt);
}

Result<std::shared_ptr<KafkaProducer>> KafkaSink::producer_for(const Push& push) {
  const std::string& key = routes_.key_of(push.target, key_for);
  if (const auto found = producers_.find(key); found != producers_.end()) return found->second;
  if (producers_.size() >= kProducersMax && !retire_an_idle_one(Millis(0))) {
    return Error{"network", "64 connections to brokers are in use, as many as may be", ""};
  }
  auto made = KafkaProducer::make(
      {network_, *this, own_.silent_for, own_.messages_max, push.target, key, attempts_});
  if (!made) return made.error();
  producers_.emplace(key, *made);
  if (!look_.armed()) looks_.arm(look_);
  return made;
}

// How it goes on.

void KafkaSink::connected() {
  ++stats_.connections_open;
  ++stats_.connections_made;
}

void KafkaSink::closed(KafkaProducer& producer) {
  const auto found = producers_.find(producer.key());
  if (found == producers_.end() || found->second.get() != &producer) return;
  leaving_.push_back(std::move(found->second));
  producers_.erase(found);
  retire_leaving_later();
}

/// Not from inside what the producer reports.
void KafkaSink::retire_leaving_later() {
  boost::asio::post(loop_, [this, alive = std::weak_ptr<void>(attempts_)] {
    if (alive.expired()) return;
    for (const auto& producer : leaving_) {
      if (producer->is_idle()) retire(*producer);
    }
    std::erase_if(leaving_, [](const auto& producer) { return producer->is_idle(); });
  });
}

void KafkaSink::look_after() {
  while (retire_an_idle_one(own_.unused_for)) {
  }
  std::erase_if(ending_, [](const std::future<void>& one) {
    return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
  if (!producers_.empty() || !ending_.empty()) looks_.arm(look_);
}

bool KafkaSink::retire_an_idle_one(Millis unused_for) {
  const auto before = std::chrono::steady_clock::now() - unused_for;
  const auto idle = std::ranges::find_if(producers_, [&](const auto& entry) {
    return entry.second->is_idle() && entry.second->used_at() <= before;
  });
  if (idle == producers_.end()) return false;
  retire(*idle->second);
  producers_.erase(idle);
  return true;
}

void KafkaSink::retire(KafkaProducer& producer) {
  stats_.connections_open -= producer.connections_open();
  producer.drop();
  ending_.push_back(std::async(std::launch::async,
                               [library = producer.take_library()]() mutable { library.reset(); }));
}

void KafkaSink::fail_later(KafkaAttempt& attempt, const Error& error) {
  boost::asio::post(loop_, [this, alive = std::weak_ptr<void>(attempts_), &attempt, error] {
    if (alive.expired()) return;
    PushResult result{.error = error.detail};
    if (error.slug == "not_now") result.not_now = NotNow::unavailable;
    over(attempt, std::move(result));
  });
}

void KafkaSink::ended(KafkaProducer& producer, KafkaAttempt& attempt, PushResult result) {
  if (producer.is_closed() && producer.is_idle()) retire_leaving_later();
  over(attempt, std::move(result));
}

/// Ends with the callback, which may do anything: push again, stop, destroy.
void KafkaSink::over(KafkaAttempt& attempt, PushResult result) {
  const std::function<void(PushResult)> done = std::exchange(attempt.done, nullptr);
  attempt.push = Push();
  spare_.push_back(&attempt);
  --stats_.in_flight;
  done(std::move(result));
}

void KafkaSink::stop() {
  look_.disarm();
  for (const auto& producer : leaving_) producer->drop();
  for (const auto& [key, producer] : producers_) producer->drop();
  leaving_.clear();
  producers_.clear();
  ending_.clear();
  stats_.in_flight = stats_.connections_open = 0;
  spare_.clear();
  // Last, for what the callbacks hold goes with them.
  attempts_.reset();
}

}  // namespace carillon
