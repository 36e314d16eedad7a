// A node that is cut off from NATS, in one direction or in both, and comes back: what it said
// meanwhile arrives late.

#include <iostream>
#include <memory>
#include <thread>

#include "tests/cluster_faults/cluster_fault.h"
#include "tests/storage/jetstream/proxy.h"

namespace carillon::test {
namespace {

// What is promised is 5 s and 8 s; the rest is for a machine that is busy.
constexpr Millis kWaitingWithin = std::chrono::seconds(5 + 7);
constexpr Millis kFiringWithin = std::chrono::seconds(8 + 7);
constexpr Millis kCutFor{7000};

struct Cut {
  const char* name;
  bool of_node, of_nats;  // what gets no further
};

TEST_F(ClusterFault, ANodeCutOffFromNatsLosesItsShardsAndNothingElse) {
  std::vector<std::unique_ptr<Proxy>> proxies;
  std::vector<std::string> urls;
  for (int server = 0; server < nats_.count(); ++server) {
    proxies.push_back(std::make_unique<Proxy>(nats_.port(server)));
    urls.push_back(proxies.back()->url());
  }
  begin(urls);
  for (const Cut& cut :
       {Cut{"cut off", true, true}, Cut{"deaf", false, true}, Cut{"dumb", true, false}}) {
    if (HasFailure()) break;
    cluster_.become_whole();
    probes_.plant();
    const WallTime at = wall_now_up();
    for (const auto& proxy : proxies) proxy->hold(cut.of_node, cut.of_nats);
    std::this_thread::sleep_for(kCutFor);
    for (const auto& proxy : proxies) proxy->let_through();
    harvest(std::string("a node was ") + cut.name, at);
  }
  finish(true);
  expect_within(kWaitingWithin, kFiringWithin);
}

}  // namespace
}  // namespace carillon::test
