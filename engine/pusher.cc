#include "engine/pusher.h"

#include <algorithm>
#include <utility>

#include "base/failpoint.h"
#include "delivery/batch.h"
#include "delivery/kind.h"
#include "delivery/retry.h"
#include "storage/content.h"

namespace carillon {
namespace {

constexpr std::uint32_t kAttemptsMax = 1023;  // as far as an entry counts
constexpr const char* kCommitTooLate = "not sent: its commit took longer than expire_after";

/// What the answer says against the target itself.
std::optional<HoldReason> fault_of(const PushResult& result) {
  constexpr std::uint32_t kServerErrors = 500;
  if (result.not_now == NotNow::too_many_requests) return HoldReason::too_many_requests;
  if (result.not_now) return HoldReason::unavailable;
  const bool is_server_error = result.status == 0 || result.status >= kServerErrors;
  if (result.kind == PushResult::Kind::failed && is_server_error) return HoldReason::failing;
  return std::nullopt;  // it works, whatever it thinks of this task
}

/// The attempts that are remembered once another comes after `last`.
std::vector<FailedAttempt> with(const Note& last) {
  std::vector<FailedAttempt> attempts = last.before;
  if (attempts.size() == Note::kAttemptsBefore) attempts.erase(attempts.begin());
  attempts.push_back({last.at, last.attempt, last.http_status, last.error, last.late, last.took});
  return attempts;
}

}  // namespace

Pusher::Pusher(Parts parts, std::uint64_t cache_bytes_max, std::uint64_t push_bytes_max)
    : its_(parts),
      contents_(parts.clock, parts.log, *this, cache_bytes_max, push_bytes_max),
      batcher_({parts.sink, parts.driver, parts.random, *this}) {}

void Pusher::begin(const std::vector<Fired>& fired) {
  CARILLON_FAILPOINT("fire.durable");
  its_.counters.fired += fired.size();
  for (const Fired& task : fired) {
    if (task.push != 0) batcher_.expect(task);
  }
  contents_.bring(fired);
  // What is not there by now may be long in coming.
  if (!contents_.fetching()) batcher_.settle(/*all=*/true);
}

void Pusher::piece_taken() {
  batcher_.settle(!contents_.fetching());
  its_.settled();
}

void Pusher::settled() {
  for (Waiting& push : std::exchange(waiting_, {})) take(push.fired, std::move(push.row));
  batcher_.go_on();
}

void Pusher::take(const Fired& fired, ContentCache::Row row) {
  const TargetRegistry::Settings& target = its_.targets.of_push(fired.target);
  const bool is_batched =
      target->own->batch().tasks_max > 0 || (fired.is_merged && target->own->takes_several());
  if (!is_batched && !its_.driver.is_fresh()) {
    waiting_.push_back({fired, std::move(row)});
    return its_.driver.refresh();
  }
  // What they were set to may have changed since they were fired.
  if (is_batched && fired.push == 0) batcher_.expect(fired);
  if (!is_batched && fired.push != 0) batcher_.miss(fired);
  const Result<TaskContent> content = decode_content(*row);
  if (!content) {
    if (is_batched) batcher_.miss(fired);
    contents_.release(fired.target, row->size());
    return bury(fired, content.error().detail);
  }
  Pushing pushing;
  pushing.fired = fired;
  pushing.retry = content->retry.value_or(RetryChoice()).over(target->retry);
  pushing.bytes = row->size();
  pushing.target = target;
  // A task that was given a due in the past is late from when it came.
  pushing.late_from = std::max(fired.due, content->created_at);
  pushing.attempts = fired.attempt - std::min(fired.attempt - 1, content->attempts_before);
  if (is_batched) {
    BatchedTask task{std::move(pushing), std::string(content->webhook_id),
                     format_batched(*content, fired.asked_due, fired.attempt)};
    return batcher_.add(std::move(task));
  }
  if (!begins(pushing)) return expired(pushing);
  Push push;
  push.target = target;
  push.content = *content;
  push.row = std::move(row);
  push.due = fired.asked_due;
  push.attempt = fired.attempt;
  its_.sink.push(std::move(push),
                 [this, alive = std::weak_ptr(alive_), pushing](PushResult result) {
                   if (!alive.expired()) ended(pushing, std::move(result));
                 });
}

void Pusher::take_nothing(const Fired& fired) {
  if (fired.push != 0) batcher_.miss(fired);
  bury(fired, "its content is missing from the data directory");
}

bool Pusher::begins(Pushing& task) {
  task.began = its_.clock.wall();
  if (task.began > task.fired.expires_at) return false;
  const auto lateness = std::chrono::duration_cast<std::chrono::microseconds>(
      its_.clock.wall_micros() - task.late_from);
  its_.counters.lateness.record(lateness);
  its_.counters.lane_lateness[task.fired.lane].record(lateness);
  return true;
}

void Pusher::expired(const Pushing& task) {
  const WallTime now = task.began;
  contents_.release(task.fired.target, task.bytes);
  its_.driver.outcome(task.fired, State::retrying, now,
                      Note{now, task.fired.attempt, 0, kCommitTooLate});
}

void Pusher::ended(const Pushing& push, PushResult result) {
  CARILLON_FAILPOINT("push.answered");
  contents_.release(push.fired.target, push.bytes);
  if (result.kind == PushResult::Kind::delivered) {
    return delivered(push, result);
  }
  const std::optional<HoldReason> fault = fault_of(result);
  Outcome outcome{std::move(result), fault};
  if (push.fired.attempt == 1) return failed(push, std::nullopt, std::move(outcome));
  its_.log.fetch({.numbers = {push.fired.number}, .notes = true, .heads = true},
                 [this, alive = std::weak_ptr(alive_), push,
                  outcome = std::move(outcome)](std::vector<Fetched> fetched) {
                   if (!alive.expired()) failed(push, fetched[0].note, outcome);
                 });
}

void Pusher::batch_ended(std::vector<BatchedTask> tasks, const PushResult& whole,
                         std::vector<PushResult> results, bool in_halves) {
  CARILLON_FAILPOINT("push.answered");
  // What is said of single tasks says nothing against the target.
  const std::optional<HoldReason> fault = fault_of(whole);
  // Those that were merged pause alike, and so meet again.
  const std::uint64_t seed = its_.random();
  std::vector<std::pair<Pushing, Outcome>> again;  // of which there is a note
  Fetch wanted{.numbers = {}, .notes = true, .heads = true};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const Pushing& push = tasks[i].pushing;
    contents_.release(push.fired.target, push.bytes);
    if (results[i].kind == PushResult::Kind::delivered) {
      batcher_.forget(push.fired.number);
      delivered(push, results[i]);
      continue;
    }
    Outcome outcome{std::move(results[i]), fault, in_halves};
    if (push.fired.is_merged) outcome.seed = seed;
    if (push.fired.attempt == 1) {
      failed(push, std::nullopt, std::move(outcome));
    } else {
      wanted.numbers.push_back(push.fired.number);
      again.emplace_back(push, std::move(outcome));
    }
  }
  if (again.empty()) return;
  its_.log.fetch(std::move(wanted), [this, alive = std::weak_ptr(alive_),
                                     again = std::move(again)](std::vector<Fetched> fetched) {
    if (alive.expired()) return;
    for (std::size_t i = 0; i < again.size(); ++i) {
      failed(again[i].first, fetched[i].note, again[i].second);
    }
  });
}

