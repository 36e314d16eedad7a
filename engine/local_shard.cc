#include "engine/local_shard.h"

#include <utility>

namespace carillon {

LocalShard::LocalShard(Place place, EngineOptions options)
    : place_(std::move(place)),
      options_(std::move(options)),
      keys_(place_.log.key()),
      driver_(place_.loop, place_.clock, place_.log, *this,
              {.shard = options_.shard,
               .pending_bytes_max = options_.pending_bytes_max,
               .log_slack_bytes = options_.log_slack_bytes,
               .batch_bytes_max = options_.batch_bytes_max,
               .shared_log = options_.shared_log}),
      targets_(driver_.shard(), keys_, options_.url_defaults),
      pusher_({.clock = place_.clock,
               .log = place_.log,
               .sink = place_.sink,
               .driver = driver_,
               .targets = targets_,
               .counters = counters_,
               .random = place_.random,
               .settled = place_.settled},
              options_.content_cache_bytes, options_.push_bytes_max) {}

void LocalShard::holds_changed(const std::vector<TargetKey>& keys) {
  for (const TargetKey& key : keys) {
    const TargetState* const target = shard().target(key);
    if (target == nullptr) continue;
    if (target->hold.active()) ++counters_.holds[static_cast<std::size_t>(target->hold.reason())];
    if (options_.on_hold) options_.on_hold(target->settings.name, held(*target));
  }
}

}  // namespace carillon
