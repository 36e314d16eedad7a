#include "engine/engine.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include <boost/asio/post.hpp>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "engine/made_ids.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t kTurns = 2;  // long looks at once; each adds a slice to the loop's turn

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size_pages = 0;
  std::uint64_t resident_pages = 0;
  statm >> size_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Engine::Engine(asio::io_context& loop, Clock& clock, Log& log, Sink& sink, UrlPolicy& urls,
               EngineOptions options)
    : manual_clock_(dynamic_cast<ManualClock*>(&clock)),
      timer_(loop, clock, [this](std::optional<Millis> step) { time_came(step); }),
      gate_(loop, [this] { serve_due(); }),
      changed_(loop),
      drained_(loop),
      local_(place(loop, clock, log, sink), std::move(options)),
      turns_(loop, kTurns),
      changes_(loop, 1),
      planner_({clock, local_.keys(), urls, local_.options()}),
      refusals_(local_),
      queries_(loop, local_, turns_),
      lists_(loop, gate_, local_, turns_),
      commands_({loop, local_, planner_, queries_, refusals_, urls}),
      dead_letters_({loop, local_, planner_, queries_, refusals_, turns_, changed_}),
      target_changes_({local_, refusals_, urls, changes_}),
      lane_changes_({local_, refusals_, changes_}),
      clock_mover_({loop, local_, changed_}) {}

LocalShard::Place Engine::place(asio::io_context& loop, Clock& clock, Log& log, Sink& sink) {
  const auto turn_soon = [this, &loop] {
    asio::post(loop, [this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) local_.driver().turn();
    });
  };
  // A manual clock wakes nobody: whoever moves it sees to what is due.
  const auto wake_at = [this](std::optional<WallTime> moment) {
    if (manual_clock_ == nullptr) timer_.set(moment);
  };
  return {.loop = {.turn_soon = turn_soon, .wake_at = wake_at},
          .clock = clock,
          .log = log,
          .sink = sink,
          .random = make_random(),
          .settled =
              [this] {
                changed_.notify();
                drained_.notify();
              },
          .fenced = [this] { fenced(); }};
}

void Engine::fenced() {
  // A data directory has one owner.
  CARILLON_CHECK(local_.options().shared_log);
  changed_.notify();
  drained_.notify();
  const std::function<void()> tell = local_.options().on_fenced;
  tell();
}

void Engine::time_came(std::optional<Millis> step) {
  if (step) {
    ++local_.counters().clock_steps;
    if (manual_clock_ == nullptr) {
      log_warning("the clock was set", {{"step", format_duration(*step)}});
    }
  }
  if (manual_clock_ == nullptr) local_.driver().tick();
}

void Engine::serve_due() {
  if (timer_.is_due()) local_.driver().tick();
}

Result<WallTime> Engine::recover(
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  const Result<WallTime> latest = local_.driver().recover(progress);
  if (!latest) return latest.error();
  // A manual clock goes on where the log left it: its time does not run backward over a restart.
  if (manual_clock_ != nullptr) manual_clock_->set(std::max(manual_clock_->wall(), *latest));
  return latest;
}

void Engine::follow(const std::vector<Batch>& batches) {
  for (const Batch& batch : batches) local_.driver().follow(batch);
}

Async<bool> Engine::hand_over(Millis deadline) {
  ShardDriver& driver = local_.driver();
  const MonoTime until = std::chrono::steady_clock::now() + deadline;
  driver.hand_over();
  while (!driver.drained() && std::chrono::steady_clock::now() < until) {
    co_await drained_.wait(until);
  }
  driver.let_go();
  while (!driver.drained()) co_await drained_.wait(MonoTime::max());
  timer_.stop();
  co_return driver.not_ready_because() != "fenced";
}

Async<void> Engine::drain(Millis deadline) {
  const MonoTime until = std::chrono::steady_clock::now() + deadline;
  local_.driver().drain();
  while (!local_.driver().drained() && std::chrono::steady_clock::now() < until) {
    co_await drained_.wait(until);
  }
  local_.sink().stop();
  timer_.stop();
}

void Engine::set_limits(const TargetLimits& limits) {
  local_.shard().set_limits(limits);
  local_.driver().tick();
}

void Engine::hold_target(std::string_view name, HoldReason reason, WallTime until) {
  record::TargetHold hold;
  hold.key = local_.keys().of(name);
  hold.reason = reason;
  hold.until = until;
  local_.driver().submit(std::move(hold));
}

EngineCounters Engine::counters_now() const {
  const auto ended = [this](State state) {
    return local_.shard().ended()[static_cast<std::size_t>(state)];
  };
  EngineCounters counters = local_.counters();
  counters.delivered = ended(State::delivered);
  counters.retried = ended(State::retrying);
  counters.died = ended(State::dead);
  counters.expired = ended(State::expired);
  counters.cancelled = commands_.cancelled() + ended(State::cancelled);
  counters.operations = local_.shard().operations();
  counters.commit_time = local_.driver().commit_times();
  return counters;
}

Stats Engine::stats_now() const {
  const Shard& shard = local_.shard();
  Stats stats;
  stats.now = local_.clock().wall();
  stats.counts = shard.counts();
  stats.backlog = shard.backlog();
  if (const auto oldest = shard.oldest_queued()) {
    stats.oldest_overdue = std::max(stats.now - *oldest, Millis(0));
  }
  stats.lateness = local_.counters().lateness;
  stats.lanes = lane_changes_.views();
  stats.log = local_.log().stats();
  stats.delivery = local_.sink().stats();
  stats.memory_tasks_bytes = shard.bytes();
  stats.memory_content_bytes = local_.contents().bytes() + lists_.bytes();
  stats.memory_resident_bytes = resident_bytes();
  stats.last_sequence = shard.last_sequence();
  stats.pending_max = local_.options().shard.pending_max;
  stats.retained_max = local_.options().shard.retained_max;
  return stats;
}

}  // namespace carillon
