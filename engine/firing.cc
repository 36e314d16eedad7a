// Firing: contents are at hand when they are due, pushes begin, outcomes go back to the shard.

#include "base/failpoint.h"
#include "delivery/retry.h"
#include "engine/impl.h"
#include "storage/content.h"

namespace carillon {
namespace {

constexpr std::size_t kPrefetchAtATime = 1000;
constexpr std::uint32_t kAttemptsMax = 1023;  // as far as an entry counts

}  // namespace

void Engine::Impl::prefetch(const std::vector<TaskNumber>& numbers) {
  for (std::size_t begin = 0; begin < numbers.size(); begin += kPrefetchAtATime) {
    std::vector<TaskNumber> missing;
    for (std::size_t i = begin; i < std::min(begin + kPrefetchAtATime, numbers.size()); ++i) {
      if (!cache_.contains(numbers[i])) missing.push_back(numbers[i]);
    }
    if (missing.empty()) continue;
    log_.fetch(std::move(missing), /*notes=*/false,
               [this, alive = std::weak_ptr(alive_)](std::vector<Fetched> fetched) {
                 if (alive.expired()) return;
                 for (Fetched& task : fetched) {
                   if (task.content) cache_.put(task.number, std::move(*task.content));
                 }
               });
  }
}

void Engine::Impl::begin_pushes(std::vector<Fired> fired) {
  std::vector<Fired> missing;
  std::vector<TaskNumber> numbers;
  for (const Fired& task : fired) {
    ++counters_.fired;
    CARILLON_FAILPOINT("fire.durable");
    if (ContentCache::Row row = cache_.take(task.number)) {
      push(task, std::move(row));
    } else {
      missing.push_back(task);
      numbers.push_back(task.number);
    }
  }
  if (missing.empty()) return;
  ++fetching_;
  log_.fetch(std::move(numbers), /*notes=*/false,
             [this, alive = std::weak_ptr(alive_),
              missing = std::move(missing)](std::vector<Fetched> fetched) {
               if (alive.expired()) return;
               --fetching_;
               for (std::size_t i = 0; i < missing.size(); ++i) {
                 if (fetched[i].content) {
                   push(missing[i],
                        std::make_shared<const std::string>(std::move(*fetched[i].content)));
                 } else {
                   bury(missing[i], "its content is missing from the data directory");
                 }
               }
               carry_out();
               changed_.notify();
             });
}

void Engine::Impl::push(const Fired& fired, ContentCache::Row row) {
  const Result<TaskContent> content = decode_content(*row);
  if (!content) return bury(fired, content.error().detail);
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
  const RetryPolicy retry = content->retry.value_or(push.target->retry);
  delivery_.push(std::move(push), [this, alive = std::weak_ptr(alive_), fired, retry,
                                   before = content->attempts_before](PushResult result) {
    if (!alive.expired()) pushed(fired, retry, before, std::move(result));
  });
}

void Engine::Impl::pushed(const Fired& fired, const RetryPolicy& retry,
                          std::uint32_t attempts_before, PushResult result) {
  CARILLON_FAILPOINT("push.answered");
  const WallTime now = clock_.wall();
  Note note{now, fired.attempt, result.http_status, std::move(result.error)};
  const std::uint32_t attempt = fired.attempt - std::min(fired.attempt - 1, attempts_before);
  if (result.kind == PushResult::Kind::delivered) {
    ++counters_.delivered;
    shard_.outcome(fired.task, fired.number, State::delivered, {}, {});
  } else if (result.kind == PushResult::Kind::refused_for_good ||
             attempt >= static_cast<std::uint32_t>(retry.max_attempts) ||
             fired.attempt >= kAttemptsMax) {
    ++counters_.died;
    shard_.outcome(fired.task, fired.number, State::dead, {}, std::move(note));
  } else {
    ++counters_.retried;
    const Millis pause = retry_pause(retry, attempt, result.retry_after, random_);
    shard_.outcome(fired.task, fired.number, State::retrying, now + pause, std::move(note));
  }
  carry_out();
  if (shard_.has_work()) set_timer();
}

/// What cannot be pushed because its content is damaged is a dead letter: seen, and never a wrong
/// payload.
void Engine::Impl::bury(const Fired& fired, const std::string& why) {
  ++counters_.died;
  shard_.outcome(fired.task, fired.number, State::dead, {},
                 Note{clock_.wall(), fired.attempt, 0, why});
}

}  // namespace carillon
