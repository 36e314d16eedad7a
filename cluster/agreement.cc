#include "cluster/agreement.h"

#include <algorithm>

#include "base/time.h"

namespace carillon {

AgreedSettings agreed_settings(const EngineOptions& options) {
  return {{"horizon", format_duration(options.horizon)},
          {"retain_finished", format_duration(options.shard.retain_finished)},
          {"retain_finished_max", std::to_string(options.shard.retained_max)},
          {"catch_up_per_second", std::to_string(options.shard.catch_up_per_second)},
          {"capacity.pushes_per_second", std::to_string(options.shard.pushes_per_second)}};
}

std::vector<std::string> differing(const AgreedSettings& ours, const AgreedSettings& theirs) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : ours) {
    const auto found = std::ranges::find(theirs, key, &AgreedSettings::value_type::first);
    if (found != theirs.end() && found->second != value) keys.push_back(key);
  }
  return keys;
}

}  // namespace carillon
