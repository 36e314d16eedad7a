// What a node tells all others, twice a second: that it lives, where it is reached, and how it
// stands with each shard.
//
// Operation: heartbeats go over NATS as plain messages, signed with the cluster's secret. One that
// is lost is followed by the next. Nothing is decided by them but who tries what when: who owns a
// shard, its stream decides.
//
// Concurrency: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/siphash.h"
#include "base/time.h"
#include "cluster/agreement.h"
#include "cluster/secret.h"
#include "cluster/shard_of.h"
#include "shard/record.h"
#include "storage/stream_position.h"

namespace carillon {

/// How a node stands with a shard that it owns or follows.
struct ShardReport {
  enum class Role : std::uint8_t { follows = 1, owns = 2 };
  ShardNumber shard = 0;
  Role role = Role::follows;
  std::uint64_t epoch = 0;     // of the last message that it has
  StreamPlace place = 0;       // likewise
  Hash128 hash;                // likewise
  std::uint64_t given_up = 0;  // the last epoch that it gave up of its own will; 0: none
  StreamPlace settings = 0;    // of one that it owns: it has the cluster's settings up to there
  friend bool operator==(const ShardReport&, const ShardReport&) = default;
};

/// A target that is held because pushes of a shard of the node were in trouble.
struct ToldHold {
  std::string target;
  HoldReason reason = HoldReason::too_many_requests;
  WallTime until{};  // by the node's clock
  friend bool operator==(const ToldHold&, const ToldHold&) = default;
};

struct Heartbeat {
  std::string node;
  Hash128 incarnation;                // made when the process starts
  std::string url;                    // where other nodes reach it
  std::string version;                // of the program
  WallTime now{};                     // by its clock
  bool leaving = false;               // it takes over nothing any more
  std::vector<std::string> to_leave;  // nodes that an operator has asked it to have drained
  AgreedSettings settings;            // its own
  std::vector<ShardReport> shards;
  std::vector<ToldHold> holds;  // at most kToldHoldsMax
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

inline constexpr std::size_t kToldHoldsMax = 1000;

/// On which subject the nodes of a cluster listen.
[[nodiscard]] std::string heartbeat_subject(std::string_view cluster);

[[nodiscard]] std::string encode_heartbeat(const Heartbeat& heartbeat, const Hash128& cluster,
                                           const ClusterSecret& secret);

/// Error slug `network`: it is damaged, of another cluster, or signed with another secret; the
/// detail says which, and names the node where it can.
[[nodiscard]] Result<Heartbeat> decode_heartbeat(std::string_view bytes, const Hash128& cluster,
                                                 const ClusterSecret& secret);

}  // namespace carillon
