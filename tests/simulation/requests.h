// What a server of a simulation does with requests and with what an operator asks, over the real
// shard: as engine/commands.h does it, without coroutines.
//
// Operation: each request becomes commands, whose replies become its answer. What is answered from
// memory alone is confirmed first where the log is shared.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/local_shard.h"
#include "tests/simulation/content.h"
#include "tests/simulation/facts.h"
#include "tests/simulation/service.h"
#include "tests/simulation/world.h"

namespace carillon::simulation {

inline constexpr std::uint64_t kNamedTargets = 2;

/// Of all targets.
[[nodiscard]] TargetSettings target_settings(const Swarm& swarm);

class Requests {
 public:
  struct Around {
    World& world;
    const Swarm& swarm;
    Coverage& coverage;
    std::vector<std::string>& faults;
    LocalShard& local;        // is gone before this
    std::uint64_t& webhooks;  // so many were made so far
    /// Does something after a pause, unless the server has crashed by then.
    std::function<void(Moment, std::function<void()>)> after;
    std::function<std::optional<SimContent>(TaskNumber)> content_of;
    /// A get is about to answer that.
    std::function<void(const Statement&)> shown;
    /// So many pushes a second may begin from now on, to all targets; 0: as many as may be.
    std::function<void(std::uint32_t)> capacity_set;
  };
  explicit Requests(Around around) : its_(std::move(around)) {}

  void handle(const Request& request, const Answered& answered);

  // --- What an operator does.
  void put_target(std::uint64_t target, bool paused);
  /// Those that were deleted stay so: what waits for one must end without it.
  void resume_targets();
  /// Something to a target or a lane, at random.
  void operate();
  /// What no client can see, while it makes others wait: the content of some task is replaced by
  /// the same, its group is shifted by nothing.
  void touch();

  /// The names of commands that wait for their reply.
  [[nodiscard]] std::vector<std::string> unanswered() const;

 private:
  /// A client's command that waits for its reply.
  struct Waiter final : Caller {
    Waiter(Requests& its, std::string deed, Answered reply_to)
        : Caller(&reply), requests(its), name(std::move(deed)), answered_to(std::move(reply_to)) {}
    void answered() override;
    void dropped() override {}
    Reply reply;
    Requests& requests;
    std::string name;
    Answered answered_to;
  };

  Waiter& wait(std::string name, Answered answered);
  bool is_waiting(Waiter& waiter);
  void submit(const std::string& name, Command command, Answered answered);
  void confirmed(Reply reply, const Answered& answered);
  void recognise(Reply& reply) const;
  void operate_lanes();
  void set_capacity();
  [[nodiscard]] RateLimit any_rate();
  [[nodiscard]] BatchLimit any_batch();
  void add(const Request& request, const Answered& answered);
  void change(const Request& request, const Answered& answered, int looks);
  void redrive(const Request& request, const Answered& answered);
  void get(const Request& request, const Answered& answered);
  void answer_get(const Request& request, const Answered& answered);
  [[nodiscard]] Shard& shard() { return its_.local.shard(); }

  Around its_;
  bool touching_group_ = false;
  std::unordered_map<const Waiter*, std::unique_ptr<Waiter>> waiters_;
};

}  // namespace carillon::simulation
