// Questions: what is known of tasks, groups, targets and the engine itself.

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <numeric>
#include <queue>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

#include "engine/impl.h"
#include "net/url.h"
#include "storage/content.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kExportAtATime = 1000;
constexpr int kLookTries = 4;

/// A task's place in due order.
struct DueOrder {
  std::int64_t due_ms = 0;
  TaskNumber number = 0;
  friend auto operator<=>(const DueOrder&, const DueOrder&) = default;
};

DueOrder order_of(const Statement& task) {
  return {task.asked_due.time_since_epoch().count(), task.number};
}

std::string format_cursor(DueOrder order) {
  return std::to_string(order.due_ms) + "-" + std::to_string(order.number);
}

std::optional<DueOrder> parse_cursor(std::string_view text) {
  DueOrder order;
  const char* const end = text.data() + text.size();
  const auto due = std::from_chars(text.data(), end, order.due_ms);
  if (due.ec != std::errc() || due.ptr == end || *due.ptr != '-') return std::nullopt;
  const auto number = std::from_chars(due.ptr + 1, end, order.number);
  if (number.ec != std::errc() || number.ptr != end) return std::nullopt;
  return order;
}

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

Async<std::vector<Fetched>> Engine::Impl::fetch(std::vector<TaskNumber> numbers) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(std::vector<Fetched>)>(
      [this](auto handler, std::vector<TaskNumber> wanted) {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        log_.fetch(std::move(wanted), /*notes=*/true, [resume](std::vector<Fetched> fetched) {
          std::move (*resume)(std::move(fetched));
        });
      },
      asio::use_awaitable, std::move(numbers));
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
  std::vector<TaskNumber> numbers(1, task.number);
  std::vector<Fetched> fetched = co_await fetch(std::move(numbers));
  TaskView view;
  if (!fill_view(task, fetched[0], view)) {
    co_return Refusal(Error{"not_found", "The task was replaced or forgotten meanwhile.", ""});
  }
  co_return view;
}

