// What all shards of a cluster must agree on, and who changes it: targets and lanes.
//
// Operation: a change is decided once for the whole cluster, and then holds in every shard. Nobody
// owns these settings; where several change one at once, each starts from what the one before left.
//
// Concurrency: any thread; coroutines on the caller's loop.
//
// Errors are those of docs/api.md, by slug.
#pragma once

#include <string>
#include <string_view>

#include "engine/requests.h"

namespace carillon {

class ClusterSettings {
 public:
  ClusterSettings() = default;
  virtual ~ClusterSettings() = default;
  ClusterSettings(const ClusterSettings&) = delete;
  ClusterSettings& operator=(const ClusterSettings&) = delete;

  // As in TaskService.
  [[nodiscard]] virtual Async<Answer<bool>> change_target(std::string name,
                                                          TargetChange change) = 0;
  [[nodiscard]] virtual Async<Answer<>> delete_target(std::string_view name, bool force) = 0;
  [[nodiscard]] virtual Async<Answer<>> pause_target(std::string_view name, bool paused) = 0;
  [[nodiscard]] virtual Async<Answer<bool>> put_lane(std::string name, LaneSettings settings) = 0;
  [[nodiscard]] virtual Async<Answer<>> delete_lane(std::string name) = 0;
};

}  // namespace carillon
