#include "server/configured.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "monitor/audit.h"

namespace carillon {
namespace {

void note_set(TaskService& tasks, Audit& audit, std::string_view action, std::string_view name) {
  audit.note({.at = tasks.now(),
              .who = "the config file",
              .action = action,
              .of = name,
              .status = 200,
              .result = {}});
}

Async<void> apply_lanes(TaskService& tasks, Audit& audit, std::vector<ConfiguredLane> lanes) {
  // First those that reserve less than they did: that makes room for those that reserve more.
  std::map<std::string, LaneSettings> before;
  for (LaneView& lane : co_await tasks.lanes()) before.emplace(lane.name, lane.settings);
  std::ranges::sort(lanes, {}, [&before](const ConfiguredLane& lane) {
    const auto had = before.find(lane.name);
    return std::int64_t{lane.settings.reserved} - (had == before.end() ? 0 : had->second.reserved);
  });
  for (const ConfiguredLane& lane : lanes) {
    const auto had = before.find(lane.name);
    if (had != before.end() && had->second == lane.settings) continue;
    const auto put = co_await tasks.put_lane(lane.name, lane.settings);
    if (!put) {
      log_error("lane of the config file refused",
                {{"lane", lane.name}, {"why", put.error().detail}});
    } else {
      note_set(tasks, audit, "PUT /v1/lanes/{name}", lane.name);
      log_info("lane set by the config file", {{"lane", lane.name}});
    }
  }
}

Async<void> apply_target(TaskService& tasks, Audit& audit, const ConfiguredTarget& configured) {
  const auto change = [&](const TargetSettings* before) {
    TargetSettings settings = configured.settings;
    if (before != nullptr && !configured.sets_paused) settings.paused = before->paused;
    return Result<TargetSettings>(std::move(settings));
  };
  const std::string& name = configured.settings.name;
  const auto current = co_await tasks.target(name);
  if (current && current->settings == *change(&current->settings)) co_return;
  const auto put = co_await tasks.change_target(name, change);
  if (!put) {
    log_error("target of the config file refused", {{"target", name}, {"why", put.error().detail}});
  } else {
    note_set(tasks, audit, "PUT /v1/targets/{name}", name);
    log_info("target set by the config file", {{"target", name}});
  }
}

}  // namespace

Async<void> apply_configured(TaskService& tasks, Audit& audit, std::vector<ConfiguredLane> lanes,
                             std::vector<ConfiguredTarget> targets) {
  co_await apply_lanes(tasks, audit, std::move(lanes));
  for (const ConfiguredTarget& target : targets) co_await apply_target(tasks, audit, target);
}

}  // namespace carillon
