// Questions: what is known of tasks, groups, targets and the engine itself.

#include <algorithm>
#include <fstream>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

#include "engine/impl.h"
#include "storage/content.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

constexpr int kLookTries = 4;
/// Of one piece of a long read.
constexpr std::size_t kFetchedAtOnce = 1000;
constexpr std::uint64_t kFetchedBytes = std::uint64_t{4} << 20;

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size_pages = 0;
  std::uint64_t resident_pages = 0;
  statm >> size_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Fingerprint Engine::Impl::fingerprint(std::string_view id) const {
  const Hash128 hash = siphash(key_, id);
  return {hash.low, static_cast<std::uint16_t>(hash.high)};
}

Async<void> Engine::Impl::yield() {
  return asio::post(loop_, asio::use_awaitable);
}

Async<std::vector<Fetched>> Engine::Impl::fetch(Fetch wanted) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(std::vector<Fetched>)>(
      [this](auto handler, Fetch what) {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        log_.fetch(std::move(what), [resume](std::vector<Fetched> fetched) {
          std::move (*resume)(std::move(fetched));
        });
      },
      asio::use_awaitable, std::move(wanted));
}

/// Calls `take` once for each of the numbers, with its index; what was read is dropped when that
/// returns.
Async<void> Engine::Impl::fetch_each(Fetch wanted,
                                     std::function<void(std::size_t, Fetched&)> take) {
  const std::vector<TaskNumber> numbers = std::move(wanted.numbers);
  std::vector<std::size_t> missing;
  for (std::size_t next = 0; next < numbers.size() || !missing.empty();) {
    while (missing.size() < kFetchedAtOnce && next < numbers.size()) missing.push_back(next++);
    Fetch piece = wanted;
    piece.bytes_max = kFetchedBytes;
    for (const std::size_t index : missing) piece.numbers.push_back(numbers[index]);
    std::vector<Fetched> fetched = co_await fetch(std::move(piece));
    std::size_t left = 0;
    for (std::size_t i = 0; i < missing.size(); ++i) {
      if (fetched[i].left_out) {
        missing[left++] = missing[i];
      } else {
        take(missing[i], fetched[i]);
      }
    }
    missing.resize(left);
  }
}

/// False: the content is gone.
bool Engine::Impl::fill_view(const Statement& task, Fetched& fetched, TaskView& view) {
  view.state = task.state;
  view.due_at = task.asked_due;
  view.attempt = task.attempt;
  if (waits(task.state)) view.next_attempt_at = task.due;
  if (finished(task.state)) view.finished_at = task.finished_at;
  if (fetched.note) view.note = std::move(*fetched.note);
  if (!fetched.content) return false;
  view.row = std::make_shared<const std::string>(std::move(*fetched.content));
  Result<TaskContent> content = decode_content(*view.row);
  if (!content) {
    view.row.reset();
    return false;
  }
  view.content = std::move(*content);
  return true;
}

Async<Answer<TaskView>> Engine::Impl::view(Statement task) {
  Fetch wanted{.numbers = {}, .notes = true};
  wanted.numbers.push_back(task.number);
  std::vector<Fetched> fetched = co_await fetch(std::move(wanted));
  TaskView view;
  if (!fill_view(task, fetched[0], view)) {
    co_return Refusal(Error{"not_found", "The task was replaced or forgotten meanwhile.", ""});
  }
  co_return view;
}

Async<Answer<TaskView>> Engine::Impl::get(std::string_view id) {
  // Replaced between look-up and read: look again.
  for (int tries = 0; tries < kLookTries; ++tries) {
    const std::optional<Statement> task = shard_.find(fingerprint(id));
    if (!task) break;
    Answer<TaskView> shown = co_await view(*task);
    if (shown) co_return shown;
  }
  co_return Refusal(Error{"not_found", "There is no such task.", ""});
}

const EngineCounters& Engine::Impl::counters() {
  const auto ended = [this](State state) {
    return shard_.ended()[static_cast<std::size_t>(state)];
  };
  counters_.delivered = ended(State::delivered);
  counters_.retried = ended(State::retrying);
  counters_.died = ended(State::dead);
  counters_.expired = ended(State::expired);
  counters_.cancelled = cancelled_ + ended(State::cancelled);
  counters_.operations = shard_.operations();
  return counters_;
}

