#include "monitor/alarms.h"

#include <algorithm>

#include <fmt/format.h>

namespace carillon {
namespace {

constexpr Millis kAtOnce{0};
constexpr Millis kMinute = std::chrono::minutes(1);
/// An alarm that is open stays so for this long after its condition has ended, at least.
constexpr Millis kCalm = std::chrono::minutes(1);
/// A node that is silent for longer was taken out for good.
constexpr Millis kNodeMissed = std::chrono::hours(24);
constexpr std::uint64_t kBehindMax = 10'000;  // messages

std::string in_ms(Histogram::Micros time) {
  return fmt::format("{} ms", std::chrono::ceil<Millis>(time).count());
}

}  // namespace

/// What holds at the moment.
struct Alarms::Condition {
  std::string name;
  std::string of;
  Millis patience{};
  std::string detail;
  std::string advice;
};

void Alarms::of_tasks(const Seen& seen, const AlarmLimits& limits, std::vector<Condition>& found) {
  const History::Point& point = seen.point;
  if (limits.overdue > Millis(0) && point.oldest_overdue > limits.overdue) {
    found.push_back({"overdue", "", kAtOnce,
                     fmt::format("{} tasks are due and not pushed, the oldest for {}.",
                                 point.backlog, format_duration(point.oldest_overdue)),
                     "A target is paused, held, down or too narrow; GET /v1/targets says which has "
                     "a backlog."});
  }
  if (limits.lateness > Millis(0) && point.lateness.p99 > limits.lateness) {
    found.push_back({"late", "", kMinute,
                     "One push in a hundred starts " + in_ms(point.lateness.p99) + " late or more.",
                     "Receivers or the machine do not keep up; compare backlog and concurrency of "
                     "the targets, and the load of the machine."});
  }
  if (limits.dead_letters > 0 && point.dead >= limits.dead_letters) {
    found.push_back({"dead_letters", "", kAtOnce, fmt::format("Dead letters: {}.", point.dead),
                     "GET /v1/dead says why; redrive them once their target works, or purge "
                     "them."});
  }
  for (const auto& [target, held] : seen.held) {
    const Millis time = point.at - held.since;
    if (limits.target_held == Millis(0) || time < limits.target_held) continue;
    found.push_back(
        {"target_held", target, kAtOnce,
         fmt::format("It has been held for {}: {}.", format_duration(time), name_of(held.reason)),
         "Look at its receiver; :resume ends the hold."});
  }
  const std::uint64_t per_second = limits.forecast_per_second;
  if (per_second > 0 && seen.busiest && seen.busiest->tasks > 60 * per_second) {
    found.push_back(
        {"capacity", "", kAtOnce,
         fmt::format("{} tasks fall due in the minute from {}, and {} can be pushed.",
                     seen.busiest->tasks, format_moment(seen.busiest->from), 60 * per_second),
         "They will be late. Move some, or widen the receivers and what limits the "
         "targets."});
  }
}

void Alarms::of_server(const Seen& seen, const AlarmLimits& limits, std::vector<Condition>& found) {
  if (limits.commit_time > Millis(0) && seen.point.commit_p99 > limits.commit_time) {
    found.push_back({"slow_commits", "", kMinute,
                     "One commit in a hundred takes " + in_ms(seen.point.commit_p99) + " or more.",
                     "The disk, or the servers of NATS, are slow or shared."});
  }
  if (seen.stats.log.low_on_space) {
    found.push_back({"low_on_space", "", kAtOnce,
                     "The disk, or the log, is getting full; finished tasks are forgotten early.",
                     "Make room: with less still, adds are refused (507)."});
  }
  const std::uint64_t taken = seen.point.pending + seen.point.dead;
  if (limits.pending_percent > 0 && seen.stats.pending_max > 0 &&
      taken * 100 > seen.stats.pending_max * limits.pending_percent) {
    found.push_back(
        {"nearly_full", "", kAtOnce,
         fmt::format("{} tasks are pending or dead, and {} may be.", taken, seen.stats.pending_max),
         "Adds will be refused (429). Purge dead letters, or raise max_pending and "
         "memory_max."});
  }
  const std::uint64_t before = clock_steps_.value_or(seen.clock_steps);
  clock_steps_ = seen.clock_steps;
  if (seen.clock_steps > before) {
    found.push_back({"clock_stepped", "", kAtOnce, "The wall clock was set.",
                     "Run NTP; the log says by how much."});
  }
}

void Alarms::of_cluster(const ClusterView& view, std::vector<Condition>& found) {
  constexpr Millis kSilentFor = std::chrono::seconds(10);
  constexpr Millis kOwnerlessFor = std::chrono::seconds(30);
  for (const ClusterView::Node& node : view.nodes) {
    if (!node.alive && node.last_heard < kNodeMissed) {
      found.push_back({"node_silent", node.name, kSilentFor,
                       "It was last heard " + format_duration(node.last_heard) + " ago.",
                       "Start it again, or replace it; its shards have other owners."});
    }
    if (node.clock_off) {
      found.push_back(
          {"clock_off", node.name, kSilentFor,
           fmt::format("Its clock is {} ms ahead of this node's.", node.clock_ahead.count()),
           "Run NTP there; until then it owns no shards."});
    }
  }
  for (const ClusterView::Shard& shard : view.shards) {
    if (!shard.owner) {
      found.push_back({"shard_ownerless", std::to_string(shard.shard), kOwnerlessFor,
                       "Nobody owns it, so its tasks are not pushed.",
                       "The nodes' logs say why; is NATS there?"});
    }
    for (const ClusterView::Follower& follower : shard.followers) {
      if (follower.node != view.node || follower.behind <= kBehindMax) continue;
      found.push_back({"shard_behind", std::to_string(shard.shard), kMinute,
                       fmt::format("This node lacks {} of its messages.", follower.behind),
                       "A take-over would last long; is its disk slow?"});
    }
  }
}

std::vector<Alarms::Change> Alarms::look(const Seen& seen, const AlarmLimits& limits) {
  std::vector<Condition> found;
  of_tasks(seen, limits, found);
  of_server(seen, limits, found);
  if (seen.cluster) of_cluster(*seen.cluster, found);
  const WallTime now = seen.point.at;
  std::vector<Change> changes;
  const std::lock_guard lock(mutex_);
  std::map<std::pair<std::string, std::string>, Watched> watched;
  for (Condition& condition : found) {
    auto known = watched_.extract({condition.name, condition.of});
    Watched its = known.empty() ? Watched() : std::move(known.mapped());
    its.patience = condition.patience;
    its.alarm.name = condition.name;
    its.alarm.of = condition.of;
    its.alarm.detail = std::move(condition.detail);
    its.alarm.advice = std::move(condition.advice);
    if (its.open) {
      its.since.reset();
    } else if (now - its.since.value_or(now) >= its.patience) {
      its.open = true;
      its.since.reset();
      its.alarm.since = now;
      changes.push_back({its.alarm, true});
    } else if (!its.since) {
      its.since = now;
    }
    watched.emplace(std::pair(condition.name, condition.of), std::move(its));
  }
  // What is left does not hold any more.
  for (auto& [key, its] : watched_) {
    if (!its.open) continue;
    if (!its.since) its.since = now;
    if (now - *its.since >= std::max(its.patience, kCalm)) {
      changes.push_back({its.alarm, false});
    } else {
      watched.emplace(key, std::move(its));
    }
  }
  watched_.swap(watched);
  return changes;
}

std::vector<Alarm> Alarms::open() const {
  const std::lock_guard lock(mutex_);
  std::vector<Alarm> open;
  for (const auto& [key, its] : watched_) {
    if (its.open) open.push_back(its.alarm);
  }
  return open;
}

}  // namespace carillon
