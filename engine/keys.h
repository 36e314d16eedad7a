// The names of tasks, groups, targets and operations, as the shard has them: hashed, with the log's
// own key, so that nobody outside can aim for a collision.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/siphash.h"
#include "wheel/task.h"

namespace carillon {

class Keys {
 public:
  explicit Keys(SipKey key) : key_(key) {}
  [[nodiscard]] Fingerprint task(std::string_view id) const {
    const Hash128 hash = siphash(key_, id);
    return {hash.low, static_cast<std::uint16_t>(hash.high)};
  }
  /// Of anything else that has a name.
  [[nodiscard]] Hash128 of(std::string_view name) const { return siphash(key_, name); }

 private:
  SipKey key_;
};

}  // namespace carillon
