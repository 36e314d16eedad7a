#include "engine/driver.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace carillon {
namespace {

/// A ticket names a caller and one of its replies.
constexpr int kTicketBits = 20;
constexpr Ticket kTicketMask = (Ticket{1} << kTicketBits) - 1;

constexpr std::uint64_t kStatementBytes = 50;                    // of a task restated in the log
constexpr std::uint64_t kCleanBytes = std::uint64_t{128} << 10;  // read at a time: some 3,000 tasks
constexpr std::uint32_t kCommitsPerCleanCheck = 64;
constexpr std::size_t kCommitAtMin = 16;  // fewer records are not worth a commit of their own
constexpr std::chrono::seconds kFreshFor{1};

}  // namespace

Error moved() {
  return {"moved", "Nothing was done; the shard has another owner. Send it again.", ""};
}

ShardDriver::ShardDriver(DriverLoop loop, Clock& clock, Log& log, ShardConsumer& consumer,
                         DriverOptions options)
    : loop_(std::move(loop)),
      clock_(clock),
      log_(log),
      consumer_(consumer),
      options_(options),
      shard_(options.shard) {}

ShardDriver::~ShardDriver() {
  for (Caller* const caller : callers_) {
    if (caller != nullptr) caller->dropped();
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
      return Error{"storage_failed", "Nothing was done; the server is about to end.", ""};
    case Phase::following:
    case Phase::handing_over:
    case Phase::let_go:
    case Phase::fenced:
      return moved();
    case Phase::serving:
      break;
  }
  if (shard_.open_bytes() <= options_.pending_bytes_max) return std::nullopt;
  return Error{"overloaded", "The queue to the disk is full; retry later.", ""};
}

void ShardDriver::submit(std::span<Command> commands, Caller& caller) {
  const std::size_t first = caller.submitted_;
  if (!begin_waiting(caller, commands.size())) return;
  shard_.submit(commands, ((caller.index_ + 1) << kTicketBits) + first);
  carry_out();
}

/// For so many replies more. False: they are there, as the shard is not this node's.
bool ShardDriver::begin_waiting(Caller& caller, std::size_t replies) {
  const std::size_t first = caller.submitted_;
  caller.submitted_ += replies;
  CARILLON_CHECK(replies > 0 && caller.submitted_ <= kTicketMask);
  // Until the shard says otherwise.
  for (std::size_t i = first; i < caller.submitted_; ++i)
    caller.replies_[i].verdict = Verdict::moved;
  if (is_idle() || phase_ == Phase::handing_over) return false;
  if (!caller.waits()) add_caller(caller);
  caller.missing_ += replies;
  return true;
}

void ShardDriver::confirm(Caller& caller) {
  CARILLON_CHECK(options_.shared_log);
  if (!begin_waiting(caller, 1)) return;
  put_off_.emplace_back().ticket = (caller.index_ + 1) << kTicketBits;
  carry_out();
}

void ShardDriver::add_caller(Caller& caller) {
  if (free_callers_.empty()) {
    caller.index_ = callers_.size();
    callers_.push_back(&caller);
  } else {
    caller.index_ = free_callers_.back();
    free_callers_.pop_back();
    callers_[caller.index_] = &caller;
  }
}

void ShardDriver::submit(Command command) {
  if (is_idle() || phase_ == Phase::handing_over) return;
  shard_.submit(std::move(command), 0);
  carry_out();
}

void ShardDriver::outcome(const Fired& fired, State state, WallTime retry_at, Note note,
                          const std::optional<Throttle>& throttle) {
  if (is_over()) return;
  shard_.outcome(fired.task, fired.number, state, retry_at, std::move(note), throttle);
  carry_out();
  // A slot that is free again, or a hold's end.
  if (state != State::delivered || shard_.has_work()) set_timer();
}

void ShardDriver::tick() {
  if (is_idle()) return;
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

void ShardDriver::reply(Reply& reply) {
  const std::size_t index = (reply.ticket >> kTicketBits) - 1;
  Caller& caller = *callers_[index];
  caller.replies_[reply.ticket & kTicketMask] = std::move(reply);
  if (--caller.missing_ > 0) return;
  callers_[index] = nullptr;
  free_callers_.push_back(index);
  caller.answered();
}

/// They answer no record.
void ShardDriver::put_off(std::vector<Reply> replies) {
  std::ranges::move(replies, std::back_inserter(put_off_));
}

/// Of what a commit that is over has brought: the replies to its records stay, the others wait for
/// the next one. Those that waited for this one come.
void ShardDriver::sort_out(std::vector<Reply>& replies) {
  // The former come first, in the order of their records.
  const std::span<const Ticket> sealed = shard_.sealed_tickets();
  auto record = sealed.begin();
  const auto answers_no_record = [&](const Reply& reply) {
    record = std::find(record, sealed.end(), reply.ticket);
    return record == sealed.end();
  };
  const auto others = std::ranges::find_if(replies, answers_no_record);
  std::move(others, replies.end(), std::back_inserter(put_off_));
  replies.erase(others, replies.end());
  std::ranges::move(confirming_, std::back_inserter(replies));
  confirming_.clear();
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
  shard_.committed(batch);
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

void ShardDriver::lose_shard() {
  committing_ = false;
  phase_ = Phase::fenced;
  const auto is_unknown = [this](const Ticket ticket) {
    if (ticket == 0) return;
    Caller& caller = *callers_[(ticket >> kTicketBits) - 1];
    caller.replies_[ticket & kTicketMask].verdict = Verdict::outcome_unknown;
  };
  std::ranges::for_each(shard_.sealed_tickets(), is_unknown);
  std::ranges::for_each(shard_.half_done_tickets(), is_unknown);
  // Whoever is told may take others with him, or the driver.
  const std::weak_ptr alive(alive_);
  for (std::size_t i = 0; !alive.expired() && i < callers_.size(); ++i) {
    Caller* const caller = std::exchange(callers_[i], nullptr);
    if (caller == nullptr) continue;
    caller->missing_ = 0;
    caller->answered();
  }
  if (!alive.expired()) consumer_.fenced();
}

/// Finished tasks give way before adds are refused: their contents are the only ones that nobody
/// waits for.
void ShardDriver::make_space() {
  const LogStats stats = log_.stats();
  if (stats.low_on_space != std::exchange(low_on_space_, stats.low_on_space) && low_on_space_) {
    log_warning("the disk is getting full; finished tasks are forgotten early",
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