void Pusher::delivered(const Pushing& push, const PushResult& result) {
  Note note;
  note.http_status = result.status;
  note.took = its_.clock.wall() - push.began;
  its_.driver.outcome(push.fired, State::delivered, {}, std::move(note));
}

void Pusher::failed(const Pushing& push, const std::optional<Note>& before, Outcome outcome) {
  const Fired& fired = push.fired;
  PushResult& result = outcome.result;
  const WallTime now = its_.clock.wall();
  // As it is set now: a breaker that was switched off while this push was under way counts no more.
  const TargetRegistry::Settings target = its_.targets.of_push(fired.target);
  std::optional<Trouble> trouble;
  if (outcome.fault && (*outcome.fault != HoldReason::failing || target->breaker.failures != 0)) {
    trouble = {now, *outcome.fault, result.retry_after, target->hold_max, target->breaker};
  }
  const bool is_throttled = result.not_now.has_value();
  Note note{now, fired.attempt, result.status, std::move(result.error), push.began};
  note.late = push.began - fired.due;
  note.took = now - push.began;
  if (before && before->is_of_push()) note.before = with(*before);
  note.paused_for = its_.targets.paused_for(fired.target, now);
  // What was before a redrive does not count.
  if (before && before->is_of_push() && before->attempt > fired.attempt - push.attempts) {
    // The time in which its target was paused does not count for `max_age`.
    const Millis paused = std::clamp(note.paused_for - before->paused_for, Millis(0),
                                     std::max(now - before->at, Millis(0)));
    note.first_attempt_at = before->first_attempt_at + paused;
    note.uncounted = before->uncounted;
  }
  if (is_throttled) ++its_.counters.throttled;
  if (is_throttled || fired.is_probe || outcome.again_at_once) ++note.uncounted;
  std::optional<WallTime> again;
  if (result.kind != PushResult::Kind::refused_for_good && fired.attempt < kAttemptsMax) {
    std::optional<std::mt19937_64> shared;
    if (outcome.seed) shared.emplace(*outcome.seed);
    again = next_attempt(push.retry,
                         {.at = now,
                          .first_attempt_at = note.first_attempt_at,
                          .attempts = push.attempts,
                          .uncounted = note.uncounted,
                          .is_throttled = is_throttled,
                          .is_probe = fired.is_probe,
                          .at_once = outcome.again_at_once,
                          .asked = result.retry_after,
                          .throttle_max = target->hold_max},
                         shared ? *shared : its_.random);
    // It has waited for others already.
    const BatchLimit batch = push.target->own->batch();
    if (again && outcome.again_at_once && batch.tasks_max > 0) *again -= batch.wait_max;
  }
  if (!again) batcher_.forget(fired.number);
  note.retry_at = again.value_or(WallTime{});
  its_.driver.outcome(fired, again ? State::retrying : State::dead, again.value_or(WallTime{}),
                      std::move(note), trouble);
}

/// What cannot be pushed because its content is damaged is a dead letter: seen, and never a wrong
/// payload.
void Pusher::bury(const Fired& fired, const std::string& why) {
  const WallTime now = its_.clock.wall();
  its_.driver.outcome(fired, State::dead, {}, Note{now, fired.attempt, 0, why});
}

}  // namespace carillon
