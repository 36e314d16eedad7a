// A client of the simulation: asks for one thing after the other about its own ids, over a network
// that loses requests and answers, and writes all of it into the ledger.
//
// Operation: an answer that does not come is asked for again with the very same request, as a
// client would, or it gives up, and then never speaks of that id again: its outcome stays unknown.
// Where the answer is `moved` or `log_away` nothing was done, so to send it again is the first time
// still; where it is `outcome_unknown`, it is asked for again.
#pragma once

#include <optional>

#include "tests/simulation/service.h"
#include "tests/simulation/world.h"
#include "tests/support/ledger.h"

namespace carillon::simulation {

class Client {
 public:
  Client(World& world, const Swarm& swarm, Service& service, test::Ledger& ledger,
         std::vector<std::string>& faults, std::uint64_t index);

  void start() { think(); }
  [[nodiscard]] std::uint64_t deeds() const { return deeds_; }
  /// The network loses nothing any more, and nothing new is asked for.
  void finish() { finishing_ = true; }
  [[nodiscard]] bool idle() const { return finishing_ && !asking_; }

 private:
  using Task = test::Ledger::Task;
  struct Id {
    std::uint64_t id = 0;
    std::optional<Task> task;  // the newest that was accepted
    std::uint64_t group = 0;   // of `task`
    Millis early_by{0};        // the same
    bool live = false;         // not known to be finished
    bool given_up = false;
  };
  /// One request and what it does to the ledger; kept until it is answered.
  struct Asking {
    Request request;
    Id* id = nullptr;
    std::optional<Task> task;  // the one that an add or a change makes
    std::optional<Task> old;   // the one that it would replace, or is about
    std::uint64_t old_group = 0;
    Millis early_by{0};
    test::Ledger::Operation operation = 0;
    int times = 0;
  };

  void think();
  void act();
  [[nodiscard]] Deed choose();
  [[nodiscard]] WallTime any_due();
  void prepare(Asking& asking);
  void prepare_add(Asking& asking);
  void write_down(Asking& asking);
  void ask();
  void send();
  void go_on_elsewhere(Verdict why);
  void no_answer(std::uint64_t asked);
  void answered(const Reply& reply);
  void added(const Asking& asking, const Reply& reply);
  void changed(const Asking& asking, const Reply& reply);
  void moved(const Asking& asking, const Reply& reply);
  void cancelled(const Asking& asking, const Reply& reply);
  void give_up(Id& id);

  World& world_;
  const Swarm& swarm_;
  Service& service_;
  test::Ledger& ledger_;
  std::vector<std::string>& faults_;
  std::uint64_t index_;
  std::uint64_t group_;
  std::vector<Id> ids_;
  struct Version {
    Task task = 0;
    std::uint64_t group = 0;
  };
  std::vector<Version> versions_;  // version 0 is none
  std::optional<Asking> asking_;
  std::uint64_t names_ = 0;  // of operations, so far
  std::uint64_t asked_ = 0;  // counts requests, so that a late answer is known for one
  std::uint64_t deeds_ = 0;
  bool finishing_ = false;
};

}  // namespace carillon::simulation