Async<Answer<GroupView>> Engine::Impl::group(std::string_view name) {
  const GroupKey key = key_of(name);
  GroupView view;
  const Group* group = shard_.group(key);
  const auto exists = [](const Group* one) {
    return one != nullptr &&
           std::any_of(one->counts.begin(), one->counts.end(), [](auto n) { return n > 0; });
  };
  if (!exists(group)) co_return Refusal(Error{"not_found", "There is no such group.", ""});
  std::copy(group->counts.begin(), group->counts.end(), view.counts.begin());
  Allowance::Share turn;
  if (group->members.size() > kSlice) {
    turn = co_await turns_.take(1);
    group = shard_.group(key);
  }
  for (std::size_t index = 0; group != nullptr && index < group->members.size(); ++index) {
    if (const std::optional<WallTime> due = shard_.member_due(*group, index)) {
      view.earliest_due = std::min(view.earliest_due.value_or(*due), *due);
      view.latest_due = std::max(view.latest_due.value_or(*due), *due);
    }
    if (index % kSlice != kSlice - 1) continue;
    co_await yield();
    group = shard_.group(key);
  }
  co_return view;
}

TargetView Engine::Impl::view_of(const TargetState& target) const {
  TargetView view;
  const auto settings = named_targets_.find(target.settings.key.low);
  if (settings != named_targets_.end()) view.settings = *settings->second;
  view.waiting = target.unfinished;
  view.backlog = target.queued;
  view.in_flight = target.in_flight;
  if (target.hold.active()) {
    view.held = {target.hold.until(), target.hold.since(), target.hold.reason()};
  }
  return view;
}

Answer<TargetView> Engine::Impl::target(std::string_view name) const {
  const TargetState* target = shard_.target(key_of(name));
  if (target == nullptr || target->deleted || target->is_url) {
    return Refusal(Error{"not_found", "There is no such target.", ""});
  }
  return view_of(*target);
}

std::vector<TargetView> Engine::Impl::targets(std::string_view after, std::size_t limit) const {
  std::vector<TargetView> views;
  for (auto at = target_names_.upper_bound(after);
       at != target_names_.end() && views.size() < limit; ++at) {
    views.push_back(view_of(*shard_.target(at->second)));
  }
  return views;
}

std::uint64_t Engine::Impl::content_bytes() const {
  return cache_.bytes() + push_bytes_.bytes() + page_bytes_.taken() + export_bytes_.taken();
}

TargetCounts Engine::Impl::target_counts(std::string_view after) const {
  TargetCounts sum;
  for (auto at = target_names_.upper_bound(after); at != target_names_.end(); ++at) {
    const TargetState& target = *shard_.target(at->second);
    sum.waiting += target.unfinished;
    sum.backlog += target.queued;
    sum.in_flight += target.in_flight;
  }
  return sum;
}

Stats Engine::Impl::stats() const {
  Stats stats;
  stats.now = clock_.wall();
  stats.counts = shard_.counts();
  stats.backlog = shard_.backlog();
  if (const auto oldest = shard_.oldest_queued()) {
    stats.oldest_overdue = std::max(stats.now - *oldest, Millis(0));
  }
  stats.lateness = counters_.lateness;
  stats.log = log_.stats();
  stats.delivery = delivery_.stats();
  stats.memory_tasks_bytes = shard_.bytes();
  stats.memory_content_bytes = content_bytes();
  stats.memory_resident_bytes = resident_bytes();
  stats.last_sequence = shard_.last_sequence();
  stats.pending_max = options_.shard.pending_max;
  stats.retained_max = options_.shard.retained_max;
  return stats;
}

Async<Result<>> Engine::Impl::checkpoint(std::string dir) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(Result<>)>(
      [this](auto handler, std::string where) {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        log_.checkpoint(std::move(where),
                        [resume](Result<> done) { std::move (*resume)(std::move(done)); });
      },
      asio::use_awaitable, std::move(dir));
}

}  // namespace carillon
