#include "cluster/membership.h"

#include <algorithm>

namespace carillon {

namespace {

/// Any key will do, as long as all nodes have the same.
constexpr SipKey kOrderKey{0x636172696c6c6f6e, 0x6f72646572};

std::uint64_t weight(ShardNumber shard, std::string_view node) {
  return siphash(kOrderKey, std::to_string(shard) + "/" + std::string(node)).low;
}

/// Of each shard, the nodes in its order of preference.
std::vector<std::vector<std::string>> orders_over(const std::vector<std::string>& nodes,
                                                  ShardNumber shards) {
  std::vector<std::vector<std::string>> orders(shards, nodes);
  if (nodes.empty()) return orders;
  const std::size_t most = (shards + nodes.size() - 1) / nodes.size();
  std::map<std::string_view, std::size_t> first;
  for (ShardNumber shard = 0; shard < shards; ++shard) {
    auto& order = orders[shard];
    std::ranges::sort(order, std::greater<>(),
                      [shard](const std::string& node) { return weight(shard, node); });
    const auto has_room = [&](const std::string& node) { return first[node] < most; };
    const auto chosen = std::ranges::find_if(order, has_room);
    std::rotate(order.begin(), chosen, chosen + 1);
    ++first[*std::ranges::find(nodes, order.front())];
  }
  return orders;
}

}  // namespace

Membership::Membership(Options options, MonoTime now)
    : options_(std::move(options)), shards_(options_.shards) {
  for (ShardState& state : shards_) state.ownerless_since = now + kSilence;
}

Membership::Heard Membership::heard(const Heartbeat& heartbeat, MonoTime at, Millis offset) {
  if (heartbeat.node == options_.node && heartbeat.incarnation != options_.incarnation) {
    return Heard::namesake;
  }
  ordered_at_.reset();
  const auto [place, is_new] = nodes_.try_emplace(heartbeat.node);
  Node& node = place->second;
  Heard how = is_new ? Heard::joined : Heard::known;
  if (!is_new && node.last.incarnation != heartbeat.incarnation) {
    how = Heard::restarted;
    for (ShardState& state : shards_) {
      if (state.owner && state.owner->incarnation == node.last.incarnation) lose_owner(state, at);
    }
  }
  node = {heartbeat, at, offset};
  for (const ShardReport& report : heartbeat.shards) take_report(heartbeat, report, at);
  // What it owned and says nothing of any more, it has given up.
  for (ShardNumber shard = 0; shard < options_.shards; ++shard) {
    ShardState& state = shards_[shard];
    if (!state.owner || state.owner->incarnation != heartbeat.incarnation) continue;
    if (state.owner->seen != at) lose_owner(state, at);
  }
  return how;
}

void Membership::take_report(const Heartbeat& heartbeat, const ShardReport& report, MonoTime at) {
  if (report.shard >= options_.shards) return;
  take_given_up(report, at);
  if (report.role != ShardReport::Role::owns) return;
  ShardState& state = shards_[report.shard];
  // Who has an older epoch has not heard yet that another has taken over.
  if (state.owner && state.owner->epoch > report.epoch) return;
  state.owner = Owner{heartbeat.node, heartbeat.incarnation, report.epoch, at};
}

void Membership::take_given_up(const ShardReport& report, MonoTime at) {
  // Somebody else has it since.
  if (report.given_up == 0 || report.given_up < report.epoch) return;
  ShardState& state = shards_[report.shard];
  if (state.owner && state.owner->epoch > report.given_up) return;
  if (state.owner) return lose_owner(state, at);
  // Who has just come need not listen any longer.
  state.ownerless_since = std::min(state.ownerless_since, at);
}

void Membership::lose_owner(ShardState& state, MonoTime since) {
  state.owner.reset();
  state.ownerless_since = since;
}

void Membership::owner_appended(ShardNumber shard, std::uint64_t epoch, MonoTime at) {
  auto& owner = shards_[shard].owner;
  if (owner && owner->epoch == epoch) owner->seen = std::max(owner->seen, at);
}

std::vector<const Membership::Node*> Membership::alive(MonoTime now) const {
  std::vector<const Node*> nodes;
  for (const auto& [name, node] : nodes_) {
    if (now - node.heard < kSilence) nodes.push_back(&node);
  }
  return nodes;
}

std::vector<const Membership::Node*> Membership::known() const {
  std::vector<const Node*> nodes;
  for (const auto& [name, node] : nodes_) nodes.push_back(&node);
  return nodes;
}

const Membership::Node* Membership::node(std::string_view name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : &found->second;
}

const Membership::Owner* Membership::owner(ShardNumber shard) const {
  const auto& owner = shards_[shard].owner;
  return owner ? &*owner : nullptr;
}

Millis Membership::median_ahead(MonoTime now, std::size_t& of) const {
  std::vector<Millis> ahead;
  for (const Node* const node : alive(now)) ahead.push_back(node->ahead);
  of = ahead.size();
  if (ahead.empty()) return Millis(0);
  const auto middle = ahead.begin() + static_cast<std::ptrdiff_t>(ahead.size() / 2);
  std::ranges::nth_element(ahead, middle);
  return *middle;
}

bool Membership::clock_is_off(const Node& node, MonoTime now) const {
  std::size_t of = 0;
  const Millis median = median_ahead(now, of);
  return of >= 3 && std::chrono::abs(node.ahead - median) > kClockOff;
}

bool Membership::eligible(const Node& node, MonoTime now) const {
  return now - node.heard < kSilence && !node.last.leaving && !clock_is_off(node, now);
}

const std::vector<std::string>& Membership::order(ShardNumber shard, MonoTime now) const {
  // All shards are looked at together, and who is eligible is the same for all.
  if (ordered_at_ == now) return orders_[shard];
  ordered_at_ = now;
  std::vector<std::string> names;
  for (const auto& [name, node] : nodes_) {
    if (eligible(node, now)) names.push_back(name);
  }
  if (orders_.empty() || names != ordered_nodes_) {
    orders_ = orders_over(names, options_.shards);
    ordered_nodes_ = std::move(names);
  }
  return orders_[shard];
}

bool Membership::has_caught_up(std::string_view name, const ShardReport& mine, MonoTime now) const {
  const Node* const its = node(name);
  if (its == nullptr || now - its->heard >= kSilence) return false;
  // What came since its last heartbeat it has as well, or will have in a moment.
  constexpr StreamPlace kNearly = 64;
  return std::ranges::any_of(its->last.shards, [&](const ShardReport& report) {
    return report.shard == mine.shard && report.epoch == mine.epoch &&
           report.place + kNearly >= mine.place;
  });
}

bool Membership::is_behind(ShardNumber shard, const ShardReport& mine) const {
  return std::ranges::any_of(nodes_, [&](const auto& named) {
    return std::ranges::any_of(named.second.last.shards, [&](const ShardReport& report) {
      if (report.shard != shard) return false;
      return report.place > mine.place || (report.place == mine.place && report.hash != mine.hash);
    });
  });
}

Membership::Duty Membership::duty(ShardNumber shard, const std::optional<ShardReport>& mine,
                                  MonoTime now) const {
  const std::vector<std::string>& names = order(shard, now);
  const auto place = std::ranges::find(names, options_.node);
  const bool may = place != names.end();
  const auto rank = static_cast<std::int64_t>(place - names.begin());
  if (mine && mine->role == ShardReport::Role::owns) {
    if (may && rank == 0) return Duty::own;
    // To nobody it is not given up, whatever the clock says: late is better than never.
    return !names.empty() && has_caught_up(names.front(), *mine, now) ? Duty::give_up : Duty::own;
  }
  const ShardState& state = shards_[shard];
  const MonoTime since = state.owner ? state.owner->seen + kSilence : state.ownerless_since;
  const bool is_ours = rank <= std::int64_t{options_.standbys} || now - since >= kOrphaned;
  if (!may || !is_ours) return Duty::none;
  if (!mine || now - since < rank * kTurn || is_behind(shard, *mine)) return Duty::follow;
  return Duty::take_over;
}

}  // namespace carillon
