// Tasks that show how late a fault makes tasks: some wait when it comes, others are being pushed.
//
// Operation: before the fault `plant` adds both kinds. What waits falls due evenly over some
// seconds, so that wherever a shard stands still, a task of it soon is late. What is being pushed
// goes to a receiver that takes its time, so that it is firing at that moment. `harvest` waits
// until all are delivered, and says how long after the fault, or after they were due, the last ones
// came.
//
// Concurrency: the test's thread.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/faults/caller.h"
#include "tools/load/receiver.h"

namespace carillon::test {

class Probes {
 public:
  Probes(ServerAddress& address, const Served& served);

  /// Makes the targets.
  void set_up();
  /// Returns when the ones are being pushed and the others wait.
  void plant();
  struct Late {
    Millis waiting{0};  // after the fault, or after it was due if that was later
    Millis firing{0};   // after the fault: what was pushed again
    std::size_t fired_again = 0;
  };
  /// `fault`: when it came.
  [[nodiscard]] Late harvest(WallTime fault);
  /// Whether the target "quick" was ever pushed a task of this id, before the last harvest or
  /// since.
  [[nodiscard]] bool has_come(const std::string& id);

 private:
  [[nodiscard]] std::vector<load::Arrival> take_quick();
  void put_target(const std::string& name, const load::Receiver& receiver);
  void add(const std::string& target, WallTime first, Millis over, std::size_t count);

  Caller caller_;
  std::unique_ptr<load::Receiver> quick_, slow_;
  std::vector<std::string> planted_;
  std::set<std::string> others_;  // that came to "quick" and were not planted
  std::size_t made_ = 0;
};

}  // namespace carillon::test
