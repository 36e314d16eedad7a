#include "engine/lane_changes.h"

#include <utility>

#include "base/log.h"

namespace carillon {

Async<Answer<bool>> LaneChanges::put(std::string name, LaneSettings settings) {
  if (auto why = refusals_.closed()) co_return Refusal(std::move(*why));
  command::LanePut put;
  put.name = std::move(name);
  put.weight = settings.weight;
  put.reserved = settings.reserved;
  const Reply reply = co_await ask(local_.driver(), std::move(put));
  if (reply.verdict != Verdict::done && reply.verdict != Verdict::replaced)
    co_return refusals_.of(reply);
  co_return reply.verdict == Verdict::done;
}

Async<Answer<>> LaneChanges::remove(std::string name) {
  if (auto why = refusals_.closed()) co_return Refusal(std::move(*why));
  const std::optional<LaneNumber> number = local_.shard().lanes().find(name);
  command::LaneDelete removal;
  removal.name = std::move(name);
  const Reply reply = co_await ask(local_.driver(), std::move(removal));
  if (reply.verdict == Verdict::not_found) co_return Refusal(not_found("lane"));
  if (reply.verdict != Verdict::done) co_return refusals_.of(reply);
  if (number) local_.counters().lane_lateness.erase(*number);
  co_return Answer<>();
}

LaneView LaneChanges::view_of(const LaneState& lane) const {
  LaneView view;
  view.name = lane.settings.name;
  view.settings = {lane.settings.weight, lane.settings.reserved};
  view.waiting = lane.share.unfinished;
  view.backlog = lane.queued;
  view.in_flight = lane.share.in_flight;
  const auto lateness = local_.counters().lane_lateness.find(lane.settings.number);
  if (lateness != local_.counters().lane_lateness.end()) view.lateness = lateness->second;
  return view;
}

Answer<LaneView> LaneChanges::view(std::string_view name) const {
  const std::optional<LaneNumber> number = local_.shard().lanes().find(name);
  if (!number) return Refusal(not_found("lane"));
  return view_of(local_.shard().lanes()[*number]);
}

std::vector<LaneView> LaneChanges::views() const {
  std::vector<LaneView> views;
  for (const LaneState& lane : local_.shard().lanes().all()) {
    if (lane.stands()) views.push_back(view_of(lane));
  }
  return views;
}

void name_true_lane(const Lanes& lanes, const Statement& task, TaskContent& content) {
  if (content.lane.empty() || content.lane == kDefaultLaneName) return;
  // Of a finished task only its content knows the lane.
  const bool is_true = finished(task.state) ? lanes.find(content.lane).has_value()
                                            : content.lane == lanes[task.lane].settings.name;
  if (is_true) return;
  static bool told = false;
  if (!std::exchange(told, true)) {
    log_warning("a task names a lane that is not defined; such tasks are in the default one",
                {{"lane", std::string(content.lane)}});
  }
  content.lane = kDefaultLaneName;
}

}  // namespace carillon
