// The file `cluster` in a node's data directory: to which cluster it belongs.
//
// Concurrency: pure functions over the file system.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/siphash.h"

namespace carillon {

struct ClusterMark {
  std::string name;  // of the cluster
  Hash128 cluster;
  friend bool operator==(const ClusterMark&, const ClusterMark&) = default;
};

/// Nothing: the directory is of no cluster yet, or not there. Error slug `config`: the file cannot
/// be read.
[[nodiscard]] Result<std::optional<ClusterMark>> read_cluster_mark(const std::string& data_dir);

/// Durable when it returns. Makes the directory. Error slug `storage`.
[[nodiscard]] Result<> write_cluster_mark(const std::string& data_dir, const ClusterMark& mark);

}  // namespace carillon
