#include "monitor/history.h"

#include <algorithm>

namespace carillon {
namespace {

std::uint64_t since(std::uint64_t before, std::uint64_t now) {
  return now >= before ? now - before : now;
}

std::uint64_t count_of(const Stats& stats, State state) {
  return stats.counts[static_cast<std::size_t>(state)];
}

void add(History::Point& sum, const History::Point& more) {
  sum.added += more.added;
  sum.cancelled += more.cancelled;
  sum.fired += more.fired;
  sum.delivered += more.delivered;
  sum.retried += more.retried;
  sum.died += more.died;
  sum.expired += more.expired;
  sum.lateness.p50 = std::max(sum.lateness.p50, more.lateness.p50);
  sum.lateness.p99 = std::max(sum.lateness.p99, more.lateness.p99);
  sum.lateness.p999 = std::max(sum.lateness.p999, more.lateness.p999);
  sum.commit_p99 = std::max(sum.commit_p99, more.commit_p99);
  sum.pending = more.pending;
  sum.dead = more.dead;
  sum.backlog = std::max(sum.backlog, more.backlog);
  sum.in_flight = std::max(sum.in_flight, more.in_flight);
  sum.oldest_overdue = std::max(sum.oldest_overdue, more.oldest_overdue);
}

}  // namespace

History::Point History::take(const Stats& stats, const EngineCounters& counters) {
  const std::lock_guard lock(mutex_);
  Point point;
  point.at = stats.now;
  point.added = since(before_.added, counters.added);
  point.cancelled = since(before_.cancelled, counters.cancelled);
  point.fired = since(before_.fired, counters.fired);
  point.delivered = since(before_.delivered, counters.delivered);
  point.retried = since(before_.retried, counters.retried);
  point.died = since(before_.died, counters.died);
  point.expired = since(before_.expired, counters.expired);
  const Histogram lateness = counters.lateness.since(before_.lateness);
  point.lateness = {lateness.quantile(0.5), lateness.quantile(0.99), lateness.quantile(0.999)};
  point.commit_p99 = counters.commit_time.since(before_.commit_time).quantile(0.99);
  before_ = counters;
  before_.lane_lateness.clear();
  point.pending = count_of(stats, State::scheduled) + count_of(stats, State::firing) +
                  count_of(stats, State::retrying);
  point.dead = count_of(stats, State::dead);
  point.backlog = stats.backlog;
  point.in_flight = stats.delivery.in_flight;
  point.oldest_overdue = stats.oldest_overdue.value_or(Millis(0));
  while (!points_.empty() && points_.back().at > point.at) points_.pop_back();
  if (!points_.empty() && points_.back().at == point.at) {
    add(points_.back(), point);  // by a clock that stands still
  } else {
    points_.push_back(point);
  }
  if (points_.size() > kPointsMax) points_.pop_front();
  return point;
}

std::vector<History::Point> History::points(WallTime from, WallTime to, Millis step) const {
  const std::lock_guard lock(mutex_);
  std::vector<Point> found;
  auto at = std::ranges::upper_bound(points_, from, {}, &Point::at);
  for (; at != points_.end() && at->at <= to; ++at) {
    const Millis end = at->at.time_since_epoch() - Millis(1);  // what it holds came before its end
    const WallTime begin{end - end % step};
    if (found.empty() || found.back().at != begin) {
      found.push_back(*at);
      found.back().at = begin;
    } else {
      add(found.back(), *at);
    }
  }
  return found;
}

}  // namespace carillon
