// The fixture of faults of a cluster: three NATS servers, three nodes that share the shards,
// clients at work with the ledger over them, and probes.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/cluster_faults/crashing_cluster.h"
#include "tests/cluster_faults/probes.h"
#include "tests/faults/crash_run.h"
#include "tests/storage/jetstream/nats_servers.h"

namespace carillon::test {

class ClusterFault : public ::testing::Test {
 protected:
  using Node = CrashingCluster::Node;
  static constexpr std::size_t kNodes = 3;

  ClusterFault();
  /// The nodes are started, and clients begin. The last one reaches NATS by `last_by`, if given.
  void begin(std::vector<std::string> last_by = {});
  /// The cluster becomes whole, the clients end, and all is judged. `may_repeat`: tasks may have
  /// been pushed more than once; they may anyway where a node was taken for dead.
  void finish(bool may_repeat);
  /// Prints how late the probes came after the fault, whose name is `what`, and keeps the worst.
  void harvest(const std::string& what, WallTime fault);
  void expect_within(Millis waiting, Millis firing) const;

  NatsServers nats_{3};
  ServerAddress address_;
  CrashingCluster cluster_{address_};
  std::uint64_t seed_;
  CrashRun run_;
  Probes probes_;
  Probes::Late worst_;
};

}  // namespace carillon::test
