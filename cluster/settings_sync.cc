#include "cluster/settings_sync.h"

#include <algorithm>

#include "base/log.h"
#include "cluster/shares.h"
#include "wheel/task.h"

namespace carillon {

namespace {

constexpr std::size_t kTargetsAtATime = 500;

void log_refused(std::string_view what, const std::string& name, const Refusal& why) {
  // The next owner does it.
  if (why.slug == "moved" || why.slug == "outcome_unknown") return;
  log_error("a shard does not take a setting of the cluster", {{what, name}, {"why", why.detail}});
}

class Sync {
 public:
  Sync(TaskService& tasks, const ControlState& wanted, ShardNumber shard, ShardNumber shards)
      : tasks_(tasks), wanted_(wanted), shard_(shard), shards_(shards) {}

  Async<void> lanes() {
    const std::vector<LaneView> there = co_await tasks_.lanes();
    for (const auto& [name, lane] : wanted_.lanes) {
      const auto found = std::ranges::find(there, name, &LaneView::name);
      if (lane.let_go) {
        if (found != there.end()) co_await let_lane_go(name);
      } else if (found == there.end() || found->settings != lane.settings) {
        const auto put = co_await tasks_.put_lane(name, lane.settings);
        if (!put) refused("lane", name, put.error());
      }
    }
    for (const LaneView& lane : there) {
      if (lane.name == kDefaultLaneName || wanted_.lanes.contains(lane.name)) continue;
      const auto gone = co_await tasks_.delete_lane(lane.name);
      if (!gone) refused("lane", lane.name, gone.error());
    }
  }

  Async<void> targets() {
    std::map<std::string, TargetSettings, std::less<>> there;
    std::string after;
    while (true) {
      std::vector<TargetView> some = co_await tasks_.targets(after, kTargetsAtATime);
      if (some.empty()) break;
      after = some.back().settings.name;
      for (TargetView& view : some) {
        const std::string name = view.settings.name;
        there.emplace(name, std::move(view.settings));
      }
    }
    for (const auto& [name, target] : wanted_.targets) {
      const auto found = there.find(name);
      if (target.let_go) {
        if (found != there.end()) co_await let_target_go(name);
        continue;
      }
      const TargetSettings wanted = target_share(*target.settings, shard_, shards_);
      if (found == there.end() || found->second != wanted) {
        co_await put_target(wanted);
      }
    }
    for (const auto& [name, settings] : there) {
      if (wanted_.targets.contains(name)) continue;
      const auto gone = co_await tasks_.delete_target(name, true);
      if (!gone) refused("target", name, gone.error());
    }
  }

  InLine result;

 private:
  void refused(std::string_view what, const std::string& name, const Refusal& why) {
    result.whole = false;
    log_refused(what, name, why);
  }

  Async<void> put_target(const TargetSettings& wanted) {
    const TargetChange change = [&wanted](const TargetSettings*) {
      return Result<TargetSettings>(wanted);
    };
    const auto put = co_await tasks_.change_target(wanted.name, change);
    if (!put) refused("target", wanted.name, put.error());
  }

  Async<void> let_target_go(const std::string& name) {
    const auto gone = co_await tasks_.delete_target(name, false);
    if (gone || gone.error().slug == "not_found") co_return;
    if (gone.error().slug != "target_in_use") co_return refused("target", name, gone.error());
    result.kept.emplace_back(control::KeepTarget{name});
  }

  Async<void> let_lane_go(const std::string& name) {
    const auto gone = co_await tasks_.delete_lane(name);
    if (gone || gone.error().slug == "not_found") co_return;
    if (gone.error().slug != "lane_in_use") co_return refused("lane", name, gone.error());
    result.kept.emplace_back(control::KeepLane{name});
  }

  TaskService& tasks_;
  const ControlState& wanted_;
  const ShardNumber shard_;
  const ShardNumber shards_;
};

}  // namespace

Async<InLine> bring_in_line(TaskService& tasks, std::shared_ptr<const ControlState> wanted,
                            ShardNumber shard, ShardNumber shards) {
  Sync sync(tasks, *wanted, shard, shards);
  // Lanes first: there may be tasks that wait for them.
  co_await sync.lanes();
  co_await sync.targets();
  co_return std::move(sync.result);
}

}  // namespace carillon
