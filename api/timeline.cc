// What happened to a task, in order: told by the task itself, its notes and the audit.
#include <algorithm>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "api/api.h"
#include "api/handlers.h"
#include "base/json.h"
#include "monitor/audit.h"

namespace carillon {
namespace {

/// A group's cancel is noted once it is answered, when its tasks have been cancelled already.
constexpr Millis kNotedLater = std::chrono::seconds(5);

class Timeline {
 public:
  explicit Timeline(const TaskView& task) : task_(task) {}

  void add_content();
  void add_attempts();
  void add_end();
  /// Entries of the audit, the newest first.
  void add_group_operations(const std::vector<std::string>& entries);
  void write(JsonWriter& json);

 private:
  struct Event {
    WallTime at{};  // its place
    std::string json;
  };
  /// A further event, of which `fields` says more.
  template <typename Fields>
  void add(std::string_view name, WallTime at, const Fields& fields) {
    Event& event = events_.emplace_back(Event{at, {}});
    JsonWriter json(event.json);
    json.begin_object().key("event").string(name);
    fields(json);
    json.end_object();
  }
  void add(std::string_view name, WallTime at) {
    add(name, at, [at](JsonWriter& json) { json.key("at").moment(at); });
  }
  void add_attempt(const FailedAttempt& its, std::string_view outcome,
                   const std::optional<WallTime>& retry_at);
  void add_group_operation(simdjson::dom::element entry);

  [[nodiscard]] std::optional<WallTime> first_due() const;

