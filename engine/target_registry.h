// The named targets: their settings, and how much waits for each.
//
// Operation: the shard has a target's settings as text that it does not read, and knows the target
// by its key alone. The registry reads them once, whenever they change, and has them at hand for
// each push, in the order of the names for lists. How much waits, and holds, it asks the shard.
//
// Concurrency: the loop's thread only. Settings that were handed out stay as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "delivery/target.h"
#include "engine/keys.h"
#include "engine/requests.h"
#include "shard/shard.h"

namespace carillon {

class TargetRegistry {
 public:
  using Settings = std::shared_ptr<const TargetSettings>;

  /// `shard` and `keys` must outlive it. Tasks that name a URL are pushed as `url_defaults` say.
  TargetRegistry(const Shard& shard, const Keys& keys, TargetSettings url_defaults);

  /// These were made, changed or deleted.
  void changed(const std::vector<TargetKey>& keys);

  /// Null: there is no target of that name.
  [[nodiscard]] Settings find(std::string_view name) const;
  /// How a task of that target is pushed: as a name's settings say, or as any URL.
  [[nodiscard]] const Settings& of_push(const TargetKey& key) const;

  /// How long it has been paused in all.
  [[nodiscard]] Millis paused_for(const TargetKey& key, WallTime now) const;

  [[nodiscard]] std::size_t size() const { return names_.size(); }
  /// Empty: there is none.
  [[nodiscard]] std::optional<TargetView> view(std::string_view name) const;
  /// At most `limit` of them by name, those whose names come after `after`.
  [[nodiscard]] std::vector<TargetView> views(std::string_view after, std::size_t limit) const;
  /// Of all whose names come after `after` together.
  [[nodiscard]] TargetCounts counts(std::string_view after) const;

 private:
  [[nodiscard]] TargetView view_of(const TargetState& target) const;

  const Shard& shard_;
  const Keys& keys_;
  Settings url_defaults_;
  std::unordered_map<std::uint64_t, Settings> settings_;  // by key.low
  std::map<std::string, TargetKey, std::less<>> names_;   // of these, in order
};

/// The hold of a target that is held.
[[nodiscard]] std::optional<TargetCounts::Held> held(const TargetState& target);

}  // namespace carillon
