#include "engine/lists.h"

#include <algorithm>

#include "base/check.h"
#include "engine/export.h"
#include "engine/list_cursor.h"
#include "engine/queries.h"
#include "net/url.h"
#include "storage/content.h"

namespace carillon {
namespace {

constexpr std::size_t kShownAtOnce = 1000;
constexpr int kShowTries = 4;
/// Where contents decide what is shown: looked at in one go, at first and at most.
constexpr std::size_t kTriedFirst = 1000;
constexpr std::size_t kTriedMost = 16'000;
/// About what a row of a page takes as JSON.
constexpr std::uint64_t kRowBytes = 512;

}  // namespace

TaskLists::TaskLists(boost::asio::io_context& loop, Gate& gate, LocalShard& local, Allowance& turns)
    : loop_(loop),
      gate_(gate),
      local_(local),
      turns_(turns),
      page_bytes_(loop, local.options().page_bytes_max),
      export_bytes_(loop, local.options().export_bytes_max) {}

Result<Match> match(const TaskFilter& filter, const Keys& keys) {
  Match match;
  if (filter.group) match.tasks.group = keys.of(*filter.group);
  if (filter.target) {
    match.tasks.target = keys.of(*filter.target);
    if (is_url(*filter.target)) {
      const Result<Url> url = parse_url(*filter.target);
      if (!url) return url.error().at_field("target");
      match.tasks.target = keys.of(url->origin());
      match.target_url = *filter.target;
    }
  }
  match.lane = filter.lane;
  match.tasks.state = filter.state;
  match.tasks.due_from = filter.due_from;
  match.tasks.due_to = filter.due_to;
  return match;
}

bool fits(const Match& match, const Statement& task) {
  const ListFilter& wanted = match.tasks;
  return (!wanted.group || *wanted.group == task.group) &&
         (!wanted.target || *wanted.target == task.target) &&
         (!wanted.state || *wanted.state == task.state) &&
         (!wanted.due_from || task.asked_due >= *wanted.due_from) &&
         (!wanted.due_to || task.asked_due < *wanted.due_to);
}

bool content_fits(const Match& match, const TaskContent& content) {
  return (!match.target_url || content.target == *match.target_url) &&
         (!match.lane || content.lane == *match.lane ||
          (content.lane.empty() && *match.lane == kDefaultLaneName));
}

Async<Answer<Page>> TaskLists::list(TaskFilter filter, std::string cursor, std::size_t limit) {
  const Result<Match> wanted = match(filter, local_.keys());
  if (!wanted) co_return Refusal(wanted.error());
  std::optional<ListKey> after;
  if (!cursor.empty()) {
    after = parse_cursor(cursor);
    if (!after) co_return Refusal(bad_cursor());
  }
  Page page;
  page.held = co_await page_bytes_.take(limit * kRowBytes);
  const Allowance::Share turn = co_await turns_.take(1);
  const bool by_content = wanted->target_url || wanted->lane;
  // One more than is shown, to know whether this is the last page.
  std::size_t tried = kTriedFirst;
  for (bool more = true; more && page.tasks.size() <= limit;) {
    std::size_t missing = limit + 1 - page.tasks.size();
    if (by_content)
      missing = std::max(missing, std::exchange(tried, std::min(2 * tried, kTriedMost)));
    Listing::Page found = co_await look(wanted->tasks, after, missing);
    more = found.more;
    after = found.upto;
    co_await show(*wanted, std::move(found.tasks), limit + 1, page);
  }
  if (page.tasks.size() > limit) {
    page.tasks.resize(limit);
    page.keys.resize(limit);
    page.next_cursor = format_cursor(page.keys.back());
  }
  co_return page;
}

Async<Listing::Page> TaskLists::look(ListFilter filter, std::optional<ListKey> after,
                                     std::size_t wanted) {
  Listing listing(local_.shard(), filter, after, wanted);
  while (!listing.step()) co_await yield(loop_);
  co_return listing.take();
}

/// Adds those that are still there, and whose content fits, to the page until it has `most`.
Async<void> TaskLists::show(const Match& wanted, std::vector<Listing::Found> found,
                            std::size_t most, Page& page) {
  for (std::size_t begin = 0; begin < found.size() && page.tasks.size() < most;
       begin += kShownAtOnce) {
    const std::size_t end = std::min(begin + kShownAtOnce, found.size());
    std::vector<Statement> tasks;
    for (std::size_t i = begin; i < end; ++i) tasks.push_back(found[i].task);
    std::vector<TaskView> shown = co_await heads(std::move(tasks));
    for (std::size_t i = begin; i < end && page.tasks.size() < most; ++i) {
      TaskView& view = shown[i - begin];
      // Moved meanwhile: its place is elsewhere.
      const bool moved = view.due_at.time_since_epoch().count() != found[i].key.due_ms;
      if (view.row == nullptr || moved || !content_fits(wanted, view.content)) continue;
      page.tasks.push_back(std::move(view));
      page.keys.push_back(found[i].key);
    }
  }
}

/// What the tasks are, without body and headers; without a row where one is gone.
Async<std::vector<TaskView>> TaskLists::heads(std::vector<Statement> tasks) {
  std::vector<TaskView> shown(tasks.size());
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < tasks.size(); ++i) missing.push_back(i);
  // Replaced between look-up and read: look again.
  for (int tries = 0; tries < kShowTries && !missing.empty(); ++tries) {
    Fetch wanted{.numbers = {}, .heads = true, .in_background = true};
    for (const std::size_t index : missing) {
      wanted.numbers.push_back(tasks[index].number);
      // Only what was tried, or is over, has a note.
      if (tasks[index].attempt > 0 || finished(tasks[index].state)) wanted.notes = true;
    }
    std::vector<Fetched> fetched = co_await fetch(local_.log(), std::move(wanted));
    std::size_t kept = 0;
    for (std::size_t i = 0; i < missing.size(); ++i) {
      Statement& task = tasks[missing[i]];
      if (fill_view(local_.shard().lanes(), task, fetched[i], shown[missing[i]])) continue;
      const std::optional<Statement> now = local_.shard().find(task.task);
      if (!now || finished(now->state) || now->number == task.number) continue;
      task = *now;
      missing[kept++] = missing[i];
    }
    missing.resize(kept);
  }
  co_return shown;
}

