// What operators do to a cluster that is at work: nodes restarted one after the other, added and
// drained. Nothing is pushed twice, and what is refused meanwhile a second try cures.

#include <iostream>

#include "tests/cluster_faults/cluster_fault.h"

namespace carillon::test {
namespace {

// What is promised is a pause of less than a second; the rest is for a machine that is busy.
constexpr Millis kWithin = std::chrono::seconds(1 + 4);

TEST_F(ClusterFault, NodesRestartedInTurnRepeatNothing) {
  begin();
  for (Node node = 0; node < kNodes && !HasFailure(); ++node) {
    probes_.plant();
    const WallTime at = wall_now_up();
    cluster_.stop(node);
    cluster_.launch(node);
    cluster_.await_ready(node);
    harvest("node restarted", at);
    cluster_.become_whole();
  }
  finish(false);
  expect_within(kWithin, kWithin);
}

TEST_F(ClusterFault, ANodeAddedAndOneDrainedRepeatNothing) {
  begin();
  probes_.plant();
  WallTime at = wall_now_up();
  const Node added = cluster_.add(nats_.urls());
  cluster_.launch(added);
  cluster_.await_ready(added);
  harvest("node added", at);
  EXPECT_TRUE(eventually([&] { return cluster_.owns(added); }));
  probes_.plant();
  at = wall_now_up();
  cluster_.drain(0);
  EXPECT_TRUE(eventually([&] { return !cluster_.owns(0); }));
  cluster_.stop(0);
  harvest("node drained", at);
  finish(false);
  expect_within(kWithin, kWithin);
}

}  // namespace
}  // namespace carillon::test
