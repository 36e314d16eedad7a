#include "cluster/shard_of.h"

#include "base/check.h"

namespace carillon {

std::string_view shard_part(std::string_view id) {
  const std::string_view part = part_of(id);
  return part.empty() ? id : part;
}

ShardNumber shard_of(const Keys& keys, std::string_view id, ShardNumber shards) {
  CARILLON_CHECK(shards > 0);
  return static_cast<ShardNumber>(keys.of(shard_part(id)).low % shards);
}

}  // namespace carillon
