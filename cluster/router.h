// The tasks' service of a whole cluster, at any of its nodes.
//
// Operation: a call about one task goes to the shard of its id. A batch is taken apart, and what
// its shards answer is put in the order of its items. What is about groups, dead letters or the
// whole asks every shard and merges (cluster/merge.h). Shards are asked where they are
// (cluster/reach.h).
//
// Some shards may not answer. What counts can be told without them, and says which are missing:
// lists, stats, targets, lanes. All else is then refused as a whole, item by item of a batch.
//
// Sent again. A client that hears `outcome_unknown` sends the same again. So the router gives a
// name to each operation that its client gave none, and says it in the refusal; likewise the id of
// a task. A call on a group that some shards carried out and others did not is `outcome_unknown`,
// too: sent again under its name it is done where it was not, and answered as the first time where
// it was. A shift asks all shards first, and none moves anything where one refuses.
//
// Settings that all shards share, targets and lanes, are changed by ClusterSettings.
//
// Concurrency: any thread that runs a loop. Limitations: there is no manual clock.
//
// Error slugs: those of the shards, and of cluster/reach.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/reach.h"
#include "cluster/settings.h"
#include "engine/keys.h"
#include "engine/planner.h"
#include "engine/task_service.h"

namespace carillon {

class Router final : public TaskService {
 public:
  struct Parts {
    Clock& clock;
    const Keys& keys;
    const Planner& planner;
    const ShardMap& map;
    Peers& peers;
    ClusterSettings& settings;
  };
  /// All must outlive it.
  explicit Router(Parts parts) : its_(parts), reach_(parts.map, parts.peers) {}
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// As ShardMap has it.
  [[nodiscard]] std::string not_ready_because() const override;
  /// Of this node's shards.
  [[nodiscard]] Async<bool> short_of_space() override;

  [[nodiscard]] Result<PlannedAdd> plan(AddRequest request) const override;
  [[nodiscard]] Async<Answer<AddAnswer>> add(NewTask task) override;
  [[nodiscard]] Async<std::vector<Answer<Added>>> add_batch(std::vector<NewTask> tasks) override;
  [[nodiscard]] Async<Answer<TaskView>> get(std::string_view id) override;
  [[nodiscard]] Async<Answer<Explanation>> explain(std::string_view id) override;
  [[nodiscard]] Async<Answer<TaskView>> change(std::string_view id, ChangeRequest request) override;
  [[nodiscard]] Async<Answer<CancelAnswer>> cancel(std::string_view id, bool retries) override;
  [[nodiscard]] Async<std::vector<Answer<CancelAnswer>>> cancel_batch(
      std::vector<std::string_view> ids, bool retries) override;
  [[nodiscard]] Async<Answer<TaskView>> push_now(std::string_view id) override;
  [[nodiscard]] Async<Answer<Page>> list(TaskFilter filter, std::string cursor,
                                         std::size_t limit) override;
  /// Shard by shard; broken off where the owner of one is lost or changes.
  [[nodiscard]] std::unique_ptr<Export> export_pending() override;

  [[nodiscard]] Async<Answer<GroupView>> group(std::string_view name) override;
  [[nodiscard]] Async<Answer<GroupCancelAnswer>> cancel_group(std::string_view name,
                                                              std::string_view operation) override;
  [[nodiscard]] Async<Answer<std::uint64_t>> shift_group(std::string_view name, Millis by,
                                                         std::string_view operation,
                                                         ShiftStep step) override;

  [[nodiscard]] Async<Answer<PutAnswer<TargetView>>> change_target(std::string name,
                                                                   TargetChange change) override;
  [[nodiscard]] Async<Answer<>> delete_target(std::string_view name, bool force) override;
  [[nodiscard]] Async<Answer<TargetView>> pause_target(std::string_view name, bool paused) override;
  /// By this node if it owns a shard, else by any other.
  [[nodiscard]] Async<Answer<TestPush>> test_target(std::string_view name) override;
  [[nodiscard]] Async<Answer<TargetView>> target(std::string_view name) override;
  [[nodiscard]] Async<std::vector<TargetView>> targets(std::string_view after,
                                                       std::size_t limit) override;
  [[nodiscard]] Async<TargetCounts> target_counts(std::string_view after) override;

  [[nodiscard]] Async<Answer<PutAnswer<LaneView>>> put_lane(std::string name,
                                                            LaneSettings settings) override;
  [[nodiscard]] Async<Answer<>> delete_lane(std::string name) override;
  [[nodiscard]] Async<std::vector<LaneView>> lanes() override;

  [[nodiscard]] Async<Answer<TaskView>> redrive(std::string_view id,
                                                std::string_view operation) override;
  [[nodiscard]] Async<Answer<>> remove_dead(std::string_view id) override;
  [[nodiscard]] Async<Answer<std::uint64_t>> redrive_all(TaskFilter filter,
                                                         std::string operation) override;
  [[nodiscard]] Async<Answer<std::uint64_t>> purge_dead(TaskFilter filter) override;

  [[nodiscard]] Async<Stats> stats() override;
  /// Of this node's shards alone, as what it counts is for whoever collects it from every node.
  [[nodiscard]] Async<EngineCounters> counters() override;
  [[nodiscard]] Async<Answer<std::vector<WheelLevel>>> wheel() override;
  [[nodiscard]] WallTime now() const override { return its_.clock.wall(); }
  [[nodiscard]] Async<Answer<std::vector<ForecastBucket>>> forecast(Millis bucket, WallTime from,
                                                                    WallTime to,
                                                                    TaskFilter of) override;
  /// Refused: a mirror is written to while it is copied, and the stream has all that it has.
  [[nodiscard]] Async<Result<>> checkpoint(std::string dir) override;

  [[nodiscard]] Async<WallTime> advance_clock(Millis by) override;
  [[nodiscard]] bool clock_is_manual() const override { return false; }

 private:
  struct LocalService {
    ShardNumber shard = 0;
    std::shared_ptr<TaskService> service;
  };
  [[nodiscard]] ShardNumber shard_of_task(std::string_view id) const {
    return shard_of(its_.keys, id, its_.map.shards());
  }
  [[nodiscard]] std::vector<LocalService> local_services() const;
  [[nodiscard]] std::string node_of(ShardNumber shard) const;
  /// Adds what the shards count of the target that the view is of.
  [[nodiscard]] Async<void> count(TargetView& view);
  /// The same by a call that tells a TargetView.
  template <typename Call>
  [[nodiscard]] Async<void> count_with(const Call& call, TargetView& view);
  template <typename Call>
  [[nodiscard]] Async<typename Call::Told> ask_parts(std::vector<Call> parts,
                                                     std::vector<std::vector<std::size_t>> places,
                                                     std::size_t count);
  template <typename Call>
  [[nodiscard]] Async<Answer<std::uint64_t>> sum_of(const Call& call, std::string_view operation);

  Parts its_;
  Reach reach_;
};

}  // namespace carillon
