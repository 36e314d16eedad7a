#include "cluster/shard_of.h"

#include "base/check.h"

namespace carillon {

std::string_view shard_part(std::string_view id) {
  const std::size_t open = id.find('{');
  if (open == std::string_view::npos) return id;
  const std::size_t close = id.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1) return id;
  return id.substr(open + 1, close - open - 1);
}

ShardNumber shard_of(const Keys& keys, std::string_view id, ShardNumber shards) {
  CARILLON_CHECK(shards > 0);
  return static_cast<ShardNumber>(keys.of(shard_part(id)).low % shards);
}

}  // namespace carillon
