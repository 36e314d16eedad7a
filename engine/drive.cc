// Driving: commits, ticks, recovery, stopping, the manual clock.

#include <algorithm>
#include <cstdlib>

#include <boost/asio/post.hpp>

#include "base/failpoint.h"
#include "base/log.h"
#include "engine/impl.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t kStatementBytes = 50;                    // of a task restated in the log
constexpr std::uint64_t kCleanBytes = std::uint64_t{128} << 10;  // read at a time: some 3,000 tasks
constexpr std::uint32_t kCommitsPerCleanCheck = 64;
constexpr std::uint64_t kTurns = 2;  // long looks at once; each adds a slice to the loop's turn
constexpr std::size_t kCommitAtMin = 16;  // fewer records are not worth a commit of their own

std::mt19937_64 make_random() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(),
                     device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

Engine::Impl::Impl(asio::io_context& loop, Clock& clock, Log& log, Delivery& delivery,
                   UrlPolicy& urls, EngineOptions options)
    : loop_(loop),
      clock_(clock),
      manual_clock_(dynamic_cast<ManualClock*>(&clock)),
      log_(log),
      delivery_(delivery),
      urls_(urls),
      options_(std::move(options)),
      key_(log.key()),
      shard_(options_.shard),
      cache_(options_.content_cache_bytes),
      push_bytes_(options_.push_bytes_max),
      turns_(loop, kTurns),
      page_bytes_(loop, options_.page_bytes_max),
      export_bytes_(loop, options_.export_bytes_max),
      url_target_(std::make_shared<const TargetSettings>(options_.url_defaults)),
      random_(make_random()),
      timer_(loop, clock,
             [this](std::optional<Millis> step) {
               if (step) note_clock_step(*step);
               if (phase_ != Phase::recovering && manual_clock_ == nullptr) tick();
             }),
      changed_(loop) {}

Engine::Impl::~Impl() {
  // Callers that still wait are dropped with all that they hold; the last one may hold the next.
  for (Waiter*& waiter : waiters_) {
    if (waiter == nullptr) continue;
    const auto dropped = std::move(waiter->resume);
    waiter = nullptr;
  }
}

Result<> Engine::Impl::recover(const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  WallTime latest{};
  // The part of the log that was read says about how many tasks the whole of it will bring.
  const auto extrapolate = [&](std::uint64_t read, std::uint64_t in_all) {
    if (read > 0) {
      const double share = static_cast<double>(read) / static_cast<double>(in_all);
      shard_.expect(static_cast<std::uint64_t>(static_cast<double>(shard_.tasks()) / share));
    }
    progress(read, in_all);
  };
  const Result<> done = log_.read(
      1,
      [&](Batch&& batch) {
        shard_.replay(batch);
        CARILLON_FAILPOINT("recover.batch");
        latest = std::max(latest, batch.at);
      },
      extrapolate);
  if (!done) return done;
  CARILLON_FAILPOINT("recover.replayed");
  note_targets(std::exchange(shard_.effects(), {}).targets);
  // A manual clock goes on where the log left it: its time does not run backward over a restart.
  if (manual_clock_ != nullptr) manual_clock_->set(std::max(manual_clock_->wall(), latest));
  return {};
}

void Engine::Impl::start() {
  phase_ = Phase::serving;
  shard_.start(clock_.wall());
  tick();
}

std::string Engine::Impl::not_ready_because() const {
  switch (phase_) {
    case Phase::recovering:
      return "recovering";
    case Phase::draining:
      return "draining";
    case Phase::failed:
      return "storage failed";
    case Phase::serving:
      break;
  }
  return {};
}

void Engine::Impl::storage_failed() {
  phase_ = Phase::failed;
  shard_.stop_firing();
  changed_.notify();
}

void Engine::Impl::carry_out() {
  while (!shard_.effects().empty()) carry_out_effects(std::exchange(shard_.effects(), {}));
  if (log_busy_ || !shard_.wants_commit()) return;
  // Callers that were answered together ask again together. Half of them are enough to go ahead
  // with: else the disk would wait for the loop, and then the loop for the disk, in turns.
  if (shard_.open_records() >= commit_at_) return begin_commit();
  if (flush_posted_) return;
  // Not at once: what other connections have ready in this turn of the loop belongs in the same
  // commit.
  flush_posted_ = true;
  asio::post(loop_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    flush_posted_ = false;
    begin_commit();
  });
}

