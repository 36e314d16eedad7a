#include "engine/contents.h"

#include <algorithm>
#include <utility>

namespace carillon {
namespace {

/// Of one fetch.
constexpr std::uint64_t kFetchedBytes = std::uint64_t{4} << 20;

}  // namespace

Contents::Contents(Clock& clock, Log& log, ContentTaker& taker, std::uint64_t cache_bytes_max,
                   std::uint64_t push_bytes_max)
    : clock_(clock),
      log_(log),
      taker_(taker),
      cache_bytes_max_(cache_bytes_max),
      cache_(cache_bytes_max),
      push_bytes_(push_bytes_max) {}

void Contents::imminent(const std::vector<TaskNumber>& numbers, std::span<ContentRow> at_hand) {
  for (const TaskNumber number : numbers) {
    const auto row = std::ranges::lower_bound(at_hand, number, {}, &ContentRow::number);
    if (row != at_hand.end() && row->number == number && !row->bytes.empty()) {
      cache_.put(number, std::move(row->bytes));
      row->bytes.clear();
    } else if (!cache_.contains(number)) {
      to_read_ahead_.push_back(number);
    }
  }
  if (!reading_ahead_) read_ahead();
}

/// Contents that are not at hand when they are due are fetched then: so what would be more than the
/// cache holds need not be read ahead.
void Contents::read_ahead() {
  const MonoTime now = clock_.mono();
  if (now - second_began_ >= std::chrono::seconds(1)) {
    second_began_ = now;
    read_ahead_bytes_ = 0;
  }
  if (read_ahead_bytes_ >= cache_bytes_max_) to_read_ahead_.clear();
  reading_ahead_ = !to_read_ahead_.empty();
  if (!reading_ahead_) return;
  Fetch wanted{.numbers = {}, .bytes_max = kFetchedBytes};
  while (!to_read_ahead_.empty() && wanted.numbers.size() < kFetchedAtOnce) {
    wanted.numbers.push_back(to_read_ahead_.front());
    to_read_ahead_.pop_front();
  }
  log_.fetch(std::move(wanted),
             [this, alive = std::weak_ptr(alive_)](std::vector<Fetched> fetched) {
               if (alive.expired()) return;
               for (auto task = fetched.rbegin(); task != fetched.rend(); ++task) {
                 if (task->left_out) to_read_ahead_.push_front(task->number);
                 if (!task->content) continue;
                 read_ahead_bytes_ += task->content->size();
                 cache_.put(task->number, std::move(*task->content));
               }
               read_ahead();
             });
}

void Contents::bring(const std::vector<Fired>& fired) {
  for (const Fired& task : fired) {
    if (ContentCache::Row row = cache_.take(task.number)) {
      give_if_admitted(task, std::move(row));
    } else {
      unfetched_.push_back({task});
    }
  }
  fetch();
}

/// Reads contents of tasks that are to be pushed, a bounded piece at a time.
void Contents::fetch() {
  if (unfetched_.empty() || fetching_) return;
  std::deque<Unfetched> asked;
  Fetch wanted{.numbers = {}, .bytes_max = kFetchedBytes};
  while (!unfetched_.empty() && asked.size() < fetched_at_once_) {
    asked.push_back(unfetched_.pop());
    wanted.numbers.push_back(asked.back().fired.number);
  }
  fetching_ = true;
  log_.fetch(std::move(wanted), [this, alive = std::weak_ptr(alive_),
                                 asked = std::move(asked)](std::vector<Fetched> fetched) {
    if (alive.expired()) return;
    fetching_ = false;
    note_sizes(fetched);
    hand_out(asked, std::move(fetched));
    fetch();
    taker_.piece_taken();
  });
}

/// A fetch reads in the order of the numbers until it has its bytes. So that nothing of it is left
/// out, for which others would have had their turn, it asks for no more than will fit.
void Contents::note_sizes(const std::vector<Fetched>& fetched) {
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

void Contents::hand_out(const std::deque<Unfetched>& asked, std::vector<Fetched> fetched) {
  for (std::size_t i = asked.size(); i > 0; --i) {
    if (fetched[i - 1].left_out) unfetched_.push_front(asked[i - 1]);
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (fetched[i].left_out) continue;
    const auto& [task, admitted_bytes] = asked[i];
    const std::uint64_t bytes = fetched[i].content ? fetched[i].content->size() : 0;
    // What it was admitted with is another's turn now.
    if (bytes != admitted_bytes) release(task.target, admitted_bytes);
    if (!fetched[i].content) {
      taker_.take_nothing(task);
      continue;
    }
    auto row = std::make_shared<const std::string>(std::move(*fetched[i].content));
    if (bytes == admitted_bytes) {
      taker_.take(task, std::move(row));
    } else {
      give_if_admitted(task, std::move(row));
    }
  }
}

void Contents::give_if_admitted(const Fired& fired, ContentCache::Row row) {
  const std::uint64_t bytes = row->size();
  if (push_bytes_.admit(fired.target, bytes)) {
    taker_.take(fired, std::move(row));
  } else {
    push_bytes_.park(fired, bytes);
  }
}

void Contents::release(const TargetKey& target, std::uint64_t bytes) {
  push_bytes_.release(target, bytes);
  if (bytes <= PushBytes::kSmall) return;
  while (const auto next = push_bytes_.next_admitted()) {
    unfetched_.push_back({next->fired, next->bytes});
  }
  fetch();
}

}  // namespace carillon
