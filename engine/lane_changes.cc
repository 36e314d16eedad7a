#include "engine/lane_changes.h"

#include <utility>

#include "base/log.h"

namespace carillon {

Async<Answer<PutAnswer<LaneView>>> LaneChanges::put(std::string name, LaneSettings settings) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const Allowance::Share turn = co_await its_.changes.take(1);
  command::LanePut put;
  put.name = name;
  put.weight = settings.weight;
  put.reserved = settings.reserved;
  const Reply reply = co_await ask(its_.local.driver(), std::move(put));
  if (reply.verdict != Verdict::done && reply.verdict != Verdict::replaced)
    co_return its_.refusals.of(reply);
  const Lanes& lanes = its_.local.shard().lanes();
  PutAnswer<LaneView> answer;
  answer.view = view_of(lanes[lanes.find(name).value()]);
  answer.made = reply.verdict == Verdict::done;
  co_return answer;
}

Async<Answer<>> LaneChanges::remove(std::string name) {
  if (auto why = its_.refusals.closed()) co_return Refusal(std::move(*why));
  const Allowance::Share turn = co_await its_.changes.take(1);
  const std::optional<LaneNumber> number = its_.local.shard().lanes().find(name);
  command::LaneDelete removal;
  removal.name = std::move(name);
  const Reply reply = co_await ask(its_.local.driver(), std::move(removal));
  if (reply.verdict == Verdict::not_found) co_return Refusal(not_found("lane"));
  if (reply.verdict != Verdict::done) co_return its_.refusals.of(reply);
  if (number) its_.local.counters().lane_lateness.erase(*number);
  co_return Answer<>();
}

LaneView LaneChanges::view_of(const LaneState& lane) const {
  LaneView view;
  view.name = lane.settings.name;
  view.settings = {lane.settings.weight, lane.settings.reserved};
  view.waiting = lane.share.unfinished;
  view.backlog = lane.queued;
  view.in_flight = lane.share.in_flight;
  const auto lateness = its_.local.counters().lane_lateness.find(lane.settings.number);
  if (lateness != its_.local.counters().lane_lateness.end()) view.lateness = lateness->second;
  return view;
}

std::vector<LaneView> LaneChanges::views() const {
  std::vector<LaneView> views;
  for (const LaneState& lane : its_.local.shard().lanes().all()) {
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
