// One node of a simulated cluster: the real shard with its driver, contents and pushes
// (engine/local_shard.h), over its own log of a stream that several nodes may own.
//
// Operation: it reads the stream, follows it, and takes it over when it has not heard of an owner
// for three seconds. As the owner it serves requests and pushes. Once it is fenced it discards the
// shard and begins anew after a while; so it does after a crash, and after it has handed over.
//
//   down ──▶ following ──▶ taking ──▶ owning ──▶ handing over
//    ▲                       │         │             │
//    └───────────────────────┴─────────┴─────────────┘
//
// Whatever happens at a node is an event that comes through `after`. While the node is paused its
// events wait, and all of them come at once when it goes on: by its clock no time has gone by
// between two of them, but a lot before. What it says to the stream and the other nodes takes its
// time, comes twice, or is lost; where it is cut off, all of it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>

#include "engine/local_shard.h"
#include "tests/simulation/receivers.h"
#include "tests/simulation/requests.h"
#include "tests/simulation/service.h"
#include "tests/simulation/troubles.h"
#include "tests/storage/model_log.h"

namespace carillon::simulation {

class Node {
 public:
  struct Around {
    World& world;
    const Swarm& swarm;
    const Troubles& troubles;
    Coverage& coverage;
    std::vector<std::string>& faults;
    test::Ledger& ledger;
    Facts& facts;
    std::shared_ptr<ModelStream> stream;
    const Sequence& last_sequence;  // in the stream
    std::uint64_t& webhooks;
    std::function<void(Node&)> became_owner;
    /// Tells the other nodes that this one is alive and owns the shard.
    std::function<void(Node&)> heartbeat;
    std::function<void(Node&)> handed_over;
    /// When the fire of a task was taken by the stream; none.
    std::function<std::optional<Moment>(TaskNumber)> fired_at;
  };
  Node(Around around, std::uint64_t index, Millis clock_ahead);

  void start();
  void crash();
  void pause(Moment time);
  void cut_off(Moment time);
  /// Messages of other nodes do not come, nor do its own come there.
  void isolate(Moment time);
  void hand_over();
  void take_over();
  void hear_owner();
  void clean_log();
  void request(const Request& request, Answered answered);
  /// The node does something, unless it is another one by then.
  void after(Moment pause, std::function<void()> happen);

  [[nodiscard]] bool owns() const { return phase_ == Phase::owning; }
  [[nodiscard]] bool follows() const { return phase_ == Phase::following; }
  [[nodiscard]] bool is_isolated() const { return its_.world.now() < isolated_until_; }
  [[nodiscard]] std::uint64_t index() const { return index_; }
  [[nodiscard]] Requests& requests() { return *requests_; }
  [[nodiscard]] Shard& shard() { return local_->shard(); }
  [[nodiscard]] std::optional<SimContent> content_of(TaskNumber number) const;

 private:
  enum class Phase { down, following, taking, owning, handing_over };

  void make_local_shard();
  void watch();
  void follow();
  void own();
  void fenced();
  void wait_until_drained(Moment until);
  void discard(Verdict answer, Moment down);
  void arrive(std::uint64_t incarnation, std::function<void()> happen);
  void carry(ModelLog::Step step);
  void wait(ModelLog::Step step);
  void wake_at(std::optional<WallTime> moment);
  [[nodiscard]] std::optional<TaskNumber> pushed_task(const SimContent& content,
                                                      std::uint32_t attempt);

  Around its_;
  std::uint64_t index_;
  Millis clock_ahead_;
  WorldClock clock_;
  Phase phase_ = Phase::down;
  std::unique_ptr<ModelLog> log_;
  std::unique_ptr<Receivers> receivers_;
  std::unique_ptr<Requests> requests_;
  std::unique_ptr<LocalShard> local_;
  std::map<std::uint64_t, Answered> open_;  // requests that are not answered
  std::uint64_t requested_ = 0;
  std::uint64_t incarnation_ = 0;
  std::uint64_t timer_ = 0;  // of several that were set, the newest counts
  Moment heard_at_ = 0;      // of an owner
  bool asked_for_news_ = false;
  bool paused_ = false;
  std::deque<std::function<void()>> late_;  // while it is paused
  Moment cut_off_until_ = 0;
  Moment isolated_until_ = 0;
  bool at_stream_ = false;  // a step that was carried there is being done
};

}  // namespace carillon::simulation
