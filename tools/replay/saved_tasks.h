// Tasks of a replayed history together with their contents.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/replay/history.h"
#include "tools/replay/salvage.h"

namespace carillon::replay {

/// A task whose content is not there.
struct ContentLost {
  Statement task;
  std::string why;  // "missing", or what is wrong with the row
};

struct SavedTasks {
  std::uint64_t saved = 0;
  std::vector<ContentLost> lost;
  std::uint64_t bad_rows = 0;  // contents that do not decode, whosever they are
};

/// Calls `visit` with each task that `wanted` chooses, in the order of their numbers, and its
/// content; `row` is the content's row. The views are gone after the call. False ends it.
[[nodiscard]] SavedTasks for_each_task(
    History& history, Salvage& salvage, const std::function<bool(const Statement&)>& wanted,
    const std::function<bool(const Statement&, const TaskContent&, std::string_view row)>& visit,
    const Progress& progress);

/// The same with all tasks. The content of a finished one may be deleted before its last record
/// leaves the log, so it is not told as lost; that of a dead letter is.
[[nodiscard]] SavedTasks for_each_task_kept(
    History& history, Salvage& salvage,
    const std::function<bool(const Statement&, const TaskContent&, std::string_view row)>& visit,
    const Progress& progress);

/// Calls `visit` with each note, as its row and read, in the order of the tasks' numbers. False
/// ends it.
void for_each_note(
    Salvage& salvage,
    const std::function<bool(TaskNumber number, std::string_view row, Note note)>& visit,
    const Progress& progress);

/// Waits, or was being pushed when the log ended.
[[nodiscard]] inline bool pending(const Statement& task) {
  return !finished(task.state);
}

}  // namespace carillon::replay