Async<Answer<std::vector<ForecastBucket>>> TaskLists::forecast(Millis bucket, WallTime from,
                                                               WallTime to, TaskFilter of) {
  CARILLON_CHECK(bucket > Millis(0) && from <= to);
  const Allowance::Share turn = co_await turns_.take(1);
  std::vector<std::uint64_t> counted(static_cast<std::size_t>((to - from) / bucket) + 1);
  std::optional<TargetKey> key;
  if (of.target) {
    const Result<Match> wanted = match({.group = {}, .target = of.target}, local_.keys());
    if (!wanted) co_return std::vector<ForecastBucket>();
    key = wanted->tasks.target;
  }
  std::optional<LaneNumber> lane;
  if (of.lane) {
    lane = local_.shard().lanes().find(*of.lane);
    if (!lane) co_return std::vector<ForecastBucket>();
  }
  for (std::uint32_t position = 0; position < local_.shard().positions(); ++position) {
    if (position % kSlice == kSlice - 1) co_await yield(loop_);
    const std::optional<WallTime> due = local_.shard().next_push(position, key, lane);
    if (due && *due >= from && *due < to) {
      ++counted[static_cast<std::size_t>((*due - from) / bucket)];
    }
  }
  std::vector<ForecastBucket> buckets;
  for (std::size_t i = 0; i < counted.size(); ++i) {
    if (counted[i] > 0) buckets.push_back({from + static_cast<int>(i) * bucket, counted[i]});
  }
  co_return buckets;
}

std::unique_ptr<Export> TaskLists::export_pending() {
  return std::make_unique<PendingExport>(
      PendingExport::Parts{loop_, gate_, local_, turns_, export_bytes_});
}

}  // namespace carillon
