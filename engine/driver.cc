#include "engine/driver.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace carillon {
namespace {

constexpr std::uint64_t kStatementBytes = 50;                    // of a task restated in the log
constexpr std::uint64_t kCleanBytes = std::uint64_t{128} << 10;  // read at a time: some 3,000 tasks
constexpr std::uint32_t kCommitsPerCleanCheck = 64;
constexpr std::size_t kCommitAtMin = 16;  // fewer records are not worth a commit of their own
constexpr std::chrono::seconds kFreshFor{1};

}  // namespace

ShardDriver::ShardDriver(DriverLoop loop, Clock& clock, Log& log, ShardConsumer& consumer,
                         DriverOptions options)
    : loop_(std::move(loop)),
      clock_(clock),
      log_(log),
      consumer_(consumer),
      options_(options),
      shard_(options.shard) {}

ShardDriver::~ShardDriver() {
  for (const Waiting& waiting : callers_) {
    if (waiting.caller != nullptr) waiting.caller->dropped();
  }
}

Result<WallTime> ShardDriver::recover(
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
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
  if (!done) return done.error();
  CARILLON_FAILPOINT("recover.replayed");
  consumer_.targets_changed(std::exchange(shard_.effects(), {}).targets);
  if (options_.shared_log) phase_ = Phase::following;
  return latest;
}

void ShardDriver::follow(const Batch& batch) {
  CARILLON_CHECK(phase_ == Phase::following);
  shard_.follow(batch);
  const Effects effects = std::exchange(shard_.effects(), {});
  if (!effects.targets.empty()) consumer_.targets_changed(effects.targets);
}

void ShardDriver::start(Millis firing_stays) {
  phase_ = Phase::serving;
  if (firing_stays > Millis(0)) firing_stays_until_ = clock_.mono() + firing_stays;
  shard_.start(clock_.wall(), firing_stays_until_ ? Interrupted::stays : Interrupted::ends);
  tick();
}

void ShardDriver::drain() {
  if (is_over()) return;
  if (phase_ != Phase::failed) phase_ = Phase::draining;
  shard_.stop_firing();
  carry_out();
}

void ShardDriver::hand_over() {
  CARILLON_CHECK(options_.shared_log);
  if (phase_ != Phase::serving) return;
  phase_ = Phase::handing_over;
  firing_stays_until_.reset();
  shard_.stop_firing();
  carry_out();
}

void ShardDriver::let_go() {
  if (phase_ == Phase::handing_over) phase_ = Phase::let_go;
}

bool ShardDriver::drained() const {
  if (phase_ == Phase::fenced) return true;
  const bool pushing = shard_.in_flight() > 0 && phase_ != Phase::let_go;
  return !pushing && !committing_ && !wants_commit();
}

void ShardDriver::storage_failed() {
  phase_ = Phase::failed;
  shard_.stop_firing();
  consumer_.settled();
}

std::string ShardDriver::not_ready_because() const {
  switch (phase_) {
    case Phase::recovering:
      return "recovering";
    case Phase::following:
      return "following";
    case Phase::draining:
      return "draining";
    case Phase::handing_over:
    case Phase::let_go:
      return "handing over";
    case Phase::failed:
      return "storage failed";
    case Phase::fenced:
      return "fenced";
    case Phase::serving:
      break;
  }
  return {};
}

std::optional<Error> ShardDriver::closed() const {
  switch (phase_) {
    case Phase::recovering:
    case Phase::draining:
      return Error{"not_ready", "The server is " + not_ready_because() + ".", ""};
    case Phase::failed:
      return Error{"not_ready",
                   "Storage has failed. Nothing was done, and the server is about to end.", ""};
    case Phase::following:
    case Phase::handing_over:
    case Phase::let_go:
    case Phase::fenced:
      return moved();
    case Phase::serving:
      break;
  }
  if (is_away()) return log_away();
  if (shard_.open_bytes() <= options_.pending_bytes_max) return std::nullopt;
  return Error{"overloaded", "The queue to the disk is full; retry later.", ""};
}

