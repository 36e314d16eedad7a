// The lanes of the config file, brought to the server. They win over what the API made of them.
//
// Concurrency: the loop's thread only.
#pragma once

#include <string>
#include <vector>

#include "engine/task_service.h"
#include "server/options.h"

namespace carillon {

/// Makes each of them what the file says, and leaves all others alone; answers the names of those
/// that it made or changed. `tasks` must outlive it.
[[nodiscard]] Async<std::vector<std::string>> apply_lanes(TaskService& tasks,
                                                          std::vector<ConfiguredLane> lanes);

}  // namespace carillon
