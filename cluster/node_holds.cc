// How a node tells the others of targets that are held, and what it does when it is told.
#include <algorithm>

#include "cluster/node.h"

namespace carillon {

void ClusterNode::hold_changed(const std::string& target,
                               const std::optional<TargetView::Held>& held) {
  if (its_.engine.on_hold) its_.engine.on_hold(target, held);
  const std::lock_guard lock(mutex_);
  std::vector<ToldHold>& told = own_.holds;
  const WallTime now = its_.clock.wall();
  std::erase_if(told, [&](const ToldHold& hold) {
    return hold.until <= now || (hold.target == target && (!held || hold.until <= held->until));
  });
  if (!held || std::ranges::find(told, target, &ToldHold::target) != told.end()) return;
  if (told.size() == kToldHoldsMax) told.erase(told.begin());
  told.push_back({target, held->reason, held->until});
  send_now_ = true;
}

void ClusterNode::take_holds(const Heartbeat& heartbeat, Millis offset) {
  for (const ToldHold& hold : heartbeat.holds) {
    // Heartbeats repeat it: a hold that an operator has ended meanwhile must not begin anew.
    WallTime& heard = heard_holds_[hold.target];
    if (hold.until <= heard) continue;
    heard = hold.until;
    for (const auto& host : hosts_) {
      const auto engine = host->served();
      if (engine != nullptr) engine->hold_target(hold.target, hold.reason, hold.until - offset);
    }
  }
  if (heard_holds_.size() <= kToldHoldsMax) return;
  std::erase_if(heard_holds_, [&](const auto& heard) { return heard.second <= heartbeat.now; });
}

}  // namespace carillon
