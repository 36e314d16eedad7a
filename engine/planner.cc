#include "engine/planner.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/made_ids.h"
#include "net/url.h"
#include "storage/content.h"

namespace carillon {

Result<WallTime> Planner::due_of(const std::optional<WallTime>& due_at,
                                 const std::optional<Millis>& delay) const {
  // A delay counts from now, and now is rounded up: what it ends at is never early.
  const auto now = std::chrono::ceil<Millis>(its_.clock.wall_micros());
  const WallTime due = due_at ? *due_at : now + *delay;
  const Millis horizon = its_.options.horizon;
  if (due - now > horizon) {
    return Error{"beyond_horizon",
                 (due_at ? "`due_at`" : "`delay`") + std::string(" is more than ") +
                     format_duration(horizon) + " ahead, which is the limit (`horizon`)",
                 due_at ? "due_at" : "delay"};
  }
  return std::max(due, WallTime{});
}

namespace {

Error unmergeable(bool has_no_part) {
  return {"unmergeable",
          has_no_part ? "`merge_within` goes with an `id` that has a part in braces, as in "
                        "`{user:42}:mail`; tasks of the same part are merged."
                      : "`merge_within` goes with a named target, not with a URL.",
          "merge_within"};
}

}  // namespace

/// A URL's tasks are queued by its origin, a name's by the name.
Result<> Planner::address(Statement& task, const TaskContent& content) const {
  task.target_is_url = is_url(content.target);
  if (task.target_is_url) {
    const auto url = its_.urls.check(content.target);
    if (!url) return url.error().at_field("target");
    task.target = its_.keys.of((*url)->origin);
  } else {
    task.target = its_.keys.of(content.target);
  }
  task.group = content.group.empty() ? GroupKey{} : its_.keys.of(content.group);
  task.expire_after = content.expire_after;
  task.dies_late = content.dies_late;
  task.merge = {};
  if (!content.merge_within) return {};
  const std::string_view part = part_of(content.id);
  if (part.empty() || task.target_is_url) return unmergeable(part.empty());
  task.merge = {its_.keys.part(part), *content.merge_within};
  return {};
}

OperationName Planner::operation(std::string_view call, std::string_view about,
                                 std::string_view name, std::uint64_t arguments) const {
  if (name.empty()) return {};
  // Neither a call nor a name has a control character in it.
  std::string text(call);
  text.append(1, '\n').append(about).append(1, '\n').append(name);
  return {its_.keys.of(text), arguments};
}

Result<PlannedAdd> Planner::plan(AddRequest request) const {
  PlannedAdd planned;
  NewTask& add = planned.task;
  TaskContent& content = request.content;
  const Result<WallTime> due = due_of(request.due_at, request.delay);
  if (!due) return due.error();
  add.task.due = *due;
  if (Result<> addressed = address(add.task, content); !addressed) return addressed.error();
  content.delay = request.delay;
  content.due_at = request.due_at;
  thread_local std::mt19937_64 random = make_random();
  content.created_at = its_.clock.wall();
  if (content.id.empty()) {
    planned.made_id = make_task_id(content.created_at, random);
    content.id = planned.made_id;
  }
  const std::string webhook_id = make_webhook_id(random);
  content.webhook_id = webhook_id;
  add.task.task = its_.keys.task(content.id);
  add.lane = content.lane;
  add.key = content.key;
  add.content = encode_content(content);
  add.if_exists = request.if_exists;
  add.delay = request.delay;
  content.webhook_id = {};
  planned.created.due_at = *due;
  planned.created.next_attempt_at = *due;
  planned.created.content = std::move(content);
  return planned;
}

}  // namespace carillon
