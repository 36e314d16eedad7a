#include "cluster/shares.h"

#include <algorithm>

namespace carillon {
namespace {

/// Of what is 0 where there is no limit.
std::uint32_t share_or_none(std::uint32_t limit, ShardNumber shard, ShardNumber shards) {
  return limit == 0 ? 0 : share_of(limit, shard, shards);
}

RateLimit rate_share(const RateLimit& whole, ShardNumber shard, ShardNumber shards) {
  RateLimit its = whole;
  its.limit = share_or_none(whole.limit, shard, shards);
  its.burst = share_or_none(whole.burst, shard, shards);
  if (whole.limit != 0 && whole.limit < shards) its.per = whole.per * shards / whole.limit;
  return its;
}

}  // namespace

std::uint32_t share_of(std::uint32_t limit, ShardNumber shard, ShardNumber shards) {
  return std::max(limit / shards + (shard < limit % shards ? 1U : 0U), 1U);
}

TargetSettings target_share(const TargetSettings& whole, ShardNumber shard, ShardNumber shards) {
  TargetSettings its = whole;
  its.concurrency = share_of(whole.concurrency, shard, shards);
  its.rate = rate_share(whole.rate, shard, shards);
  return its;
}

TargetLimits limits_share(const TargetLimits& whole, ShardNumber shard, ShardNumber shards) {
  TargetLimits its = whole;
  its.in_flight_max = std::max<std::uint64_t>(whole.in_flight_max / shards, 1);
  its.pushes_per_second = share_or_none(whole.pushes_per_second, shard, shards);
  its.catch_up_per_second = share_or_none(whole.catch_up_per_second, shard, shards);
  return its;
}

EngineOptions engine_share(const EngineOptions& whole, ShardNumber shard, ShardNumber shards) {
  const auto part = [shards](std::uint64_t amount, std::uint64_t least) {
    return std::max(amount / shards, least);
  };
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  EngineOptions its = whole;
  static_cast<TargetLimits&>(its.shard) = limits_share(whole.shard, shard, shards);
  its.shard.pending_max = part(whole.shard.pending_max, 1);
  its.shard.retained_max = part(whole.shard.retained_max, 1);
  its.pending_bytes_max = part(whole.pending_bytes_max, 4 * kMiB);
  its.content_cache_bytes = part(whole.content_cache_bytes, 1);
  its.push_bytes_max = part(whole.push_bytes_max, 2 * kMiB);
  its.page_bytes_max = part(whole.page_bytes_max, 2 * kMiB);
  its.export_bytes_max = part(whole.export_bytes_max, 2 * kMiB);
  its.log_slack_bytes = part(whole.log_slack_bytes, 1);
  its.batch_bytes_max = kMiB / 2;
  return its;
}

}  // namespace carillon
