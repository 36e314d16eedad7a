// The server of a simulation: the real shard and its recovery, over a log in memory that takes its
// time, and just enough of an engine around them.
//
// Operation: what the engine does with its effects is done here in virtual time: batches are
// sealed, become durable and are acknowledged as separate events with a crash possible between any
// two; contents are read back from the disk when a push begins; the log is cleaned now and then. A
// crash drops all of it but the disk: the batch that was under way is lost, torn, or durable
// although nobody was told. `up` again, the shard must say what the log says (facts.h).
//
// Each push meets a receiver that accepts, fails, hangs, refuses or is never reached, and is
// written into the ledger where it arrives.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "tests/simulation/facts.h"
#include "tests/simulation/swarm.h"
#include "tests/storage/memory_log.h"
#include "tests/support/ledger.h"

namespace carillon::simulation {

/// What the content of a task says here.
struct SimContent {
  std::uint64_t id = 0;
  std::uint64_t version = 0;
  std::uint64_t webhook = 0;
  std::uint32_t attempts_before = 0;

  [[nodiscard]] std::string text() const;
  static SimContent parse(const std::string& text);
};

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
  [[nodiscard]] bool up() const { return shard_ != nullptr; }
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

  static std::string name_of_id(std::uint64_t id);
  [[nodiscard]] static std::string deed_name(Deed deed);
  [[nodiscard]] static std::string verdict_name(Verdict verdict);

 private:
  void guarded_after(Moment pause, std::function<void()> happen);
  void work();
  void tick();
  void set_timer();
  void begin_commit();
  void make_durable();
  void commit_done(const Batch& batch);
  void submit(std::string name, Command command, Answered answered);
  void recognise(Reply& reply) const;
  void add(const Request& request, const Answered& answered);
  void change(const Request& request, const Answered& answered, int looks);
  void redrive(const Request& request, const Answered& answered);
  void get(const Request& request, const Answered& answered);
  void put_target(std::uint64_t target, bool paused);
  void resume_targets();
  void begin_push(const Fired& fired);
  void arrive(const Fired& fired, const SimContent& content, WallTime at, bool accepted);
  /// How a push came out, for the server.
  struct Ending {
    bool accepted = false;
    bool gone = false;
    bool throttled = false;
  };
  void finish_push(const Fired& fired, std::uint32_t attempts_before, Ending ending);
  [[nodiscard]] std::optional<SimContent> content_of(TaskNumber number) const;

  World& world_;
  Swarm swarm_;
  Coverage& coverage_;
  std::vector<std::string>& faults_;
  test::Ledger& ledger_;
  Facts facts_;

  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<Shard> shard_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t timer_ = 0;  // of several that were set, the newest counts
  bool log_busy_ = false;
  bool durable_ = false;  // what is under way
  bool commit_planned_ = false;
  bool cleaning_ = false;
  bool trimming_ = false;
  bool touching_group_ = false;
  bool healed_ = false;
  Batch under_way_;
  bool armed_ = false;  // to crash in the middle of the next commit
  struct Waiter {
    std::string name;
    Answered answered;
  };
  std::unordered_map<Ticket, Waiter> waiters_;
  Ticket last_ticket_ = 0;
  std::uint64_t last_webhook_ = 0;
};

}  // namespace carillon::simulation
