// The messages of a cluster's control stream: what the cluster is, and what all of its shards must
// agree on.
//
// Operation: the first message is the genesis. Each later one sets one thing. Like the messages of
// shards (storage/jetstream/message.h) they carry a nonce, so that a node recognises its own, and
// the hash of the one before. Targets' settings and the key of the genesis are encrypted with the
// cluster's secret (cluster/secret.h).
//
// Layout: docs/on-disk-format.md. Concurrency: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "cluster/secret.h"
#include "cluster/shard_of.h"
#include "engine/requests.h"
#include "storage/jetstream/message.h"

namespace carillon {

/// Of what a cluster is, nothing changes later.
struct ClusterGenesis {
  Genesis genesis;
  ShardNumber shards = 0;
  /// So many messages behind it belong to it: the settings of a cluster that was seeded. Before the
  /// last of them no shard is served and nothing is changed.
  std::uint64_t settings = 0;
};

namespace control {

struct SetTarget {
  std::string name;
  std::string settings;  // JSON, as format_target makes it with secrets
};
/// It is to be deleted if no shard has a task that names it. A shard that has one says Keep.
struct LetTargetGo {
  std::string name;
};
/// It stays: a shard has tasks that name it.
struct KeepTarget {
  std::string name;
};
struct DeleteTarget {
  std::string name;
};
struct SetLane {
  std::string name;
  LaneSettings settings;
};
struct LetLaneGo {
  std::string name;
};
struct KeepLane {
  std::string name;
};
struct DeleteLane {
  std::string name;
};
/// The order is the numbers in the messages, which are for ever.
using Change = std::variant<ClusterGenesis, SetTarget, LetTargetGo, KeepTarget, DeleteTarget,
                            SetLane, LetLaneGo, KeepLane, DeleteLane>;

}  // namespace control

struct ControlMessage {
  Hash128 cluster;
  Hash128 nonce;
  Hash128 previous;  // of the message before; all 0: there is none
  control::Change change;
};

[[nodiscard]] std::string encode_control(const ControlMessage& message,
                                         const ClusterSecret& secret);

/// Error slug `storage`: it is damaged, newer than this program, or encrypted with another secret.
[[nodiscard]] Result<ControlMessage> decode_control(std::string_view bytes,
                                                    const ClusterSecret& secret);

}  // namespace carillon
