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

/// Waits, or was being pushed when the log ended.
[[nodiscard]] inline bool pending(const Statement& task) {
  return !finished(task.state);
}

}  // namespace carillon::replay
