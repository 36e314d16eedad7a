// carillon-replay seed: a stopped node's directory into the streams of a new cluster.
#pragma once

#include <string>

#include "tools/replay/console.h"
#include "tools/replay/inspection.h"

namespace carillon::replay {

/// `config_file`: of a node of the cluster; what it says below `[cluster]` counts.
[[nodiscard]] int seed(Inspection& inspection, const std::string& config_file,
                       ProgressLine& progress);

}  // namespace carillon::replay
