#include "engine/target_registry.h"

#include <utility>

#include "base/check.h"

namespace carillon {

TargetRegistry::TargetRegistry(const Shard& shard, const Keys& keys, TargetSettings url_defaults)
    : shard_(shard),
      keys_(keys),
      url_defaults_(std::make_shared<const TargetSettings>(std::move(url_defaults))) {}

void TargetRegistry::changed(const std::vector<TargetKey>& keys) {
  for (const TargetKey& key : keys) {
    const TargetState* target = shard_.target(key);
    if (target == nullptr || target->deleted) {
      const auto known = settings_.find(key.low);
      if (known == settings_.end()) continue;
      names_.erase(known->second->name);
      settings_.erase(known);
      continue;
    }
    Result<TargetSettings> settings = parse_stored_target(target->settings.settings);
    CARILLON_CHECK(settings.has_value());
    settings->name = target->settings.name;
    settings->paused = target->settings.paused;
    names_.insert_or_assign(settings->name, key);
    settings_[key.low] = std::make_shared<const TargetSettings>(std::move(*settings));
  }
}

TargetRegistry::Settings TargetRegistry::find(std::string_view name) const {
  const auto found = settings_.find(keys_.of(name).low);
  return found == settings_.end() ? nullptr : found->second;
}

const TargetRegistry::Settings& TargetRegistry::of_push(const TargetKey& key) const {
  const auto named = settings_.find(key.low);
  return named == settings_.end() ? url_defaults_ : named->second;
}

Millis TargetRegistry::paused_for(const TargetKey& key, WallTime now) const {
  const TargetState* const target = shard_.target(key);
  return target == nullptr ? Millis(0) : target->paused_for(now);
}

TargetView TargetRegistry::view_of(const TargetState& target) const {
  TargetView view;
  const auto settings = settings_.find(target.settings.key.low);
  if (settings != settings_.end()) view.settings = *settings->second;
  view.waiting = target.unfinished;
  view.backlog = target.queued;
  view.in_flight = target.in_flight;
  view.held = held(target);
  return view;
}

std::optional<TargetView> TargetRegistry::view(std::string_view name) const {
  const TargetState* target = shard_.target(keys_.of(name));
  if (target == nullptr || target->deleted || target->is_url) return std::nullopt;
  return view_of(*target);
}

std::vector<TargetView> TargetRegistry::views(std::string_view after, std::size_t limit) const {
  std::vector<TargetView> views;
  for (auto at = names_.upper_bound(after); at != names_.end() && views.size() < limit; ++at) {
    views.push_back(view_of(*shard_.target(at->second)));
  }
  return views;
}

TargetCounts TargetRegistry::counts(std::string_view after) const {
  TargetCounts sum;
  for (auto at = names_.upper_bound(after); at != names_.end(); ++at) {
    const TargetState& target = *shard_.target(at->second);
    sum.waiting += target.unfinished;
    sum.backlog += target.queued;
    sum.in_flight += target.in_flight;
  }
  return sum;
}

std::optional<TargetCounts::Held> held(const TargetState& target) {
  if (!target.hold.active()) return std::nullopt;
  return TargetCounts::Held{target.hold.until(), target.hold.since(), target.hold.reason()};
}

}  // namespace carillon
