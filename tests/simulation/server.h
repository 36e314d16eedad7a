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
#include <unordered_map>

#include "engine/local_shard.h"
#include "tests/simulation/facts.h"
#include "tests/simulation/receivers.h"
#include "tests/simulation/slow_log.h"
#include "tests/simulation/swarm.h"
#include "tests/support/ledger.h"

namespace carillon::simulation {

struct Request {
  Deed deed = Deed::add;
  std::uint64_t id = 0;
  std::uint64_t version = 0;
  WallTime due{};
  std::uint64_t group = 0;
  bool by_url = false;
  std::optional<Millis> expire_after;
  TaskNumber number = 0;   // redrive, remove_dead: which
  Millis by{};             // group_shift
  std::uint64_t name = 0;  // of a group's operation or a redrive; 0: none
};

class Server {
 public:
  using Answered = std::function<void(const Reply&)>;

  Server(World& world, const Swarm& swarm, Coverage& coverage, std::vector<std::string>& faults,
         test::Ledger& ledger);

  void start();
  /// Starts again by itself, after a while.
  void crash();
  [[nodiscard]] bool up() const { return local_ != nullptr; }
  /// `answered` is never called where a crash comes first.
  void handle(const Request& request, Answered answered);
  void clock_was_stepped();
  void clean_log();
  /// Something that an operator does to a target, at random.
  void operate();
  /// What no client can see, while it makes others wait: the content of some task is replaced by
  /// the same, its group is shifted by nothing.
  void touch();
  /// From now on receivers accept, and no target is paused.
  void heal();

  /// Enters what the server says of its tasks into the ledger, and looks for what waits too long.
  void tell_all();
  /// The newest dead letter of an id: its number and version.
  [[nodiscard]] std::optional<std::pair<TaskNumber, std::uint64_t>> dead_letter(std::uint64_t id);

  [[nodiscard]] static std::string deed_name(Deed deed);
  [[nodiscard]] static std::string verdict_name(Verdict verdict);

 private:
  /// A client's command that waits for its reply.
  struct Waiter final : Caller {
    Waiter(Server& its, std::string deed, Answered reply_to)
        : Caller(&reply), server(its), name(std::move(deed)), answered_to(std::move(reply_to)) {}
    void answered() override;
    void dropped() override {}
    Reply reply;
    Server& server;
    std::string name;
    Answered answered_to;
  };

  void guarded_after(Moment pause, std::function<void()> happen);
  void make_local_shard();
  void wake_at(std::optional<WallTime> moment);
  void appended(const Batch& batch);
  void make_durable();
  void submit(std::string name, Command command, Answered answered);
  void recognise(Reply& reply) const;
  void operate_lanes();
  void add(const Request& request, const Answered& answered);
  void change(const Request& request, const Answered& answered, int looks);
  void redrive(const Request& request, const Answered& answered);
  void get(const Request& request, const Answered& answered);
  void put_target(std::uint64_t target, bool paused);
  void resume_targets();
  [[nodiscard]] TargetSettings target_settings() const;
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
  std::unique_ptr<LocalShard> local_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t timer_ = 0;  // of several that were set, the newest counts
  bool durable_ = false;     // what is under way
  bool touching_group_ = false;
  bool healed_ = false;
  Batch under_way_;
  bool armed_ = false;  // to crash in the middle of the next commit
  std::unordered_map<const Waiter*, std::unique_ptr<Waiter>> waiters_;
  std::uint64_t last_webhook_ = 0;
};

}  // namespace carillon::simulation
