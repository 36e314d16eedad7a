#include "cluster/shard_host.h"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "base/check.h"
#include "base/log.h"

namespace carillon {

namespace {

namespace asio = boost::asio;

using std::chrono::milliseconds;
using Duty = Membership::Duty;

constexpr milliseconds kFencedPause{5000};
constexpr milliseconds kFencedPauseMax{60'000};
constexpr milliseconds kBrokenPause{60'000};
/// Of what others append, so much is applied in a turn of the loop.
constexpr std::uint64_t kFollowBytes = std::uint64_t{64} << 10;
/// What the owner before was pushing may still be under way.
constexpr Millis kFiringStays{2000};
/// So long pushes under way may hold up that a shard is given up.
constexpr Millis kLeaveWithin{5000};

}  // namespace

ShardHost::ShardHost(Parts parts) : its_(std::move(parts)), fenced_pause_(kFencedPause) {}

ShardHost::~ShardHost() {
  alive_.reset();
  const std::lock_guard lock(mutex_);
  shown_.reset();
}

template <typename Work>
auto ShardHost::on_loop(Work work) {
  return [loop = &its_.loop, alive = std::weak_ptr(alive_),
          work = std::move(work)](auto&&... results) mutable {
    asio::post(*loop, [alive, work = std::move(work),
                       ... its = std::forward<decltype(results)>(results)]() mutable {
      if (!alive.expired()) work(std::move(its)...);
    });
  };
}

std::shared_ptr<Engine> ShardHost::served() const {
  const std::lock_guard lock(mutex_);
  if (state_ != State::owning) return nullptr;
  return {shown_, shown_->engine.get()};
}

std::optional<ShardReport> ShardHost::report() const {
  std::shared_ptr<Opened> opened;
  ShardReport report;
  {
    const std::lock_guard lock(mutex_);
    opened = shown_;
    report.given_up = given_up_;
    report.settings = settings_;
    report.role = state_ == State::owning || state_ == State::leaving ? ShardReport::Role::owns
                                                                      : ShardReport::Role::follows;
  }
  if (opened == nullptr) return std::nullopt;
  const StreamPosition position = opened->log->position();
  report.shard = its_.shard;
  report.epoch = position.epoch;
  report.place = position.place;
  report.hash = position.hash;
  return report;
}

void ShardHost::set_state(State state) {
  {
    const std::lock_guard lock(mutex_);
    state_ = state;
    const bool shows = state == State::following || state == State::taking ||
                       state == State::owning || state == State::leaving;
    shown_ = shows ? opened_ : nullptr;
    if (state != State::owning) settings_ = 0;
  }
  its_.changed();
}

void ShardHost::set_duty(Duty duty) {
  duty_ = duty;
  switch (state_) {
    case State::closed:
      if (duty_ != Duty::none && its_.clock.mono() >= not_before_) open();
      break;
    case State::following:
      if (duty_ == Duty::none) close(milliseconds(0));
      if (duty_ == Duty::take_over && its_.clock.mono() >= not_before_) take_over();
      break;
    case State::owning:
      if (duty_ == Duty::give_up || duty_ == Duty::none) leave();
      break;
    case State::opening:
    case State::taking:
    case State::leaving:
    case State::closing:
      break;  // comes to an end by itself
  }
}

void ShardHost::set_limits(const TargetLimits& limits) {
  static_cast<TargetLimits&>(its_.engine.shard) = limits;
  // While it is replayed it is a worker's.
  if (opened_ != nullptr && state_ != State::opening) opened_->engine->set_limits(limits);
}

void ShardHost::set_settings(StreamPlace place) {
  {
    const std::lock_guard lock(mutex_);
    settings_ = place;
  }
  its_.changed();
}

void ShardHost::give_up_waiting() {
  if (opened_ != nullptr) opened_->log->give_up();
}

void ShardHost::open() {
  set_state(State::opening);
  asio::post(its_.workers,
             [options = its_.log, done = on_loop([this](Result<std::unique_ptr<JetstreamLog>> log) {
                                    opened(std::move(log));
                                  })]() mutable { done(open_jetstream_log(std::move(options))); });
}

std::shared_ptr<ShardHost::Opened> ShardHost::make_opened(std::unique_ptr<JetstreamLog> log) {
  // The engine ends on the loop, as it lived there; to close the log blocks.
  const auto unmake = [loop = &its_.loop, workers = &its_.workers, open = its_.open_logs,
                       closed = on_loop([this] {
                         if (state_ == State::closing) set_state(State::closed);
                       })](Opened* opened) mutable {
    asio::post(*loop, [opened, workers, open, closed = std::move(closed)]() mutable {
      opened->engine.reset();
      opened->log->detach();
      asio::post(*workers, [opened, open, closed = std::move(closed)]() mutable {
        opened->log->close();
        delete opened;
        --*open;
        closed();
      });
    });
  };
  auto made = std::shared_ptr<Opened>(new Opened, unmake);
  ++*its_.open_logs;
  made->log = std::move(log);
  EngineOptions options = its_.engine;
  options.shared_log = true;
  options.on_fenced = on_loop([this, its = std::weak_ptr(made)] {
    // Of one that is thrown away already nobody wants to know.
    if (opened_ != nullptr && its.lock() == opened_) fenced();
  });
  made->engine = std::make_unique<Engine>(its_.loop, its_.clock, *made->log, its_.sink, its_.urls,
                                          std::move(options));
  return made;
}

void ShardHost::opened(Result<std::unique_ptr<JetstreamLog>> log) {
  if (!log) return fail(log.error());
  opened_ = make_opened(*std::move(log));
  asio::post(its_.workers, [opened = opened_, done = on_loop([this](Result<WallTime> latest) {
                                                replayed(latest);
                                              })]() mutable {
    const auto progress = [](std::uint64_t, std::uint64_t) {};
    done(opened->engine->recover(progress));
  });
}

void ShardHost::replayed(const Result<WallTime>& latest) {
  if (!latest) return fail(latest.error());
  latest_ = *latest;
  opened_->engine->set_limits(its_.engine.shard);
  set_state(State::following);
  follow();
  set_duty(duty_);
}

void ShardHost::follow() {
  const Sequence next = opened_->engine->local().shard().last_sequence() + 1;
  opened_->log->follow(next, kFollowBytes,
                       [this, alive = std::weak_ptr(alive_),
                        its = opened_.get()](Result<std::vector<Batch>> batches) {
                         if (alive.expired() || opened_.get() != its) return;
                         followed(std::move(batches));
                       });
}

void ShardHost::followed(Result<std::vector<Batch>> batches) {
  // What it appends itself an owner is told, too.
  if (state_ == State::owning || state_ == State::leaving) return;
  if (!batches) return fail(batches.error());
  for (const Batch& batch : *batches) latest_ = std::max(latest_, batch.at);
  opened_->engine->follow(*std::move(batches));
  its_.owner_appended(opened_->log->position().epoch);
  follow();
}

void ShardHost::take_over() {
  set_state(State::taking);
  const Sequence next = opened_->engine->local().shard().last_sequence() + 1;
  const WallTime at = std::max(its_.clock.wall(), latest_);
  opened_->log->take_over(next, at, its_.incarnation,
                          [this, alive = std::weak_ptr(alive_), its = opened_.get()](Appended how) {
                            if (alive.expired() || opened_.get() != its) return;
                            if (how == Appended::committed) return own();
                            set_state(State::following);
                            set_duty(duty_);
                          });
}

void ShardHost::own() {
  owned_since_ = its_.clock.mono();
  ++taken_over_;
  opened_->engine->start(kFiringStays);
  log_info("shard taken over", {{"shard", its_.shard}, {"epoch", opened_->log->position().epoch}});
  set_state(State::owning);
  set_duty(duty_);
}

void ShardHost::leave() {
  set_state(State::leaving);
  asio::co_spawn(
      its_.loop,
      [](std::shared_ptr<Opened> opened) -> Async<bool> {
        co_return co_await opened->engine->hand_over(kLeaveWithin);
      }(opened_),
      [this, alive = std::weak_ptr(alive_), its = opened_.get()](const std::exception_ptr& error,
                                                                 bool done) {
        if (error) std::rethrow_exception(error);
        if (alive.expired() || opened_.get() != its) return;
        done ? left() : fenced();
      });
}

void ShardHost::left() {
  log_info("shard given up", {{"shard", its_.shard}});
  {
    const std::lock_guard lock(mutex_);
    given_up_ = opened_->log->position().epoch;
  }
  close(milliseconds(0));
}

void ShardHost::fenced() {
  ++lost_;
  const bool for_long = its_.clock.mono() - owned_since_ > kFencedPauseMax;
  fenced_pause_ = for_long ? kFencedPause : std::min(2 * fenced_pause_, kFencedPauseMax);
  log_warning("another node has taken the shard over", {{"shard", its_.shard}});
  close(fenced_pause_);
}

void ShardHost::fail(const Error& why) {
  if (why.slug == "trimmed") {
    log_warning("the shard is read anew, as its stream was trimmed", {{"shard", its_.shard}});
    return close(milliseconds(0));
  }
  log_error("the shard is not served from here", {{"shard", its_.shard}, {"why", why.detail}});
  close(why.slug == "network" ? kFencedPause : kBrokenPause);
}

void ShardHost::close(milliseconds again_after) {
  not_before_ = its_.clock.mono() + again_after;
  if (opened_ == nullptr) return set_state(State::closed);
  set_state(State::closing);
  opened_.reset();
}

}  // namespace carillon
