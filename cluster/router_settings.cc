// Targets and lanes, which are alike in all shards: ClusterSettings changes them, and what the
// shards count is added to what they are set to.

#include <algorithm>

#include "cluster/merge.h"
#include "cluster/router.h"
#include "engine/refusals.h"

namespace carillon {

Async<Answer<PutAnswer<TargetView>>> Router::change_target(std::string name, TargetChange change) {
  Answer<PutAnswer<TargetView>> put =
      co_await its_.settings.change_target(std::move(name), std::move(change));
  if (put) co_await count(put->view);
  co_return put;
}

Async<Answer<>> Router::delete_target(std::string_view name, bool force) {
  return its_.settings.delete_target(name, force);
}

Async<Answer<TargetView>> Router::pause_target(std::string_view name, bool paused) {
  Answer<TargetView> view = co_await its_.settings.pause_target(name, paused);
  if (!view) co_return view;
  if (paused) {
    co_await count(*view);
  } else {
    // Each shard has a hold of its own.
    co_await count_with(shard_call::ResumeTarget{name}, *view);
  }
  co_return view;
}

Async<Answer<PutAnswer<LaneView>>> Router::put_lane(std::string name, LaneSettings settings) {
  Answer<PutAnswer<LaneView>> put = co_await its_.settings.put_lane(std::move(name), settings);
  if (!put) co_return put;
  for (const LaneView& lane : co_await lanes()) {
    if (lane.name != put->view.name) continue;
    add_lane(put->view, lane);
    put->view.silent = lane.silent;
  }
  co_return put;
}

Async<Answer<>> Router::delete_lane(std::string name) {
  return its_.settings.delete_lane(std::move(name));
}

Async<Answer<TestPush>> Router::test_target(std::string_view name) {
  const shard_call::TestTarget call{name};
  const std::vector<LocalService> locals = local_services();
  if (!locals.empty()) co_return co_await call.on(*locals.front().service);
  Answer<TestPush> test = Refusal();
  for (ShardNumber shard = 0; shard < its_.map.shards(); ++shard) {
    test = co_await reach_.ask(shard, call, Millis(0));
    if (test || !is_silence(test.error()) || test.error().slug == "outcome_unknown") break;
  }
  co_return test;
}

Async<Answer<TargetView>> Router::target(std::string_view name) {
  const std::shared_ptr<const TargetSettings> settings = its_.settings.find_target(name);
  if (!settings) co_return Refusal(not_found("target"));
  TargetView view;
  view.settings = *settings;
  co_await count(view);
  co_return view;
}

Async<void> Router::count(TargetView& view) {
  const shard_call::Target call{view.settings.name};
  co_await count_with(call, view);
}

template <typename Call>
Async<void> Router::count_with(const Call& call, TargetView& view) {
  const auto answers = co_await reach_.ask_all(call, kShortPatience);
  for (ShardNumber shard = 0; shard < answers.size(); ++shard) {
    if (answers[shard]) {
      add_counts(view, *answers[shard]);
    } else if (answers[shard].error().slug != "not_found") {
      view.silent.push_back(shard);
    }
  }
}

Async<std::vector<TargetView>> Router::targets(std::string_view after, std::size_t limit) {
  std::vector<TargetView> views;
  for (const auto& settings : its_.settings.list_targets(after, limit))
    views.emplace_back().settings = *settings;
  const shard_call::Targets call{after, limit};
  const auto answers = co_await reach_.ask_all(call, kShortPatience);
  for (ShardNumber shard = 0; shard < answers.size(); ++shard) {
    if (!answers[shard]) {
      for (TargetView& view : views) view.silent.push_back(shard);
      continue;
    }
    // Both are in the order of the names.
    auto next = views.begin();
    for (const TargetView& counted : *answers[shard]) {
      next = std::find_if(next, views.end(), [&](const TargetView& view) {
        return view.settings.name >= counted.settings.name;
      });
      if (next == views.end()) break;
      if (next->settings.name == counted.settings.name) add_counts(*next, counted);
    }
  }
  co_return views;
}

Async<TargetCounts> Router::target_counts(std::string_view after) {
  const shard_call::CountTargets call{after};
  const auto answers = co_await reach_.ask_all(call, kShortPatience);
  TargetCounts sum;
  for (ShardNumber shard = 0; shard < answers.size(); ++shard) {
    if (answers[shard]) {
      add_counts(sum, *answers[shard]);
    } else {
      sum.silent.push_back(shard);
    }
  }
  co_return sum;
}

Async<std::vector<LaneView>> Router::lanes() {
  const shard_call::Lanes call;
  const auto answers = co_await reach_.ask_all(call, kShortPatience);
  std::vector<LaneView> lanes;
  SilentShards silent;
  for (ShardNumber shard = 0; shard < answers.size(); ++shard) {
    if (answers[shard]) {
      add_lanes(lanes, *answers[shard]);
    } else {
      silent.push_back(shard);
    }
  }
  // This one is always there, whoever is silent.
  if (lanes.empty()) lanes.emplace_back().name = kDefaultLaneName;
  for (LaneView& lane : lanes) lane.silent = silent;
  co_return lanes;
}

}  // namespace carillon