void Engine::Impl::carry_out_effects(Effects effects) {
  note_targets(effects.targets);
  for (const TargetKey& key : effects.holds) note_hold(key);
  prefetch(effects.imminent);
  begin_pushes(std::move(effects.fired));
  for (Reply& reply : effects.replies) {
    const std::size_t index = (reply.ticket >> kTicketBits) - 1;
    Waiter& waiter = *waiters_[index];
    waiter.replies[reply.ticket & kTicketMask] = std::move(reply);
    if (--waiter.missing > 0) continue;
    waiters_[index] = nullptr;
    free_waiters_.push_back(index);
    if (const auto resume = std::move(waiter.resume)) resume->resume();
  }
}

void Engine::Impl::begin_commit() {
  if (!log_busy_ && shard_.wants_commit()) commit();
}

void Engine::Impl::commit() {
  log_busy_ = true;
  commit_began_ = clock_.mono();
  Batch sealed = shard_.seal(clock_.wall(), std::move(spare_));
  trimming_ = sealed.trim_before != 0;
  commit_at_ = std::max(kCommitAtMin, (last_records_ + sealed.records.size()) / 2);
  last_records_ = sealed.records.size();
  log_.append(std::move(sealed), [this, alive = std::weak_ptr(alive_)](Batch&& batch) {
    if (!alive.expired()) commit_done(std::move(batch));
  });
}

void Engine::Impl::commit_done(Batch&& batch) {
  CARILLON_FAILPOINT_IF(std::ranges::any_of(batch.records,
                                            [](const Record& fact) {
                                              return std::holds_alternative<record::Outcome>(fact);
                                            }),
                        "outcome.durable");
  log_busy_ = false;
  counters_.commit_time.record(
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.mono() - commit_began_));
  // Only now does the log know what was trimmed: cleaning on earlier would restate the same again.
  if (std::exchange(trimming_, false)) {
    cleaning_ = false;
    commits_to_clean_check_ = 0;
  }
  shard_.committed(batch);
  make_space();
  keep_imminent(batch);
  spare_ = std::move(batch);
  // The next batch was gathered while this one was committed: hand it over before anything else.
  begin_commit();
  carry_out();
  set_timer();
  clean_log();
  changed_.notify();
}

/// Finished tasks give way before adds are refused: their contents are the only ones that nobody
/// waits for.
void Engine::Impl::make_space() {
  const LogStats stats = log_.stats();
  if (stats.low_on_space != std::exchange(low_on_space_, stats.low_on_space) && low_on_space_) {
    log_warning("the disk is getting full; finished tasks are forgotten early",
                {{"free_bytes", stats.free_bytes}});
  }
  shard_.retain_none(low_on_space_);
}

/// Contents of tasks that are due within moments are at hand: they need not be read back.
void Engine::Impl::keep_imminent(Batch& batch) {
  for (const TaskNumber number : shard_.effects().imminent) {
    const auto row = std::lower_bound(
        batch.contents.begin(), batch.contents.end(), number,
        [](const ContentRow& content, TaskNumber wanted) { return content.number < wanted; });
    if (row == batch.contents.end() || row->number != number || row->bytes.empty()) continue;
    cache_.put(number, std::move(row->bytes));
    row->bytes.clear();
  }
}

void Engine::Impl::clean_log() {
  if (cleaning_ || commits_to_clean_check_-- > 0) return;
  commits_to_clean_check_ = kCommitsPerCleanCheck;
  if (log_.stats().log_bytes < 2 * kStatementBytes * shard_.tasks() + options_.log_slack_bytes)
    return;
  cleaning_ = true;
  log_.read_oldest(kCleanBytes, [this, alive = std::weak_ptr(alive_)](std::vector<Batch> oldest) {
    if (alive.expired()) return;
    CARILLON_FAILPOINT("clean.read");
    cleaning_ = !oldest.empty();
    shard_.restate(oldest);
    carry_out();
  });
}

