// Which node of a cluster owns which shard, as far as this node knows.
//
// Operation: what is here changes at any time, and what it says may be out of date by the time it
// is used. Nothing depends on it but the way: who does not own a shard any more answers `moved`,
// whatever this said.
//
// Concurrency: any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cluster/shard_of.h"
#include "engine/task_service.h"

namespace carillon {

struct NodeAddress {
  std::string node;
  std::string url;  // where other nodes reach it: "http://10.0.0.7:8080"
  friend bool operator==(const NodeAddress&, const NodeAddress&) = default;
};

class ShardMap {
 public:
  ShardMap() = default;
  virtual ~ShardMap() = default;
  ShardMap(const ShardMap&) = delete;
  ShardMap& operator=(const ShardMap&) = delete;

  /// Why this node cannot lead anybody anywhere; empty: it can.
  [[nodiscard]] virtual std::string not_ready_because() const = 0;
  /// How many shards the cluster has; fixed.
  [[nodiscard]] virtual ShardNumber shards() const = 0;
  /// The service of a shard that this node owns; null: it does not. Whoever holds it keeps it
  /// alive; once another node has taken the shard over it answers `moved`.
  [[nodiscard]] virtual std::shared_ptr<TaskService> local(ShardNumber shard) const = 0;
  /// The node that owns the shard; empty: nobody is known to.
  [[nodiscard]] virtual std::optional<NodeAddress> owner(ShardNumber shard) const = 0;
};

}  // namespace carillon
