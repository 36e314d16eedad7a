// What all shards of a cluster must agree on, and who changes it: targets and lanes.
//
// Operation: a change is decided once for the whole cluster, and then holds in every shard. Nobody
// owns these settings; where several change one at once, each starts from what the one before left.
//
// Concurrency: any thread; coroutines on the caller's loop.
//
// Errors are those of docs/api.md, by slug.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/requests.h"

namespace carillon {

class ClusterSettings {
 public:
  ClusterSettings() = default;
  virtual ~ClusterSettings() = default;
  ClusterSettings(const ClusterSettings&) = delete;
  ClusterSettings& operator=(const ClusterSettings&) = delete;

  // As in TaskService.
  [[nodiscard]] virtual Async<Answer<PutAnswer<TargetView>>> change_target(std::string name,
                                                                           TargetChange change) = 0;
  [[nodiscard]] virtual Async<Answer<>> delete_target(std::string_view name, bool force) = 0;
  [[nodiscard]] virtual Async<Answer<TargetView>> pause_target(std::string_view name,
                                                               bool paused) = 0;
  [[nodiscard]] virtual Async<Answer<PutAnswer<LaneView>>> put_lane(std::string name,
                                                                    LaneSettings settings) = 0;
  [[nodiscard]] virtual Async<Answer<>> delete_lane(std::string name) = 0;

  // What targets are set to, as this node knows it: secrets go from node to node in no other way.
  /// Null: there is none of that name.
  [[nodiscard]] virtual std::shared_ptr<const TargetSettings> find_target(
      std::string_view name) const = 0;
  /// At most `limit` of them by name, those whose names come after `after`.
  [[nodiscard]] virtual std::vector<std::shared_ptr<const TargetSettings>> list_targets(
      std::string_view after, std::size_t limit) const = 0;
};

}  // namespace carillon
