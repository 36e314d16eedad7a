#include "engine/queries.h"

#include <algorithm>
#include <utility>

#include "engine/lane_changes.h"
#include "engine/refusals.h"
#include "storage/content.h"

namespace carillon {
namespace {

constexpr int kLookTries = 4;

}  // namespace

bool fill_view(const Lanes& lanes, const Statement& task, Fetched& fetched, TaskView& view) {
  view.state = task.state;
  view.due_at = task.asked_due;
  view.attempt = task.attempt;
  view.push = task.push;
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
  name_true_lane(lanes, task, view.content);
  return true;
}

Async<Answer<TaskView>> Queries::view(Statement task) {
  Fetch wanted{.numbers = {}, .notes = true};
  wanted.numbers.push_back(task.number);
  std::vector<Fetched> fetched = co_await fetch(local_.log(), std::move(wanted));
  TaskView view;
  if (!fill_view(local_.shard().lanes(), task, fetched[0], view)) {
    co_return Refusal(Error{"not_found", "The task was replaced or forgotten meanwhile.", ""});
  }
  co_return view;
}

Async<Answer<TaskView>> Queries::get(std::string_view id) {
  // Replaced between look-up and read: look again.
  for (int tries = 0; tries < kLookTries; ++tries) {
    const std::optional<Statement> task = local_.shard().find(local_.keys().task(id));
    if (!task) break;
    Answer<TaskView> shown = co_await view(*task);
    if (shown) co_return shown;
  }
  co_return Refusal(not_found("task"));
}

Answer<Explanation> Queries::explain(std::string_view id) {
  const Fingerprint key = local_.keys().task(id);
  const std::optional<Statement> task = local_.shard().find(key);
  if (!task) return Refusal(not_found("task"));
  return Explanation{task->state, task->attempt, local_.shard().waiting(key)};
}

Async<Answer<GroupView>> Queries::group(std::string_view name) {
  const GroupKey key = local_.keys().of(name);
  GroupView view;
  const Group* group = local_.shard().group(key);
  const auto exists = [](const Group* one) {
    return one != nullptr &&
           std::any_of(one->counts.begin(), one->counts.end(), [](auto n) { return n > 0; });
  };
  if (!exists(group)) co_return Refusal(not_found("group"));
  std::copy(group->counts.begin(), group->counts.end(), view.counts.begin());
  Allowance::Share turn;
  if (group->members.size() > kSlice) {
    turn = co_await turns_.take(1);
    group = local_.shard().group(key);
  }
  for (std::size_t index = 0; group != nullptr && index < group->members.size(); ++index) {
    if (const std::optional<WallTime> due = local_.shard().member_due(*group, index)) {
      view.earliest_due = std::min(view.earliest_due.value_or(*due), *due);
      view.latest_due = std::max(view.latest_due.value_or(*due), *due);
    }
    if (index % kSlice != kSlice - 1) continue;
    co_await yield(loop_);
    group = local_.shard().group(key);
  }
  co_return view;
}

}  // namespace carillon
