// Follows the log, naively: what each record must have found, and which transitions were reached.
//
// Operation: a map from task number to what the log has said of it so far. A record that could not
// have followed (a cancelled task fired, a task overwritten) is a fault, and so is a shard that
// says something else than the log: after a recovery, in an answer, when it starts a push.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "shard/shard.h"
#include "tests/simulation/world.h"

namespace carillon::simulation {

/// How often each transition was seen, by name.
using Coverage = std::map<std::string, std::uint64_t>;

struct Fact {
  Fingerprint task;
  State state = State::scheduled;
  WallTime due{};
  WallTime asked_due{};
  std::optional<Millis> expire_after;
  GroupKey group;
  std::uint32_t attempt = 0;
  WallTime redriven_at{};
  bool retries_cancelled = false;
  TargetKey target;
  LaneNumber lane = kDefaultLane;
  MergeRule merge;
};

class Facts {
 public:
  /// `slack`: so far clocks may be apart, and decisions lie before their commits.
  Facts(World& world, Coverage& coverage, std::vector<std::string>& faults,
        Millis slack = Millis(0))
      : world_(world), coverage_(coverage), faults_(faults), slack_(slack) {}

  /// This batch is durable.
  void follow(const Batch& batch);

  /// The shard has another owner, who knows nothing of pushes under way.
  void owner_changed() { probes_.clear(); }
  /// The pushes of what this durable batch fires start now.
  void start(const Batch& batch);
  /// What the server as a whole lets begin; 0 a second: no limit.
  void set_server_rate(std::uint32_t per_second);
  /// Where time leaps, so does what rates have let begin.
  void clock_was_stepped();
  /// The push of that task goes out, at that time by its owner's clock.
  void push_began(TaskNumber number, WallTime at);
  /// The push of that task is over, whether or not the log says so yet.
  void push_ended(TaskNumber number);
  /// The fact about a number; a fault if there is none.
  [[nodiscard]] const Fact& at(TaskNumber number);
  /// That the shard says of every unfinished task what the log says, and of no other.
  void expect_same(Shard& shard);
  /// After a recovery: that those targets are held that the log says, and no other.
  void expect_held(const Shard& shard);
  /// That a statement that left the shard is what the log says.
  void expect_true(const Statement& said);
  [[nodiscard]] std::optional<TaskNumber> newest_dead(const Fingerprint& task) const;
  /// That a target of that key was made at some time, whatever became of it.
  [[nodiscard]] bool was_put(const TargetKey& key) const { return put_.contains(key.low); }
  /// Tasks that should have been fired long ago.
  [[nodiscard]] std::vector<TaskNumber> waiting_since(WallTime due) const;

 private:
  void follow(const record::Put& put, Sequence sequence, WallTime at);
  void follow(const record::Keep& keep, Sequence sequence, WallTime at);
  void follow(const record::Move& move, Sequence sequence, WallTime at);
  void follow(const record::Cancel& cancel, Sequence sequence, WallTime at);
  void follow(const record::Fire& fire, Sequence sequence, WallTime at);
  void follow(const record::Outcome& outcome, Sequence sequence, WallTime at);
  void follow(const record::Remove& remove, Sequence sequence, WallTime at);
  void follow(const record::GroupCancel& cancel, Sequence sequence, WallTime at);
  void follow(const record::GroupShift& shift, Sequence sequence, WallTime at);
  void follow(const record::TargetPut& put, Sequence sequence, WallTime at);
  void follow(const record::TargetDelete& removal, Sequence sequence, WallTime at);
  void follow(const record::CancelRetries& cancel, Sequence sequence, WallTime at);
  void follow(const record::Operation& operation, Sequence sequence, WallTime at);
  void follow(const record::TargetHold& hold, Sequence sequence, WallTime at);
  void follow(const record::TargetRelease& release, Sequence sequence, WallTime at);
  void follow(const record::LanePut& put, Sequence sequence, WallTime at);
  void follow(const record::LaneDelete& removal, Sequence sequence, WallTime at);
  void follow_name(const OperationName& name);
  /// Whether one that was fired with it or just before may have taken it along.
  [[nodiscard]] bool is_taken_along(const Fact& fact) const;
  void expect(bool holds, const std::string& what);
  void reached(const char* record, State from, State to);

  World& world_;
  Coverage& coverage_;
  std::vector<std::string>& faults_;
  Millis slack_;
  std::map<TaskNumber, Fact> facts_;
  std::deque<Fact> fired_;  // on time, the last of them
  struct Held {
    WallTime until{};
    Moment began = 0;  // when it was durable
  };
  std::map<std::uint64_t, Held> held_;          // targets
  std::map<std::uint64_t, TaskNumber> probes_;  // under way, of targets that are held
  /// What has started under a rate.
  struct Window {
    RateLimit rate;
    Moment set_at = 0;
    std::deque<Moment> starts;
  };
  void count_start(Window& window, const std::string& whose);
  std::map<std::uint64_t, Window> windows_;  // of targets; 0: of the server
  std::set<std::uint64_t> named_;            // operations that were done
  std::set<std::uint64_t> put_;              // targets, by the low half of the key
};

}  // namespace carillon::simulation
