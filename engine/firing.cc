// Firing: contents are at hand when they are due, pushes begin, outcomes go back to the shard.

#include "base/failpoint.h"
#include "delivery/retry.h"
#include "engine/impl.h"
#include "storage/content.h"

namespace carillon {
namespace {

/// Of one fetch.
constexpr std::uint64_t kFetchedBytes = std::uint64_t{4} << 20;
constexpr std::uint32_t kAttemptsMax = 1023;  // as far as an entry counts

}  // namespace

/// Contents that are not at hand when they are due are fetched then: so what would be more than the
/// cache holds need not be fetched ahead.
void Engine::Impl::prefetch(const std::vector<TaskNumber>& numbers) {
  for (const TaskNumber number : numbers) {
    if (!cache_.contains(number)) to_prefetch_.push_back(number);
  }
  if (!prefetching_) prefetch_next();
}

void Engine::Impl::prefetch_next() {
  const MonoTime now = clock_.mono();
  if (now - prefetch_began_ >= std::chrono::seconds(1)) {
    prefetch_began_ = now;
    prefetched_bytes_ = 0;
  }
  if (prefetched_bytes_ >= options_.content_cache_bytes) to_prefetch_.clear();
  prefetching_ = !to_prefetch_.empty();
  if (!prefetching_) return;
  Fetch wanted{.numbers = {}, .bytes_max = kFetchedBytes};
  while (!to_prefetch_.empty() && wanted.numbers.size() < kFetchedAtOnce) {
    wanted.numbers.push_back(to_prefetch_.front());
    to_prefetch_.pop_front();
  }
  log_.fetch(std::move(wanted),
             [this, alive = std::weak_ptr(alive_)](std::vector<Fetched> fetched) {
               if (alive.expired()) return;
               for (auto task = fetched.rbegin(); task != fetched.rend(); ++task) {
                 if (task->left_out) to_prefetch_.push_front(task->number);
                 if (!task->content) continue;
                 prefetched_bytes_ += task->content->size();
                 cache_.put(task->number, std::move(*task->content));
               }
               prefetch_next();
             });
}

void Engine::Impl::begin_pushes(std::vector<Fired> fired) {
  for (const Fired& task : fired) {
    ++counters_.fired;
    CARILLON_FAILPOINT("fire.durable");
    if (ContentCache::Row row = cache_.take(task.number)) {
      push_if_admitted(task, std::move(row));
    } else {
      unfetched_.push_back({task});
    }
  }
  fetch_fired();
}

/// Fetches contents of tasks that are to be pushed, a bounded piece at a time.
void Engine::Impl::fetch_fired() {
  if (unfetched_.empty() || fetching_ > 0) return;
  std::deque<Unfetched> asked;
  Fetch wanted{.numbers = {}, .bytes_max = kFetchedBytes};
  while (!unfetched_.empty() && asked.size() < fetched_at_once_) {
    asked.push_back(unfetched_.pop());
    wanted.numbers.push_back(asked.back().fired.number);
  }
  ++fetching_;
  log_.fetch(std::move(wanted), [this, alive = std::weak_ptr(alive_),
                                 asked = std::move(asked)](std::vector<Fetched> fetched) mutable {
    if (alive.expired()) return;
    --fetching_;
    note_sizes(fetched);
    fetched_fired(std::move(asked), std::move(fetched));
    fetch_fired();
    carry_out();
    changed_.notify();
  });
}

/// A fetch reads in the order of the numbers until it has its bytes. So that nothing of it is left
/// out, for which others would have had their turn, it asks for no more than will fit.
void Engine::Impl::note_sizes(const std::vector<Fetched>& fetched) {
  std::uint64_t bytes = 0, count = 0;
  for (const Fetched& task : fetched) {
    if (!task.content) continue;
    bytes += task.content->size();
    ++count;
  }
  if (count == 0) return;
  fetched_at_once_ =
      std::clamp<std::size_t>(kFetchedBytes / (bytes / count + 1), 2, kFetchedAtOnce);
}

void Engine::Impl::fetched_fired(std::deque<Unfetched> asked, std::vector<Fetched> fetched) {
  for (std::size_t i = asked.size(); i > 0; --i) {
    if (fetched[i - 1].left_out) unfetched_.push_front(asked[i - 1]);
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (fetched[i].left_out) continue;
    const auto [task, admitted_bytes] = asked[i];
    const std::uint64_t bytes = fetched[i].content ? fetched[i].content->size() : 0;
    if (bytes != admitted_bytes) push_bytes_.release(task.target, admitted_bytes);
    if (!fetched[i].content) {
      bury(task, "its content is missing from the data directory");
      continue;
    }
    auto row = std::make_shared<const std::string>(std::move(*fetched[i].content));
    if (bytes == admitted_bytes) {
      push(task, std::move(row));
    } else {
      push_if_admitted(task, std::move(row));
    }
  }
}

void Engine::Impl::push_if_admitted(const Fired& fired, ContentCache::Row row) {
  const std::uint64_t bytes = row->size();
  if (push_bytes_.admit(fired.target, bytes)) {
    push(fired, std::move(row));
  } else {
    push_bytes_.park(fired, bytes);
  }
}

void Engine::Impl::push(const Fired& fired, ContentCache::Row row) {
  const Result<TaskContent> content = decode_content(*row);
  const std::uint64_t bytes = row->size();
  if (!content) {
    push_bytes_.release(fired.target, bytes);
    return bury(fired, content.error().detail);
  }
  const auto named = named_targets_.find(fired.target.low);

  Push push;
  push.target = named != named_targets_.end() ? named->second : url_target_;
  push.content = *content;
  push.row = std::move(row);
  push.due = fired.asked_due;
  push.attempt = fired.attempt;
  // A task that was given a due in the past is late from when it came.
  const auto lateness = clock_.wall_micros() - std::max(fired.due, content->created_at);
  counters_.lateness.record(std::chrono::duration_cast<std::chrono::microseconds>(lateness));
  Pushing pushing;
  pushing.fired = fired;
  pushing.retry = content->retry.value_or(RetryChoice()).over(push.target->retry);
  pushing.bytes = bytes;
  pushing.hold_max = push.target->hold_max;
  pushing.began = clock_.wall();
  pushing.attempts = fired.attempt - std::min(fired.attempt - 1, content->attempts_before);
  delivery_.push(std::move(push),
                 [this, alive = std::weak_ptr(alive_), pushing](PushResult result) {
                   if (!alive.expired()) pushed(pushing, std::move(result));
                 });
}

void Engine::Impl::pushed(const Pushing& push, PushResult result) {
  CARILLON_FAILPOINT("push.answered");
  push_bytes_.release(push.fired.target, push.bytes);
  if (push.bytes > PushBytes::kSmall) {
    while (const auto next = push_bytes_.next_admitted()) {
      unfetched_.push_back({next->fired, next->bytes});
    }
    fetch_fired();
  }
  if (result.kind == PushResult::Kind::delivered) {
    shard_.outcome(push.fired.task, push.fired.number, State::delivered, {}, {});
  } else if (push.attempts == 1) {
    return failed(push, std::nullopt, std::move(result));
  } else {
    // When its attempts began, and how many of them do not count, the last one's note says.
    log_.fetch({.numbers = {push.fired.number}, .notes = true, .heads = true},
               [this, alive = std::weak_ptr(alive_), push,
                result = std::move(result)](std::vector<Fetched> fetched) {
                 if (!alive.expired()) failed(push, fetched[0].note, result);
               });
    return;
  }
  carry_out();
  if (shard_.has_work()) set_timer();
}

void Engine::Impl::failed(const Pushing& push, const std::optional<Note>& before,
                          PushResult result) {
  const Fired& fired = push.fired;
  const WallTime now = clock_.wall();
  std::optional<Throttle> throttle;
  if (result.http_status == 429) {
    throttle = {now, HoldReason::too_many_requests, result.retry_after, push.hold_max};
  } else if (result.http_status == 503 && result.retry_after) {
    throttle = {now, HoldReason::unavailable, result.retry_after, push.hold_max};
  }
  if (throttle) ++counters_.throttled;
  Note note{now, fired.attempt, result.http_status, std::move(result.error), push.began, 0};
  if (before) {
    note.first_attempt_at = before->first_attempt_at;
    note.throttled = before->throttled;
  }
  if (throttle) ++note.throttled;
  std::optional<WallTime> again;
  if (result.kind != PushResult::Kind::refused_for_good && fired.attempt < kAttemptsMax) {
    again = next_attempt(push.retry,
                         {.at = now,
                          .first_attempt_at = note.first_attempt_at,
                          .attempts = push.attempts,
                          .throttled = note.throttled,
                          .is_throttled = throttle.has_value(),
                          .asked = result.retry_after,
                          .throttle_max = push.hold_max},
                         random_);
  }
  shard_.outcome(fired.task, fired.number, again ? State::retrying : State::dead,
                 again.value_or(WallTime{}), std::move(note), throttle);
  carry_out();
  set_timer();
}

/// What cannot be pushed because its content is damaged is a dead letter: seen, and never a wrong
/// payload.
void Engine::Impl::bury(const Fired& fired, const std::string& why) {
  const WallTime now = clock_.wall();
  shard_.outcome(fired.task, fired.number, State::dead, {},
                 Note{now, fired.attempt, 0, why, now, 0});
}

}  // namespace carillon