void ShardDriver::submit(std::span<Command> commands, Caller& caller) {
  const std::size_t first = caller.submitted_;
  if (!begin_waiting(caller, commands.size())) return;
  shard_.submit(commands, ticket_of(caller, first));
  carry_out();
}

void ShardDriver::submit(Command command) {
  if (is_idle() || phase_ == Phase::handing_over) return;
  shard_.submit(std::move(command), 0);
  carry_out();
}

void ShardDriver::outcome(const Fired& fired, State state, WallTime retry_at, Note note,
                          const std::optional<Trouble>& trouble) {
  if (is_over()) return;
  shard_.outcome(fired, state, retry_at, std::move(note), trouble);
  carry_out();
  // A slot that is free again, or a hold's end.
  if (state != State::delivered || shard_.has_work()) set_timer();
}

void ShardDriver::tick() {
  if (is_idle()) return;
  const std::weak_ptr alive(alive_);
  if (is_away()) give_up_waiting();
  if (alive.expired() || is_idle()) return;
  if (firing_stays_until_ && clock_.mono() >= *firing_stays_until_) {
    firing_stays_until_.reset();
    shard_.end_interrupted();
  }
  shard_.tick(clock_.wall());
  begin_commit();
  carry_out();
  set_timer();
}

void ShardDriver::turn() {
  turn_asked_for_ = false;
  if (phase_ == Phase::fenced) return;
  if (std::exchange(tick_in_turn_, false) && !is_idle()) return tick();
  begin_commit();
}

void ShardDriver::carry_out() {
  while (!shard_.effects().empty()) {
    Effects effects = std::exchange(shard_.effects(), {});
    if (options_.shared_log) put_off(std::exchange(effects.replies, {}));
    hand_on(std::move(effects));
  }
  if (committing_ || !wants_commit()) return;
  if (shard_.open_records() >= commit_at_) {
    begin_commit();
  } else {
    ask_for_turn();
  }
}

void ShardDriver::hand_on(Effects effects) {
  if (!effects.targets.empty()) consumer_.targets_changed(effects.targets);
  if (!effects.holds.empty()) consumer_.holds_changed(effects.holds);
  if (!effects.imminent.empty()) consumer_.imminent(effects.imminent, {});
  if (!effects.fired.empty()) consumer_.fired(std::move(effects.fired));
  for (Reply& its : effects.replies) reply(its);
}

bool ShardDriver::is_fresh() const {
  if (!options_.shared_log) return true;
  return !is_over() && owner_at_ && clock_.mono() - *owner_at_ <= kFreshFor;
}

void ShardDriver::refresh() {
  if (committing_ || is_over()) return;
  refreshing_ = true;
  ask_for_turn();
}

bool ShardDriver::wants_commit() const {
  if (phase_ == Phase::let_go) return shard_.open_records() > 0 || !put_off_.empty();
  return shard_.wants_commit() || refreshing_ || !put_off_.empty();
}

void ShardDriver::begin_commit() {
  if (!committing_ && wants_commit()) commit();
}

void ShardDriver::commit() {
  CARILLON_CHECK(!committing_);
  committing_ = true;
  refreshing_ = false;
  gave_up_ = false;
  confirming_.swap(put_off_);
  commit_began_ = clock_.mono();
  Batch sealed = shard_.seal(clock_.wall(), std::move(spare_), options_.batch_bytes_max);
  trimming_ = sealed.trim_before != 0;
  commit_at_ = std::max(kCommitAtMin, (last_records_ + sealed.records.size()) / 2);
  last_records_ = sealed.records.size();
  log_.append(std::move(sealed),
              [this, alive = std::weak_ptr(alive_)](Appended how, Batch&& batch) {
                if (alive.expired()) return;
                how == Appended::committed ? committed(std::move(batch)) : lose_shard();
              });
  if (options_.shared_log && committing_) set_timer();
}

