// The names of tasks, groups, targets and operations, as the shard has them: hashed, with the log's
// own key, so that nobody outside can aim for a collision.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/siphash.h"
#include "wheel/task.h"

namespace carillon {

/// The part of an id that says whose the task is: between the first `{` and the next `}`. Empty: it
/// has none.
[[nodiscard]] inline std::string_view part_of(std::string_view id) {
  const std::size_t open = id.find('{');
  if (open == std::string_view::npos) return {};
  const std::size_t close = id.find('}', open + 1);
  if (close == std::string_view::npos) return {};
  return id.substr(open + 1, close - open - 1);
}

class Keys {
 public:
  explicit Keys(SipKey key) : key_(key) {}
  [[nodiscard]] Fingerprint task(std::string_view id) const {
    const Hash128 hash = siphash(key_, id);
    return {hash.low, static_cast<std::uint16_t>(hash.high)};
  }
  /// Of the part of an id.
  [[nodiscard]] std::uint64_t part(std::string_view part) const {
    return siphash(key_, part).high >> (64 - MergeRule::kPartBits);
  }
  /// Of anything else that has a name.
  [[nodiscard]] Hash128 of(std::string_view name) const { return siphash(key_, name); }

 private:
  SipKey key_;
};

}  // namespace carillon