  const TaskView& task_;
  std::vector<Event> events_;
};

/// The due that was asked for. A delay counts from when the task was made or, where the change gave
/// it, from its last change, and from a moment before that by a little. Unknown where it is
/// neither, and of rows of version 1.
std::optional<WallTime> Timeline::first_due() const {
  const TaskContent& content = task_.content;
  if (!content.delay) return content.due_at;
  const auto stands = [&](WallTime from) {
    return std::chrono::abs(task_.due_at - from - *content.delay) < std::chrono::seconds(1);
  };
  if (stands(content.created_at)) return task_.due_at;
  if (!content.changed_at) return content.created_at + *content.delay;
  return stands(*content.changed_at) ? std::optional(task_.due_at) : std::nullopt;
}

void Timeline::add_content() {
  const TaskContent& content = task_.content;
  const std::optional<WallTime> first = first_due();
  add("created", content.created_at, [&](JsonWriter& json) {
    json.key("at").moment(content.created_at);
    if (first && !content.changed_at) json.key("due_at").moment(*first);
  });
  const WallTime written = content.changed_at.value_or(content.created_at);
  if (content.changed_at) {
    add("changed", written, [&](JsonWriter& json) {
      json.key("at").moment(written);
      if (first) json.key("due_at").moment(*first);
    });
  }
  if (first ? *first != task_.due_at : content.delay.has_value()) {
    add("moved", written, [&](JsonWriter& json) {
      if (first) json.key("from").moment(*first);
      json.key("due_at").moment(task_.due_at);
    });
  }
  if (content.redriven_at) add("redriven", *content.redriven_at);
}

void Timeline::add_end() {
  if (!task_.finished_at) return;
  add(name_of(task_.state), *task_.finished_at, [&](JsonWriter& json) {
    json.key("at").moment(*task_.finished_at);
    const Note& note = task_.note;
    if (task_.state != State::dead || note.error.empty() || note.is_of_push()) return;
    json.key("error").string(note.error);  // why it was not pushed
  });
}

void Timeline::add_attempt(const FailedAttempt& its, std::string_view outcome,
                           const std::optional<WallTime>& retry_at) {
  const WallTime began = its.at - its.took;
  add("attempt", began, [&](JsonWriter& json) {
    json.key("at").moment(began);
    json.key("attempt").unsigned_integer(its.attempt);
    // One that was merged was early, and a clock that was set back makes a duration negative.
    json.key("lateness_ms").integer(std::max(its.late, Millis(0)).count());
    json.key("duration_ms").integer(std::max(its.took, Millis(0)).count());
    json.key("outcome").string(outcome);
    if (its.http_status != 0) json.key("status").unsigned_integer(its.http_status);
    if (!its.error.empty()) json.key("error").string(its.error);
    if (!retry_at) return;
    json.key("retry_at").moment(*retry_at);
    json.key("pause_ms").integer((*retry_at - its.at).count());
  });
}

void Timeline::add_attempts() {
  const Note& note = task_.note;
  const bool has_failed = note.is_of_push();
  std::vector<FailedAttempt> failed = note.before;
  if (has_failed) {
    failed.push_back({note.at, note.attempt, note.http_status, note.error, note.late, note.took});
  }
  for (std::size_t i = 0; i < failed.size(); ++i) {
    std::optional<WallTime> again;
    if (i + 1 < failed.size()) {
      again = failed[i + 1].at - failed[i + 1].took - failed[i + 1].late;
      const std::optional<WallTime>& redriven = task_.content.redriven_at;
      if (redriven && *again >= *redriven && failed[i].at <= *redriven) again.reset();
    } else if (note.retry_at != WallTime{}) {
      again = task_.state == State::retrying ? task_.next_attempt_at : note.retry_at;
    }
    add_attempt(failed[i], "failed", again);
  }
  if (!task_.push.known() || !task_.finished_at) return;
  // Moved after it had failed, it was pushed at the due that it got then.
  const bool was_retry = has_failed && note.retry_at != WallTime{} && task_.due_at < note.at;
  const WallTime due = std::max(was_retry ? note.retry_at : task_.due_at,
                                task_.content.redriven_at.value_or(WallTime{}));
  const Millis took = task_.push.took();
  add_attempt({*task_.finished_at,
               task_.attempt,
               task_.push.status(),
               {},
               std::max(*task_.finished_at - took - due, Millis(0)),
               took},
              "delivered", std::nullopt);
}

void Timeline::add_group_operation(simdjson::dom::element entry) {
  std::string_view action, of, at_text;
  if (entry["action"].get(action) != simdjson::SUCCESS ||
      entry["of"].get(of) != simdjson::SUCCESS || entry["at"].get(at_text) != simdjson::SUCCESS ||
      of != task_.content.group)
    return;
  constexpr std::string_view kGroups = "POST /v1/groups/{group}:";
  std::uint64_t status = 0;
  const Result<WallTime> at = parse_moment(at_text);
  if (!action.starts_with(kGroups) || entry["status"].get(status) != simdjson::SUCCESS ||
      status != 200 || !at || *at < task_.content.created_at)
    return;
  action.remove_prefix(kGroups.size());
  const bool may_be_its_end = action == "cancel" && task_.state == State::cancelled;
  const WallTime end = task_.finished_at.value_or(WallTime::max());
  if (*at > end && (!may_be_its_end || *at - end > kNotedLater)) return;
  add("group_" + std::string(action), std::min(*at, end), [&](JsonWriter& json) {
    json.key("at").moment(*at);
    std::string_view who;
    if (entry["who"].get(who) == simdjson::SUCCESS) json.key("who").string(who);
    simdjson::dom::element result;
    if (entry["result"].get(result) == simdjson::SUCCESS)
      json.key("result").raw(simdjson::minify(result));
  });
}

void Timeline::add_group_operations(const std::vector<std::string>& entries) {
  if (task_.content.group.empty()) return;
  simdjson::dom::parser parser;
  for (const std::string& entry : entries | std::views::reverse) {
    simdjson::dom::element root;
    if (parser.parse(entry).get(root) == simdjson::SUCCESS) add_group_operation(root);
  }
}

void Timeline::write(JsonWriter& json) {
  std::ranges::stable_sort(events_, {}, &Event::at);
  json.begin_object().key("id").string(task_.content.id);
  json.key("state").string(name_of(task_.state));
  json.key("events").begin_array();
  for (const Event& event : events_) json.raw(event.json);
  json.end_array().end_object();
}

}  // namespace

Async<Answer<>> get_timeline(Call& call) {
  const auto task = co_await call.tasks.get(call.name);
  if (!task) co_return task.error();
  Timeline timeline(*task);
  timeline.add_content();
  if (const Audit* const audit = call.api.audit()) {
    timeline.add_group_operations(audit->last(Audit::kEntriesMax));
  }
  timeline.add_attempts();
  timeline.add_end();
  JsonWriter json(call.response.body);
  timeline.write(json);
  co_return Answer<>();
}

}  // namespace carillon