void ShardDriver::committed(Batch&& batch) {
  CARILLON_FAILPOINT_IF(std::ranges::any_of(batch.records,
                                            [](const Record& fact) {
                                              return std::holds_alternative<record::Outcome>(fact);
                                            }),
                        "outcome.durable");
  committing_ = false;
  owner_at_ = commit_began_;
  commit_times_.record(
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.mono() - commit_began_));
  // Only now does the log know what was trimmed: cleaning on earlier would restate the same again.
  if (std::exchange(trimming_, false)) {
    cleaning_ = false;
    commits_to_clean_check_ = 0;
  }
  shard_.committed(batch, clock_.wall());
  make_space();
  Effects effects = std::exchange(shard_.effects(), {});
  if (options_.shared_log) sort_out(effects.replies);
  const std::vector<TaskNumber> imminent = std::exchange(effects.imminent, {});
  if (!imminent.empty()) consumer_.imminent(imminent, batch.contents);
  spare_ = std::move(batch);
  // The next batch was gathered while this one was committed: it goes out before callers go on.
  begin_commit();
  hand_on(std::move(effects));
  carry_out();
  set_timer();
  clean_if_worth();
  consumer_.settled();
}

/// Finished tasks give way before adds are refused: their contents are the only ones that nobody
/// waits for.
void ShardDriver::make_space() {
  const LogStats stats = log_.stats();
  if (stats.low_on_space != std::exchange(low_on_space_, stats.low_on_space) && low_on_space_) {
    log_warning("the space for the log is getting full; finished tasks are forgotten early",
                {{"free_bytes", stats.free_bytes}});
  }
  shard_.retain_none(low_on_space_);
}

void ShardDriver::clean_if_worth() {
  if (cleaning_ || commits_to_clean_check_-- > 0) return;
  commits_to_clean_check_ = kCommitsPerCleanCheck;
  const std::uint64_t restated = kStatementBytes * shard_.tasks();
  if (log_.stats().log_bytes >= 2 * restated + options_.log_slack_bytes) clean(kCleanBytes);
}

void ShardDriver::clean(std::uint64_t bytes) {
  if (std::exchange(cleaning_, true)) return;
  log_.read_oldest(bytes, [this, alive = std::weak_ptr(alive_)](std::vector<Batch> oldest) {
    if (alive.expired() || is_over()) return;
    CARILLON_FAILPOINT("clean.read");
    cleaning_ = !oldest.empty();
    shard_.restate(oldest);
    carry_out();
  });
}

bool ShardDriver::at_rest() const {
  return !is_due(next_wakeup()) && !committing_ && !wants_commit();
}

/// When to tick next.
std::optional<WallTime> ShardDriver::next_wakeup() const {
  std::optional<WallTime> next = shard_.next_wakeup();
  if (firing_stays_until_) {
    const auto left = std::chrono::ceil<Millis>(*firing_stays_until_ - clock_.mono());
    next = std::min(next.value_or(WallTime::max()), clock_.wall() + left);
  }
  if (options_.shared_log && committing_ && !gave_up_) {
    const auto left = std::chrono::ceil<Millis>(commit_began_ + kAwayAfter - clock_.mono());
    next = std::min(next.value_or(WallTime::max()), clock_.wall() + left);
  }
  return next;
}

/// Where the next wake-up is `next`: a tick would do something right now.
bool ShardDriver::is_due(const std::optional<WallTime>& next) const {
  return shard_.has_work() || (next && *next <= clock_.wall());
}

void ShardDriver::set_timer() {
  const std::optional<WallTime> next = next_wakeup();
  if (is_due(next)) {
    tick_in_turn_ = true;
    ask_for_turn();
  } else {
    loop_.wake_at(next);
  }
}

void ShardDriver::ask_for_turn() {
  if (!std::exchange(turn_asked_for_, true)) loop_.turn_soon();
}

}  // namespace carillon
