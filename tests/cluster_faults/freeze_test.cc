// An owner that stands still (SIGSTOP) while others take over what it owns, and then goes on as if
// nothing had happened.

#include <iostream>
#include <thread>

#include "tests/cluster_faults/cluster_fault.h"
#include "tests/end_to_end/json_find.h"
#include "tests/support/sized.h"

namespace carillon::test {
namespace {

constexpr std::size_t kTasks = 60;

/// Tasks that fall due just before the frozen owner wakes, and are cancelled by then, before any
/// attempt.
class Cancelled {
 public:
  Cancelled(ServerAddress& address, const std::string& name)
      : caller_(address, CrashingCluster::served()), name_(name) {}

  void add(WallTime due) {
    std::string body = "[";
    for (std::size_t i = 0; i < kTasks; ++i) {
      body += (i > 0 ? "," : "") + (R"({"id":")" + id(i) + R"(","target":"quick","payload":1,)") +
              R"("due_at":)" + std::to_string(due.time_since_epoch().count()) + "}";
    }
    const auto added = caller_.call("POST", "/v1/tasks:batchCreate", body + "]");
    EXPECT_TRUE(added && added->body.find(R"("status":503)") == std::string::npos);
  }
  /// Those that could be cancelled in time, with no attempt made.
  void cancel(WallTime by) {
    for (std::size_t i = 0; i < kTasks && wall_now_up() < by; ++i) {
      const auto answer = caller_.call("DELETE", "/v1/tasks/" + id(i));
      if (answer && answer->ok() && number_at(answer->body, "/attempts") == 0 &&
          wall_now_up() < by) {
        cancelled_.push_back(id(i));
      }
    }
  }
  /// A node that has just woken must not show what was true before it fell asleep.
  void look_at(const std::string& url) const {
    client::ApiClient api(client::parse_endpoint(url).value(), {});
    for (const std::string& task : cancelled_) {
      const auto seen = api.call("GET", "/v1/tasks/" + task);
      EXPECT_TRUE(!seen || !seen->ok() || text_at(seen->body, "/state") == "cancelled")
          << seen->body;
    }
  }
  [[nodiscard]] const std::vector<std::string>& ids() const { return cancelled_; }

 private:
  [[nodiscard]] std::string id(std::size_t i) const { return name_ + std::to_string(i); }
  Caller caller_;
  std::string name_;
  std::vector<std::string> cancelled_;
};

TEST_F(ClusterFault, FrozenOwnersDoNothingOnceOthersHaveTakenOver) {
  begin();
  std::vector<std::string> never;
  std::vector<Millis> lengths = {Millis(2000), Millis(5000), Millis(5500), Millis(8000)};
  if (full_size()) {
    for (int i = 0; i < 20; ++i) lengths.push_back(Millis(3000 + 100 * i));
    lengths.push_back(Millis(20'000));
  }
  for (std::size_t i = 0; i < lengths.size() && !HasFailure(); ++i) {
    cluster_.become_whole();
    const Node node = cluster_.owner_of(i % CrashingCluster::kShards);
    Cancelled cancelled(address_, "frozen-" + std::to_string(i) + "-");
    probes_.plant();
    const WallTime at = wall_now_up();
    const WallTime wakes = at + lengths[i];
    cancelled.add(wakes - Millis(50));
    cluster_.freeze(node);
    // Until others own what it owned, a call about that would wait for it.
    while (cluster_.owns(node) && wall_now_up() < wakes) std::this_thread::sleep_for(Millis(20));
    cancelled.cancel(wakes - Millis(50));
    std::this_thread::sleep_until(wakes);
    cluster_.thaw(node);
    cancelled.look_at(cluster_.url(node));
    harvest("frozen for " + std::to_string(lengths[i].count()) + " ms, " +
                std::to_string(cancelled.ids().size()) + " cancelled meanwhile",
            at);
    never.insert(never.end(), cancelled.ids().begin(), cancelled.ids().end());
  }
  finish(true);
  EXPECT_GT(cluster_.times_fenced(), 0U);
  EXPECT_GT(never.size(), kTasks);
  for (const std::string& id : never) EXPECT_FALSE(probes_.has_come(id)) << id;
}

}  // namespace
}  // namespace carillon::test
