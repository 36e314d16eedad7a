// The targets and lanes of the config file, brought to the server. They win over what the API made
// of them.
//
// Concurrency: the loop's thread only.
#pragma once

#include <vector>

#include "engine/task_service.h"
#include "server/options.h"

namespace carillon {

class Audit;

/// Makes each of them what the file says, leaves all others alone, and notes what it has made or
/// changed, as if the file had called the API. `tasks` and `audit` must outlive it.
[[nodiscard]] Async<void> apply_configured(TaskService& tasks, Audit& audit,
                                           std::vector<ConfiguredLane> lanes,
                                           std::vector<ConfiguredTarget> targets);

}  // namespace carillon