void Engine::Impl::note_clock_step(Millis step) {
  ++counters_.clock_steps;
  if (manual_clock_ == nullptr) {
    log_warning("the clock was set", {{"step", format_duration(step)}});
  }
}

void Engine::Impl::tick() {
  shard_.tick(clock_.wall());
  begin_commit();
  carry_out();
  set_timer();
}

void Engine::Impl::set_timer() {
  const std::optional<WallTime> next = shard_.next_wakeup();
  const bool now = next && (shard_.has_work() || *next <= clock_.wall());
  if (manual_clock_ == nullptr && !now) {
    timer_.set(next);
    return;
  }
  if (!now || tick_posted_) return;
  tick_posted_ = true;
  asio::post(loop_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    tick_posted_ = false;
    tick();
  });
}

void Engine::Impl::note_hold(const TargetKey& key) {
  const TargetState* target = shard_.target(key);
  if (target == nullptr) return;
  if (target->hold.active()) ++counters_.holds;
  if (options_.on_hold) options_.on_hold(target->settings.name, view_of(*target).held);
}

void Engine::Impl::note_targets(const std::vector<TargetKey>& keys) {
  for (const TargetKey& key : keys) {
    const TargetState* target = shard_.target(key);
    if (target == nullptr || target->deleted) {
      const auto known = named_targets_.find(key.low);
      if (known == named_targets_.end()) continue;
      target_names_.erase(known->second->name);
      named_targets_.erase(known);
      continue;
    }
    Result<TargetSettings> settings = parse_stored_target(target->settings.settings);
    CARILLON_CHECK(settings.has_value());
    settings->name = target->settings.name;
    settings->paused = target->settings.paused;
    target_names_.insert_or_assign(settings->name, key);
    named_targets_[key.low] = std::make_shared<const TargetSettings>(std::move(*settings));
  }
}

/// Ticks and commits until nothing is left to do at this moment.
Async<void> Engine::Impl::run_to_rest() {
  for (;;) {
    tick();
    const std::optional<WallTime> next = shard_.next_wakeup();
    const bool more = shard_.has_work() || (next && *next <= clock_.wall());
    if (!more && !log_busy_ && !shard_.wants_commit() && fetching_ == 0) co_return;
    if (log_busy_ || fetching_ > 0) {
      co_await changed_.wait(MonoTime::max());
    } else {
      co_await yield();
    }
  }
}

/// A commit, even if there is nothing to say but what time it is: a restart goes on from there.
Async<void> Engine::Impl::keep_clock() {
  while (log_busy_) co_await changed_.wait(MonoTime::max());
  commit();
  while (log_busy_) co_await changed_.wait(MonoTime::max());
}

Async<WallTime> Engine::Impl::advance_clock(Millis by) {
  CARILLON_CHECK(manual_clock_ != nullptr);
  constexpr WallTime kEnd = WallTime(std::chrono::sys_days(std::chrono::year(2100) / 1 / 1));
  const WallTime until = std::min(manual_clock_->wall() + by, kEnd);
  // From one wake-up to the next, so that every task is fired at its own time and in due order.
  for (;;) {
    co_await run_to_rest();
    const std::optional<WallTime> next = shard_.next_wakeup();
    if (!next || *next >= until) break;
    manual_clock_->set(std::max(*next, manual_clock_->wall()));
  }
  manual_clock_->set(std::max(until, manual_clock_->wall()));
  co_await run_to_rest();
  co_await keep_clock();
  co_return manual_clock_->wall();
}

Async<void> Engine::Impl::drain(Millis deadline) {
  const MonoTime until = std::chrono::steady_clock::now() + deadline;
  phase_ = Phase::draining;
  shard_.stop_firing();
  carry_out();
  while ((shard_.in_flight() > 0 || log_busy_ || shard_.wants_commit()) &&
         std::chrono::steady_clock::now() < until) {
    co_await changed_.wait(until);
  }
  delivery_.stop();
  timer_.stop();
}

}  // namespace carillon
