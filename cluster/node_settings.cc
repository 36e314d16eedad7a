// What a node does for the cluster's settings: changes them, and waits until all nodes have them.
#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "cluster/node.h"
#include "cluster/on_worker.h"
#include "delivery/kind.h"
#include "engine/refusals.h"
#include "shard/lane_shares.h"

namespace carillon {

namespace {

namespace asio = boost::asio;

/// A take-over takes no longer.
constexpr Millis kSettledWithin{10'000};

Error not_settled() {
  return {
      "outcome_unknown",
      "The change is made, but not every shard has it yet: one is without an owner, or does not "
      "answer. Send the same again.",
      ""};
}

/// As the shards will see it, whose lanes are these.
Result<> check_lane(const ControlState& state, std::string_view name, const LaneSettings& wanted) {
  std::size_t others = name == kDefaultLaneName ? 0 : 1;  // `default` is there always
  std::uint32_t reserved = wanted.reserved;
  for (const auto& [other, lane] : state.lanes) {
    if (other == name) continue;
    reserved += lane.settings.reserved;
    if (other != kDefaultLaneName) ++others;
  }
  if (others >= kLanesMax) return too_many_lanes();
  if (reserved > kLanesReservedMax) return too_much_reserved();
  return {};
}

}  // namespace

Async<ClusterNode::Changed> ClusterNode::change(Control::Decide decide) {
  const auto work = [this, decide = std::move(decide)] { return control_->change(decide); };
  Changed changed = co_await on_worker<Changed>(*settings_, work);
  if (!changed) co_return changed;
  const bool all = co_await until_settled((*changed)->place);
  if (!all) co_return not_settled();
  co_return changed;
}

/// Whether every shard has an owner that has said so.
bool ClusterNode::settled(StreamPlace place) const {
  for (ShardNumber shard = 0; shard < genesis_.shards; ++shard) {
    const Membership::Owner* const owner = members_.owner(shard);
    const Membership::Node* const node = owner == nullptr ? nullptr : members_.node(owner->node);
    if (node == nullptr) return false;
    const auto has_it = [&](const ShardReport& report) {
      return report.shard == shard && report.settings >= place;
    };
    if (std::ranges::none_of(node->last.shards, has_it)) return false;
  }
  return true;
}

Async<bool> ClusterNode::wait_until_settled(StreamPlace place) {
  const MonoTime until = its_.clock.mono() + kSettledWithin;
  while (!stopping_ && !settled(place) && its_.clock.mono() < until) co_await nap();
  co_return settled(place);
}

Async<bool> ClusterNode::until_settled(StreamPlace place) {
  return asio::co_spawn(its_.loop, wait_until_settled(place), asio::use_awaitable);
}

Async<Answer<PutAnswer<TargetView>>> ClusterNode::change_target(std::string name,
                                                                TargetChange change) {
  bool made = false;
  const Control::Decide decide =
      [&](const ControlState& state) -> Result<std::optional<control::Change>> {
    const auto found = state.targets.find(name);
    const bool there = found != state.targets.end();
    const TargetSettings* const before = there ? found->second.settings.get() : nullptr;
    Result<TargetSettings> settings = change(before);
    if (!settings) return settings.error();
    settings->name = name;
    if (Result<> ok = settings->own->check_address(its_.urls); !ok) return ok.error();
    if (Result<> ok = settings->own->check_files(); !ok) return ok.error();
    made = !there;
    if (there && !found->second.let_go && *before == *settings) {
      return std::optional<control::Change>();
    }
    return std::optional<control::Change>(
        control::SetTarget{name, format_target(*settings, Secrets::stored)});
  };
  Changed changed = co_await this->change(decide);
  if (!changed) co_return Refusal(changed.error());
  PutAnswer<TargetView> answer;
  answer.made = made;
  const auto found = (*changed)->targets.find(name);
  if (found == (*changed)->targets.end()) co_return Refusal(not_found("target"));
  answer.view.settings = *found->second.settings;
  co_return answer;
}

Async<Answer<TargetView>> ClusterNode::pause_target(std::string_view name, bool paused) {
  std::string its_name(name);
  const TargetChange change = [paused](const TargetSettings* before) -> Result<TargetSettings> {
    if (before == nullptr) return not_found("target");
    TargetSettings settings = *before;
    settings.paused = paused;
    return settings;
  };
  Answer<PutAnswer<TargetView>> put = co_await change_target(std::move(its_name), change);
  if (!put) co_return put.error();
  co_return std::move(put->view);
}

template <typename Let, typename Keep, typename Gone>
Async<Answer<>> ClusterNode::remove(std::string name, bool force, Error in_use) {
  constexpr bool kIsTarget = std::is_same_v<Let, control::LetTargetGo>;
  const auto let_go_in = [&name](const auto& map) {
    const auto found = map.find(name);
    return found == map.end() ? std::optional<bool>() : found->second.let_go;
  };
  const auto find = [&let_go_in](const ControlState& state) {
    if constexpr (kIsTarget) return let_go_in(state.targets);
    return let_go_in(state.lanes);
  };
  const Control::Decide let_go =
      [&](const ControlState& state) -> Result<std::optional<control::Change>> {
    const std::optional<bool> there = find(state);
    if (!there) return not_found(kIsTarget ? "target" : "lane");
    if (force) return std::optional<control::Change>(Gone{name});
    return *there ? std::nullopt : std::optional<control::Change>(Let{name});
  };
  const Changed first = co_await change(let_go);
  if (!first) {
    // Nobody knows whether a task names it, so it stays.
    if (!force && first.error().slug != "not_found") {
      std::vector<control::Change> taken_back;
      taken_back.emplace_back(Keep{name});
      static_cast<void>(co_await keep(std::move(taken_back)));
    }
    co_return Refusal(first.error());
  }
  if (force) co_return Answer<>();
  // Whoever has a task that names it has taken it back by now.
  const Control::Decide gone =
      [&](const ControlState& state) -> Result<std::optional<control::Change>> {
    const std::optional<bool> there = find(state);
    if (!there) return std::optional<control::Change>();
    if (!*there) return in_use;
    return std::optional<control::Change>(Gone{name});
  };
  const Changed second = co_await change(gone);
  if (!second) co_return Refusal(second.error());
  co_return Answer<>();
}

Async<Answer<>> ClusterNode::delete_target(std::string_view name, bool force) {
  Error in_use{"target_in_use",
               "Tasks name this target; delete them first, or use ?force to send them to the dead "
               "letters when they are due.",
               ""};
  return remove<control::LetTargetGo, control::KeepTarget, control::DeleteTarget>(
      std::string(name), force, std::move(in_use));
}

Async<Answer<PutAnswer<LaneView>>> ClusterNode::put_lane(std::string name, LaneSettings settings) {
  bool made = false;
  const Control::Decide decide =
      [&](const ControlState& state) -> Result<std::optional<control::Change>> {
    const auto found = state.lanes.find(name);
    made = found == state.lanes.end() && name != kDefaultLaneName;
    if (auto fine = check_lane(state, name, settings); !fine) return fine.error();
    if (found != state.lanes.end() && !found->second.let_go && found->second.settings == settings) {
      return std::optional<control::Change>();
    }
    return std::optional<control::Change>(control::SetLane{name, settings});
  };
  const Changed changed = co_await change(decide);
  if (!changed) co_return Refusal(changed.error());
  PutAnswer<LaneView> answer;
  answer.made = made;
  answer.view.name = std::move(name);
  answer.view.settings = settings;
  co_return answer;
}

Async<Answer<>> ClusterNode::delete_lane(std::string name) {
  if (name == kDefaultLaneName) {
    co_return Refusal(default_lane_stays());
  }
  Error in_use{"lane_in_use", "Tasks name this lane; let them finish, or move them to another.",
               ""};
  co_return co_await remove<control::LetLaneGo, control::KeepLane, control::DeleteLane>(
      std::move(name), false, std::move(in_use));
}

std::shared_ptr<const TargetSettings> ClusterNode::find_target(std::string_view name) const {
  const std::shared_ptr<const ControlState> state = control_->state();
  const auto found = state->targets.find(name);
  return found == state->targets.end() ? nullptr : found->second.settings;
}

std::vector<std::shared_ptr<const TargetSettings>> ClusterNode::list_targets(
    std::string_view after, std::size_t limit) const {
  const std::shared_ptr<const ControlState> state = control_->state();
  std::vector<std::shared_ptr<const TargetSettings>> some;
  for (auto at = state->targets.upper_bound(after);
       at != state->targets.end() && some.size() < limit; ++at) {
    some.push_back(at->second.settings);
  }
  return some;
}

Async<ClusterView> ClusterNode::view() {
  co_return co_await asio::co_spawn(
      its_.loop,
      [](const ClusterNode& node) -> Async<ClusterView> { co_return node.seen(); }(*this),
      asio::use_awaitable);
}

ClusterView ClusterNode::seen() const {
  const MonoTime now = its_.clock.mono();
  ClusterView view;
  view.name = its_.options.name;
  view.id = hex_of(genesis_.genesis.cluster);
  view.node = its_.options.node;
  for (const auto& host : hosts_) {
    view.taken_over += host->taken_over();
    view.lost += host->lost();
  }
  for (ShardNumber shard = 0; shard < genesis_.shards; ++shard) {
    ClusterView::Shard& its = view.shards.emplace_back();
    its.shard = shard;
    if (const auto* const owner = members_.owner(shard)) {
      its.owner = owner->node;
      its.epoch = owner->epoch;
    }
  }
  const AgreedSettings settings = agreed_settings(its_.engine);
  const auto has_owner = [&](const ShardReport& report) {
    return report.role == ShardReport::Role::owns;
  };
  for (const Membership::Node* const node : members_.known()) {
    for (const ShardReport& report : node->last.shards) {
      if (report.shard >= genesis_.shards || !has_owner(report)) continue;
      view.shards[report.shard].place = std::max(view.shards[report.shard].place, report.place);
    }
  }
  for (const Membership::Node* const node : members_.known()) {
    ClusterView::Node& its = view.nodes.emplace_back();
    its.name = node->last.node;
    its.url = node->last.url;
    its.version = node->last.version;
    its.alive = now - node->heard < Membership::kSilence;
    its.draining = node->last.leaving;
    its.clock_off = members_.clock_is_off(*node, now);
    its.clock_ahead = node->ahead;
    its.last_heard = std::chrono::duration_cast<Millis>(now - node->heard);
    its.settings_differ = differing(settings, node->last.settings);
    for (const ShardReport& report : node->last.shards) {
      if (report.shard >= genesis_.shards) continue;
      if (has_owner(report)) {
        ++its.owns;
      } else if (its.alive) {
        const std::uint64_t place = view.shards[report.shard].place;
        view.shards[report.shard].followers.push_back(
            {its.name, place - std::min(place, report.place)});
      }
    }
  }
  return view;
}

Async<Answer<>> ClusterNode::drain_node(std::string name) {
  co_return co_await asio::co_spawn(its_.loop, ask_to_leave(std::move(name)), asio::use_awaitable);
}

Async<Answer<>> ClusterNode::ask_to_leave(std::string name) {
  const Membership::Node* const node = members_.node(name);
  if (node == nullptr) {
    co_return Refusal(not_found("node"));
  }
  {
    const std::lock_guard lock(mutex_);
    own_.to_leave.push_back(name);
  }
  send_now_ = true;
  const auto asked = [&] {
    const std::lock_guard lock(mutex_);
    return std::ranges::find(own_.to_leave, name) != own_.to_leave.end();
  };
  const MonoTime until = its_.clock.mono() + kSettledWithin;
  while (!stopping_ && asked() && its_.clock.mono() < until) co_await nap();
  if (!asked()) co_return Answer<>();
  stop_asking(name);
  co_return Refusal(Error{"not_ready", "The node does not answer.", ""});
}

}  // namespace carillon
