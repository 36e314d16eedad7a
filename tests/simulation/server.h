// The server of a simulation: the real shard with its real driver, contents, pushes and retries
// (engine/local_shard.h), over a log in memory that takes its time and receivers of all kinds.
//
// Operation: the loop's turns and wake-ups are events in virtual time. Batches become durable and
// are acknowledged as separate events, with a crash possible between any two. A crash drops all of
// it but the disk: the batch that was under way is lost, torn, or durable although nobody was told.
// `up` again, the shard must say what the log says (facts.h).
#pragma once

#include <functional>
#include <memory>
#include <random>

#include "engine/local_shard.h"
#include "tests/simulation/facts.h"
#include "tests/simulation/receivers.h"
#include "tests/simulation/requests.h"
#include "tests/simulation/service.h"
#include "tests/simulation/slow_log.h"
#include "tests/simulation/swarm.h"
#include "tests/support/ledger.h"

namespace carillon::simulation {

class Server final : public Service {
 public:
  Server(World& world, const Swarm& swarm, Coverage& coverage, std::vector<std::string>& faults,
         test::Ledger& ledger);

  void start();
  /// Starts again by itself, after a while.
  void crash();
  [[nodiscard]] bool up() const override { return local_ != nullptr; }
  /// `answered` is never called where a crash comes first.
  void handle(const Request& request, Answered answered) override {
    requests_->handle(request, answered);
  }
  void clock_was_stepped();
  void clean_log();
  void operate() {
    if (up()) requests_->operate();
  }
  void touch() {
    if (up()) requests_->touch();
  }
  /// From now on receivers accept, and no target is paused.
  void heal();

  [[nodiscard]] bool committing() const { return up() && local_->driver().committing(); }
  /// Enters what the server says of its tasks into the ledger, and looks for what waits too long.
  void tell_all();
  [[nodiscard]] std::optional<std::pair<TaskNumber, std::uint64_t>> dead_letter(
      std::uint64_t id) override;

 private:
  void guarded_after(Moment pause, std::function<void()> happen);
  void make_local_shard();
  void wake_at(std::optional<WallTime> moment);
  void appended(const Batch& batch);
  void make_durable();
  [[nodiscard]] Shard& shard() { return local_->shard(); }
  [[nodiscard]] std::optional<TaskNumber> pushed_task(const SimContent& content,
                                                      std::uint32_t attempt);
  [[nodiscard]] std::optional<SimContent> content_of(TaskNumber number) const;

  World& world_;
  Swarm swarm_;
  Coverage& coverage_;
  std::vector<std::string>& faults_;
  test::Ledger& ledger_;
  Facts facts_;
  WorldClock clock_;

  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::unique_ptr<SlowLog> log_;
  std::unique_ptr<Receivers> receivers_;
  std::unique_ptr<Requests> requests_;
  std::unique_ptr<LocalShard> local_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t timer_ = 0;  // of several that were set, the newest counts
  bool durable_ = false;     // what is under way
  bool healed_ = false;
  Batch under_way_;
  bool armed_ = false;  // to crash in the middle of the next commit
  std::uint64_t webhooks_ = 0;
};

}  // namespace carillon::simulation
