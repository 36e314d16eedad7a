// Settings of the configuration that should be the same on all nodes of a cluster.
//
// Each node uses its own, so a task is treated by those of the node that owns its shard. They may
// differ while a change is rolled out, so a difference is no error; it is logged and shown.
//
// Concurrency: pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/options.h"

namespace carillon {

/// Each by its key in the configuration, with its value as text.
using AgreedSettings = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] AgreedSettings agreed_settings(const EngineOptions& options);

/// The keys that both have, with other values.
[[nodiscard]] std::vector<std::string> differing(const AgreedSettings& ours,
                                                 const AgreedSettings& theirs);

}  // namespace carillon
