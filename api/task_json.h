// Tasks as JSON: what a client sends and what it is shown.
#pragma once

#include <string>

#include "api/json_scratch.h"
#include "base/json.h"
#include "delivery/mask.h"
#include "engine/requests.h"

namespace carillon {

/// A task to add. Views point into `scratch`. Errors: those of docs/api.md for a task, 400; `id`,
/// if given, is set to the task's as far as it was read.
[[nodiscard]] Result<AddRequest> parse_task(simdjson::ondemand::value value, JsonScratch& scratch,
                                            std::string* id = nullptr);

/// A change of a task; `null` removes what may be absent. Error missing_field where nothing is
/// changed.
[[nodiscard]] Result<ChangeRequest> parse_change(simdjson::ondemand::value value,
                                                 JsonScratch& scratch);

/// The filter of a bulk call on dead letters: group, target, due_from, due_to; and the call's
/// `operation`, where it takes one.
[[nodiscard]] Result<TaskFilter> parse_filter(simdjson::ondemand::value value,
                                              std::string* operation = nullptr);

enum class TaskDetail {
  full,
  listed,  // without body and headers
  import,  // only what a task is created from, in one line: a payload with line breaks as `body`
};
/// Appends the members that say how a cancel came out.
void append_cancelled(JsonWriter& json, const CancelAnswer& cancelled);
/// Appends the task as an object. With its secrets hidden, values of headers and the query of a URL
/// are masked.
void append_task(JsonWriter& json, const TaskView& task, TaskDetail detail, Secrets secrets);

}  // namespace carillon
