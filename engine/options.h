// What an engine is set to.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "delivery/target.h"
#include "engine/requests.h"
#include "shard/shard.h"

namespace carillon {

struct EngineOptions {
  ShardOptions shard;
  Millis horizon = std::chrono::days(30);
  std::uint64_t pending_bytes_max = std::uint64_t{64}
                                    << 20;  // waiting for storage; over it: overloaded
  std::uint64_t content_cache_bytes = std::uint64_t{64} << 20;
  std::uint64_t push_bytes_max = std::uint64_t{16} << 20;    // contents that are being pushed
  std::uint64_t page_bytes_max = std::uint64_t{32} << 20;    // pages of lists on their way out
  std::uint64_t export_bytes_max = std::uint64_t{48} << 20;  // pieces of exports, likewise
  /// The log is cleaned when it is larger than twice what restating everything takes plus this.
  std::uint64_t log_slack_bytes = std::uint64_t{64} << 20;
  std::uint64_t batch_bytes_max = OpenBatch::kNoLimit;  // of one commit
  bool shared_log = false;                              // another node may come to own it
  TargetSettings url_defaults;                          // for tasks that name a URL
  /// Told of each hold that begins, changes or, where `held` is empty, ends. May be empty.
  std::function<void(const std::string& target, const std::optional<TargetView::Held>& held)>
      on_hold;
  /// Another node owns the log now, and the engine is of no more use. Not empty where `shared_log`.
  std::function<void()> on_fenced;
};

}  // namespace carillon
