#include "api/task_json.h"
#include "delivery/body_json.h"
#include "delivery/mask.h"

namespace carillon {
namespace {

void append_optional(JsonWriter& json, std::string_view key, std::string_view text) {
  if (!text.empty()) json.key(key).string(text);
}

void append_moment_of(JsonWriter& json, std::string_view key,
                      const std::optional<WallTime>& moment) {
  if (moment) json.key(key).moment(*moment);
}

void append_progress(JsonWriter& json, const TaskView& task) {
  json.key("attempt").unsigned_integer(task.attempt);
  append_moment_of(json, "next_attempt_at", task.next_attempt_at);
  append_moment_of(json, "finished_at", task.finished_at);
  if (task.note.attempt == 0 && task.note.error.empty()) return;
  json.key("last_attempt_at").moment(task.note.at);
  if (task.note.http_status != 0) json.key("last_status").unsigned_integer(task.note.http_status);
  append_optional(json, "last_error", task.note.error);
}

void append_policy(JsonWriter& json, const TaskView& task, TaskDetail detail) {
  const TaskContent& content = task.content;
  if (content.expire_after) {
    // Of one that was redriven it counts from then; who imports it knows only the due.
    const bool counts_later = detail == TaskDetail::import && content.redriven_at > task.due_at;
    const Millis later = counts_later ? *content.redriven_at - task.due_at : Millis(0);
    json.key("expire_after").duration(*content.expire_after + later);
    if (content.dies_late) json.key("on_expire").string("dead");
  }
  if (content.merge_within) json.key("merge_within").duration(*content.merge_within);
  if (!content.retry) return;
  const RetryChoice& retry = *content.retry;
  json.key("retry").begin_object();
  if (retry.max_attempts) json.key("max_attempts").integer(*retry.max_attempts);
  if (retry.backoff_min) json.key("backoff_min").duration(*retry.backoff_min);
  if (retry.backoff_max) json.key("backoff_max").duration(*retry.backoff_max);
  if (retry.max_age) json.key("max_age").duration(*retry.max_age);
  json.end_object();
}

void append_headers(JsonWriter& json, const TaskContent& content, Secrets secrets) {
  if (content.headers.empty()) return;
  json.key("headers").begin_object();
  for (const Header& header : content.headers)
    json.key(header.name).string(secrets == Secrets::shown ? header.value : kHiddenValue);
  json.end_object();
}

void append_body(JsonWriter& json, const TaskContent& content, TaskDetail detail) {
  if (content.content_type.empty()) return;
  // An exported task is one line, which the payload's own line breaks would end.
  const bool breaks_line =
      detail == TaskDetail::import && content.body.find('\n') != std::string_view::npos;
  if (content.body_is_json && !breaks_line) {
    json.key("payload").raw(content.body);
    return;
  }
  append_body_members(json, content.body, content.content_type);
}

}  // namespace

void append_task(JsonWriter& json, const TaskView& task, TaskDetail detail, Secrets secrets) {
  const TaskContent& content = task.content;
  json.begin_object();
  json.key("id").string(content.id);
  if (detail != TaskDetail::import) json.key("state").string(name_of(task.state));
  json.key("due_at").moment(task.due_at);
  if (detail != TaskDetail::import) {
    json.key("created_at").moment(content.created_at);
    append_moment_of(json, "redriven_at", content.redriven_at);
  }
  if (secrets == Secrets::shown)
    json.key("target").string(content.target);
  else
    json.key("target").string(mask_query(content.target));
  append_optional(json, "group", content.group);
  append_optional(json, "lane", content.lane);
  append_optional(json, "key", content.key);
  if (detail != TaskDetail::import) append_progress(json, task);
  append_policy(json, task, detail);
  if (detail != TaskDetail::listed) {
    append_headers(json, content, secrets);
    append_body(json, content, detail);
  }
  json.end_object();
}

}  // namespace carillon
