// kill -9 of nodes of a cluster, again and again, with everything going on.

#include <random>

#include "tests/cluster_faults/cluster_fault.h"
#include "tests/support/sized.h"

namespace carillon::test {
namespace {

// What is promised is 5 s and 8 s; the rest is for a machine that is busy.
constexpr Millis kWaitingWithin = std::chrono::seconds(5 + 7);
constexpr Millis kFiringWithin = std::chrono::seconds(8 + 7);

TEST_F(ClusterFault, KilledAtAnyMomentNodesKeepEveryPromise) {
  std::mt19937_64 random(seed_);
  begin();
  const std::size_t kills = sized(10, 1000);
  for (std::size_t i = 1; i <= kills && !HasFailure(); ++i) {
    const Node node = random() % kNodes;
    probes_.plant();
    const WallTime at = wall_now_up();
    cluster_.kill(node);
    // Sometimes it is back before anybody has missed it.
    const bool at_once = random() % 3 == 0;
    if (at_once) cluster_.launch(node);
    harvest("kill " + std::to_string(i) + (at_once ? ", back at once" : ""), at);
    if (!at_once) cluster_.launch(node);
    cluster_.await_ready(node);
    // Sometimes the next one dies while the shards still move.
    if (random() % 2 == 0) cluster_.become_whole();
  }
  finish(true);
  expect_within(kWaitingWithin, kFiringWithin);
  EXPECT_GT(worst_.fired_again, 0U);
}

}  // namespace
}  // namespace carillon::test
