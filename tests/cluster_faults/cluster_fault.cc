#include "tests/cluster_faults/cluster_fault.h"

#include <algorithm>
#include <iostream>
#include <random>

#include "tests/support/sized.h"

namespace carillon::test {

ClusterFault::ClusterFault()
    : seed_(seed_or(std::random_device()())),
      run_(address_, {.seed = seed_, .served = CrashingCluster::served()}),
      probes_(address_, CrashingCluster::served()) {
  std::cout << "[ figures  ] seed " << seed_ << " (CARILLON_SEED takes one)" << std::endl;
}

void ClusterFault::begin(std::vector<std::string> last_by) {
  if (last_by.empty()) last_by = nats_.urls();
  for (Node node = 0; node < kNodes; ++node) {
    cluster_.launch(cluster_.add(node + 1 < kNodes ? nats_.urls() : last_by));
  }
  for (Node node = 0; node < kNodes; ++node) cluster_.await_ready(node);
  cluster_.become_whole();
  probes_.set_up();
  run_.begin();
}

void ClusterFault::finish(bool may_repeat) {
  cluster_.become_whole();
  const bool was_mistaken = cluster_.times_fenced() > 0;
  run_.finish(may_repeat || was_mistaken);
  std::cout << "[ figures  ] waiting tasks " << worst_.waiting.count() << " ms late at most, "
            << worst_.fired_again << " pushed again within " << worst_.firing.count() << " ms, "
            << cluster_.times_fenced() << " times fenced; " << run_.figures() << std::endl;
}

void ClusterFault::harvest(const std::string& what, WallTime fault) {
  const Probes::Late late = probes_.harvest(fault);
  std::cout << "[ figures  ] " << what << ": waiting tasks " << late.waiting.count()
            << " ms late at most; " << late.fired_again << " pushed again within "
            << late.firing.count() << " ms" << std::endl;
  worst_.waiting = std::max(worst_.waiting, late.waiting);
  worst_.firing = std::max(worst_.firing, late.firing);
  worst_.fired_again += late.fired_again;
}

void ClusterFault::expect_within(Millis waiting, Millis firing) const {
  EXPECT_LT(worst_.waiting, waiting);
  EXPECT_LT(worst_.firing, firing);
}

}  // namespace carillon::test
