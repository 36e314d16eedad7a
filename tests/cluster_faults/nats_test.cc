// The NATS servers of a cluster killed, one by one and all at once: a pause, and everything goes
// on.

#include <iostream>
#include <thread>

#include "tests/cluster_faults/cluster_fault.h"

namespace carillon::test {
namespace {

constexpr Millis kDown{3000};
// What is promised is 15 s for one server; the rest is for a machine that is busy.
constexpr Millis kWithin = std::chrono::seconds(15 + 10);

TEST_F(ClusterFault, NatsServersKilledInTurnCostAPause) {
  begin();
  for (int server = 0; server < nats_.count() && !HasFailure(); ++server) {
    probes_.plant();
    const WallTime at = wall_now_up();
    nats_.kill(server);
    std::this_thread::sleep_for(kDown);
    nats_.start(server);
    harvest("NATS server " + std::to_string(server) + " killed", at);
    cluster_.become_whole();
  }
  finish(true);
  expect_within(kWithin, kWithin);
}

TEST_F(ClusterFault, AllNatsServersKilledAtOnceCostAPause) {
  begin();
  probes_.plant();
  const WallTime at = wall_now_up();
  for (int server = 0; server < nats_.count(); ++server) nats_.kill(server);
  cluster_.await_cut_off();
  for (int server = 0; server < nats_.count(); ++server) nats_.start(server);
  harvest("all NATS servers killed", at);
  finish(true);
  expect_within(2 * kWithin, 2 * kWithin);
}

}  // namespace
}  // namespace carillon::test
