// To which shard of a cluster a task belongs.
//
// Operation: the hash of its id decides. Where the id has a part between the first `{` and the next
// `}`, and that is not empty, only the part counts: so `{user:42}:mail` and `{user:42}:sms` are in
// one shard. The hash is keyed with the key that all shards of the cluster share, as the index of
// tasks is: nobody outside can aim at one shard.
//
// Limitations: the number of shards is fixed when the cluster is made; with another one, every task
// would be elsewhere.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/keys.h"

namespace carillon {

using ShardNumber = std::uint32_t;

/// The part of an id that decides.
[[nodiscard]] std::string_view shard_part(std::string_view id);
/// From 0; `shards` is at least 1.
[[nodiscard]] ShardNumber shard_of(const Keys& keys, std::string_view id, ShardNumber shards);

}  // namespace carillon
