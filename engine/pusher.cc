#include "engine/pusher.h"

#include <algorithm>
#include <utility>

#include "base/failpoint.h"
#include "delivery/retry.h"
#include "storage/content.h"

namespace carillon {
namespace {

constexpr std::uint32_t kAttemptsMax = 1023;  // as far as an entry counts
constexpr const char* kCommitTooLate = "not sent: its commit took longer than expire_after";

/// What the answer says against the target itself.
std::optional<Trouble> trouble_of(const PushResult& result, WallTime now, Millis hold_max,
                                  const Breaker& breaker) {
  constexpr std::uint32_t kServerErrors = 500;
  Trouble trouble{.at = now, .asked = result.retry_after, .hold_max = hold_max, .breaker = breaker};
  if (result.not_now) {
    trouble.reason = *result.not_now == NotNow::too_many_requests ? HoldReason::too_many_requests
                                                                  : HoldReason::unavailable;
  } else if (result.kind == PushResult::Kind::failed && breaker.failures != 0 &&
             (result.status == 0 || result.status >= kServerErrors)) {
    trouble.reason = HoldReason::failing;
  } else {
    return std::nullopt;  // it works, whatever it thinks of this task, or is not watched
  }
  return trouble;
}

}  // namespace

Pusher::Pusher(Parts parts, std::uint64_t cache_bytes_max, std::uint64_t push_bytes_max)
    : its_(parts), contents_(parts.clock, parts.log, *this, cache_bytes_max, push_bytes_max) {}

void Pusher::begin(const std::vector<Fired>& fired) {
  CARILLON_FAILPOINT("fire.durable");
  its_.counters.fired += fired.size();
  contents_.bring(fired);
}

void Pusher::settled() {
  for (Waiting& push : std::exchange(waiting_, {})) take(push.fired, std::move(push.row));
}

void Pusher::take(const Fired& fired, ContentCache::Row row) {
  if (!its_.driver.is_fresh()) {
    waiting_.push_back({fired, std::move(row)});
    return its_.driver.refresh();
  }
  const Result<TaskContent> content = decode_content(*row);
  const std::uint64_t bytes = row->size();
  if (!content) {
    contents_.release(fired.target, bytes);
    return bury(fired, content.error().detail);
  }
  if (const WallTime now = its_.clock.wall(); now > fired.expires_at) {
    contents_.release(fired.target, bytes);
    return its_.driver.outcome(fired, State::retrying, now,
                               Note{now, fired.attempt, 0, kCommitTooLate, now});
  }
  Push push;
  push.target = its_.targets.of_push(fired.target);
  push.content = *content;
  push.row = std::move(row);
  push.due = fired.asked_due;
  push.attempt = fired.attempt;
  // A task that was given a due in the past is late from when it came.
  const auto lateness = its_.clock.wall_micros() - std::max(fired.due, content->created_at);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(lateness);
  its_.counters.lateness.record(micros);
  its_.counters.lane_lateness[fired.lane].record(micros);
  Pushing pushing;
  pushing.fired = fired;
  pushing.retry = content->retry.value_or(RetryChoice()).over(push.target->retry);
  pushing.bytes = bytes;
  pushing.began = its_.clock.wall();
  pushing.attempts = fired.attempt - std::min(fired.attempt - 1, content->attempts_before);
  its_.sink.push(std::move(push),
                 [this, alive = std::weak_ptr(alive_), pushing](PushResult result) {
                   if (!alive.expired()) ended(pushing, std::move(result));
                 });
}

void Pusher::take_nothing(const Fired& fired) {
  bury(fired, "its content is missing from the data directory");
}

void Pusher::ended(const Pushing& push, PushResult result) {
  CARILLON_FAILPOINT("push.answered");
  contents_.release(push.fired.target, push.bytes);
  if (result.kind == PushResult::Kind::delivered) {
    return its_.driver.outcome(push.fired, State::delivered, {}, {});
  }
  if (push.attempts == 1) return failed(push, std::nullopt, std::move(result));
  its_.log.fetch({.numbers = {push.fired.number}, .notes = true, .heads = true},
                 [this, alive = std::weak_ptr(alive_), push,
                  result = std::move(result)](std::vector<Fetched> fetched) {
                   if (!alive.expired()) failed(push, fetched[0].note, result);
                 });
}

void Pusher::failed(const Pushing& push, const std::optional<Note>& before, PushResult result) {
  const Fired& fired = push.fired;
  const WallTime now = its_.clock.wall();
  // As they are now: a breaker that was switched off while this push was under way counts no more.
  const TargetRegistry::Settings settings = its_.targets.of_push(fired.target);
  const std::optional<Trouble> trouble =
      trouble_of(result, now, settings->hold_max, settings->breaker);
  const bool is_throttled = result.not_now.has_value();
  Note note{now, fired.attempt, result.status, std::move(result.error), push.began};
  note.paused_for = its_.targets.paused_for(fired.target, now);
  if (before) {
    // The time in which its target was paused does not count for `max_age`.
    const Millis paused = std::clamp(note.paused_for - before->paused_for, Millis(0),
                                     std::max(now - before->at, Millis(0)));
    note.first_attempt_at = before->first_attempt_at + paused;
    note.uncounted = before->uncounted;
  }
  if (is_throttled) ++its_.counters.throttled;
  if (is_throttled || fired.is_probe) ++note.uncounted;
  std::optional<WallTime> again;
  if (result.kind != PushResult::Kind::refused_for_good && fired.attempt < kAttemptsMax) {
    again = next_attempt(push.retry,
                         {.at = now,
                          .first_attempt_at = note.first_attempt_at,
                          .attempts = push.attempts,
                          .uncounted = note.uncounted,
                          .is_throttled = is_throttled,
                          .is_probe = fired.is_probe,
                          .asked = result.retry_after,
                          .throttle_max = settings->hold_max},
                         its_.random);
  }
  its_.driver.outcome(fired, again ? State::retrying : State::dead, again.value_or(WallTime{}),
                      std::move(note), trouble);
}

/// What cannot be pushed because its content is damaged is a dead letter: seen, and never a wrong
/// payload.
void Pusher::bury(const Fired& fired, const std::string& why) {
  const WallTime now = its_.clock.wall();
  its_.driver.outcome(fired, State::dead, {}, Note{now, fired.attempt, 0, why, now});
}

}  // namespace carillon