/// Those of `tasks` that are still there.
Async<std::vector<TaskView>> Engine::Impl::views(std::vector<Statement> tasks) {
  std::vector<TaskView> shown(tasks.size());
  std::vector<std::size_t> missing(tasks.size());
  std::iota(missing.begin(), missing.end(), std::size_t{0});
  // Replaced between look-up and read: look again.
  for (int tries = 0; tries < kLookTries && !missing.empty(); ++tries) {
    std::vector<TaskNumber> numbers;
    for (const std::size_t index : missing) numbers.push_back(tasks[index].number);
    std::vector<Fetched> fetched = co_await fetch(std::move(numbers));
    std::size_t kept = 0;
    for (std::size_t i = 0; i < missing.size(); ++i) {
      Statement& task = tasks[missing[i]];
      if (fill_view(task, fetched[i], shown[missing[i]])) continue;
      const std::optional<Statement> now = shard_.find(task.task);
      if (!now || finished(now->state)) continue;
      task = *now;
      missing[kept++] = missing[i];
    }
    missing.resize(kept);
  }
  std::erase_if(shown, [](const TaskView& view) { return view.row == nullptr; });
  co_return shown;
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

Result<Engine::Impl::Match> Engine::Impl::match(const TaskFilter& filter) const {
  Match match;
  if (filter.group) match.group = key_of(*filter.group);
  if (filter.target) {
    match.target = key_of(*filter.target);
    if (is_url(*filter.target)) {
      const Result<Url> url = parse_url(*filter.target);
      if (!url) return url.error().at_field("target");
      match.target = key_of(url->origin());
      match.target_url = *filter.target;
    }
  }
  match.state = filter.state;
  match.due_from = filter.due_from;
  match.due_to = filter.due_to;
  return match;
}

bool Engine::Impl::fits(const Match& match, const Statement& task) {
  return (!match.group || *match.group == task.group) &&
         (!match.target || *match.target == task.target) &&
         (!match.state || *match.state == task.state) &&
         (!match.due_from || task.asked_due >= *match.due_from) &&
         (!match.due_to || task.asked_due < *match.due_to);
}

Async<Answer<Page>> Engine::Impl::list(TaskFilter filter, std::string cursor, std::size_t limit) {
  const Result<Match> wanted = match(filter);
  if (!wanted) co_return Refusal(wanted.error());
  std::optional<DueOrder> behind;
  if (!cursor.empty()) {
    behind = parse_cursor(cursor);
    if (!behind)
      co_return Refusal(Error{"bad_cursor", "Not a cursor that this server gave out.", "cursor"});
  }
  // One pass over all tasks, in slices, keeps the `limit` first ones behind the cursor. The largest
  // of them is on top of the heap.
  const auto later = [](const Statement& a, const Statement& b) {
    return order_of(a) < order_of(b);
  };
  std::priority_queue<Statement, std::vector<Statement>, decltype(later)> first(later);
  bool more = false;
  for (std::uint32_t position = 0; position < shard_.positions(); ++position) {
    if (position % kSlice == kSlice - 1) co_await yield();
    State state{};
    WallTime due{};
    if (!shard_.peek(position, state, due) || (wanted->state && *wanted->state != state)) continue;
    if (first.size() == limit && due > first.top().asked_due) {
      more = true;
      continue;
    }
    const std::optional<Statement> task = shard_.at(position);
    if (!task || !fits(*wanted, *task) || (behind && order_of(*task) <= *behind)) continue;
    first.push(*task);
    if (first.size() > limit) {
      first.pop();
      more = true;
    }
  }
  std::vector<Statement> tasks(first.size());
  for (std::size_t i = first.size(); i > 0; --i) {
    tasks[i - 1] = first.top();
    first.pop();
  }
  Page page;
  if (more && !tasks.empty()) page.next_cursor = format_cursor(order_of(tasks.back()));
  page.tasks = co_await views(std::move(tasks));
  if (wanted->target_url) {
    std::erase_if(page.tasks,
                  [&](const TaskView& task) { return task.content.target != *wanted->target_url; });
  }
  co_return page;
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

TargetView Engine::Impl::view_of(const Shard::TargetState& target) const {
  TargetView view;
  const auto settings = named_targets_.find(target.settings.key.low);
  if (settings != named_targets_.end()) view.settings = *settings->second;
  view.waiting = target.unfinished;
  view.backlog = target.queued;
  view.in_flight = target.in_flight;
  return view;
}

Answer<TargetView> Engine::Impl::target(std::string_view name) const {
  const Shard::TargetState* target = shard_.target(key_of(name));
  if (target == nullptr || target->deleted || target->is_url) {
    return Refusal(Error{"not_found", "There is no such target.", ""});
  }
  return view_of(*target);
}

std::vector<TargetView> Engine::Impl::targets() const {
  std::vector<TargetView> views;
  for (const Shard::TargetState* target : shard_.named_targets()) views.push_back(view_of(*target));
  return views;
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
  stats.memory_content_bytes = cache_.bytes();
  stats.memory_resident_bytes = resident_bytes();
  stats.last_sequence = shard_.last_sequence();
  return stats;
}

Async<std::vector<ForecastBucket>> Engine::Impl::forecast(Millis bucket, WallTime from,
                                                          WallTime to) {
  CARILLON_CHECK(bucket > Millis(0));
  std::map<std::int64_t, std::uint64_t> counted;
  for (std::uint32_t position = 0; position < shard_.positions(); ++position) {
    if (position % kSlice == kSlice - 1) co_await yield();
    State state{};
    WallTime due{};
    if (!shard_.peek(position, state, due) || !waits(state) || due < from || due >= to) continue;
    ++counted[(due - from) / bucket];
  }
  std::vector<ForecastBucket> buckets;
  for (const auto& [index, tasks] : counted) buckets.push_back({from + index * bucket, tasks});
  co_return buckets;
}

Async<std::vector<TaskView>> Engine::Impl::export_next(std::size_t& position) {
  std::vector<TaskView> shown;
  while (shown.empty() && position < shard_.positions()) {
    std::vector<Statement> tasks;
    const std::size_t end = std::min<std::size_t>(position + kSlice, shard_.positions());
    for (; position < end && tasks.size() < kExportAtATime; ++position) {
      const std::optional<Statement> task = shard_.at(static_cast<std::uint32_t>(position));
      if (task && !finished(task->state)) tasks.push_back(*task);
    }
    shown = co_await views(std::move(tasks));
    if (shown.empty()) co_await yield();
  }
  co_return shown;
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
