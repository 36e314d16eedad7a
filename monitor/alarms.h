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
#include <utility>
#include <vector>

#include "base/time.h"
#include "cluster/cluster_view.h"
#include "engine/requests.h"
#include "monitor/history.h"

namespace carillon {

/// From where on; 0: never.
struct AlarmLimits {
  Millis overdue = std::chrono::minutes(1);      // of the oldest task that is due
  Millis lateness = std::chrono::seconds(1);     // p99 of pushes, for a minute
  std::uint64_t dead_letters = 1;                // so many
  Millis target_held = std::chrono::minutes(5);  // for so long
  Millis commit_time = std::chrono::seconds(1);  // p99, for a minute
  std::uint32_t pending_percent = 80;            // of what may be pending
  std::uint64_t forecast_per_second = 0;  // tasks that fall due, in a minute of the next hour
  friend bool operator==(const AlarmLimits&, const AlarmLimits&) = default;
};

struct Alarm {
  std::string name;    // "overdue"
  std::string of;      // which target, node or shard; empty: it is of the server
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
  explicit Alarms(AlarmLimits limits) : limits_(limits) {}
  /// For the next look.
  void set_limits(AlarmLimits limits) { limits_ = limits; }
  [[nodiscard]] const AlarmLimits& limits() const { return limits_; }

  struct Change {
    Alarm alarm;
    bool opened = false;  // else closed
  };
  [[nodiscard]] std::vector<Change> look(const Seen& seen);
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
  void of_tasks(const Seen& seen, std::vector<Condition>& found) const;
  void of_server(const Seen& seen, std::vector<Condition>& found);
  static void of_cluster(const ClusterView& view, std::vector<Condition>& found);

  AlarmLimits limits_;
  std::optional<std::uint64_t> clock_steps_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Watched> watched_;
};

}  // namespace carillon
