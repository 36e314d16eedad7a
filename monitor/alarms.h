// What an operator should know before it hurts: conditions that are looked at again and again, and
// the alarms that are open.
//
// Operation: every ten seconds it is told what was seen (`look`). A condition that has held for as
// long as its alarm wants opens that alarm; one that has not held for as long, and for a minute at
// least, closes it. So nothing flaps. What opened and closed is returned, to be told elsewhere.
//
// Concurrency: `open` any thread; the rest one thread. Time is the wall clock's, as it was seen.
// Limitations: an alarm that is open begins anew after a restart.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "cluster/cluster_view.h"
#include "engine/requests.h"
#include "monitor/history.h"
#include "monitor/options.h"

namespace carillon {

inline constexpr std::string_view kAlarmNames[] = {
    "capacity",        "clock_off",    "clock_stepped", "dead_letters", "late",
    "low_on_space",    "nearly_full",  "node_silent",   "overdue",      "shard_behind",
    "shard_ownerless", "slow_commits", "target_held"};

struct Alarm {
  std::string name;    // one of the above
  std::string of;      // which target, node or shard; empty: the server
  WallTime since{};    // when it was opened
  std::string detail;  // what, and how much
  std::string advice;  // what to do
};

/// What there was to be seen in the last ten seconds.
struct Seen {
  History::Point point;
  const Stats& stats;
  std::uint64_t clock_steps = 0;  // since the start
  /// Targets that are held, and since when they are.
  std::map<std::string, TargetView::Held> held{};
  /// The minute of the next hour in which most tasks fall due.
  std::optional<ForecastBucket> busiest{};
  std::optional<ClusterView> cluster{};
};

class Alarms {
 public:
  struct Change {
    Alarm alarm;
    bool opened = false;  // else closed
  };
  [[nodiscard]] std::vector<Change> look(const Seen& seen, const AlarmLimits& limits);
  /// By name, then by what they are of.
  [[nodiscard]] std::vector<Alarm> open() const;

 private:
  struct Condition;
  struct Watched {
    Alarm alarm;
    bool open = false;
    Millis patience{};              // to open
    std::optional<WallTime> since;  // that it holds; or, where it is open, that it does not
  };
  static void of_tasks(const Seen& seen, const AlarmLimits& limits, std::vector<Condition>& found);
  void of_server(const Seen& seen, const AlarmLimits& limits, std::vector<Condition>& found);
  static void of_cluster(const ClusterView& view, std::vector<Condition>& found);

  std::optional<std::uint64_t> clock_steps_;  // at the last look
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Watched> watched_;
};

}  // namespace carillon
