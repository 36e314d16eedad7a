// What one shard of a cluster has of what is set for the whole.
//
// Ids are hashed, so shards have as many tasks each, and of n shards each has the n-th part of a
// limit. Where that does not come out even, the first ones have one more. None has less than 1, so
// where a limit is below n the sum is n. A rate has a better way: of fewer tasks in each `per` than
// there are shards, each shard has one in a time that is as much longer. A limit of 0, which is
// none, stays none.
//
// Concurrency: pure functions.
#pragma once

#include <cstdint>

#include "cluster/shard_of.h"
#include "engine/options.h"

namespace carillon {

[[nodiscard]] std::uint32_t share_of(std::uint32_t limit, ShardNumber shard, ShardNumber shards);
[[nodiscard]] TargetSettings target_share(const TargetSettings& whole, ShardNumber shard,
                                          ShardNumber shards);
[[nodiscard]] TargetLimits limits_share(const TargetLimits& whole, ShardNumber shard,
                                        ShardNumber shards);
[[nodiscard]] EngineOptions engine_share(const EngineOptions& whole, ShardNumber shard,
                                         ShardNumber shards);

}  // namespace carillon
