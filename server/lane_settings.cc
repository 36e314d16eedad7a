#include "server/lane_settings.h"

#include <algorithm>
#include <map>

#include "base/log.h"

namespace carillon {

Async<std::vector<std::string>> apply_lanes(TaskService& tasks, std::vector<ConfiguredLane> lanes) {
  // First those that reserve less than they did: that makes room for those that reserve more.
  std::map<std::string, LaneSettings> before;
  for (LaneView& lane : co_await tasks.lanes()) before.emplace(lane.name, lane.settings);
  std::ranges::sort(lanes, {}, [&before](const ConfiguredLane& lane) {
    const auto had = before.find(lane.name);
    return std::int64_t{lane.settings.reserved} - (had == before.end() ? 0 : had->second.reserved);
  });
  std::vector<std::string> set;
  for (const ConfiguredLane& lane : lanes) {
    const auto had = before.find(lane.name);
    if (had != before.end() && had->second == lane.settings) continue;
    const auto put = co_await tasks.put_lane(lane.name, lane.settings);
    if (!put) {
      log_error("lane of the config file refused",
                {{"lane", lane.name}, {"why", put.error().detail}});
    } else {
      set.push_back(lane.name);
    }
  }
  co_return set;
}

}  // namespace carillon
