// Nodes of a cluster over a real NATS server, all on one loop: who owns what, what becomes of tasks
// when a node goes, and what all agree on.

#include "cluster/node.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "delivery/http/settings.h"
#include "engine/planner.h"
#include "tests/delivery/http_target.h"
#include "tests/storage/jetstream/nats_servers.h"
#include "tests/support/loop_test.h"
#include "tests/support/temp_dir.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

constexpr ShardNumber kShards = 4;

/// Takes every push, at once, and remembers it.
class RecordingSink final : public Sink {
 public:
  explicit RecordingSink(asio::io_context& loop) : loop_(loop) {}
  void push(Push push, std::function<void(PushResult)> done) override {
    pushed.emplace_back(push.content.id);
    if (holds) return held.push_back(std::move(done));
    asio::post(loop_, [done = std::move(done), its = answer] { done(its); });
  }
  void reload_files() override {}
  void stop() override {}
  [[nodiscard]] DeliveryStats stats() const override { return {}; }
  [[nodiscard]] std::size_t times(const std::string& id) const {
    return static_cast<std::size_t>(std::ranges::count(pushed, id));
  }

  std::vector<std::string> pushed;
  PushResult answer{PushResult::Kind::delivered};
  bool holds = false;
  std::vector<std::function<void(PushResult)>> held;

 private:
  asio::io_context& loop_;
};

class ClusterNodeTest : public test::LoopTest {
 protected:
  static void SetUpTestSuite() { servers_ = std::make_unique<test::NatsServers>(1); }
  static void TearDownTestSuite() { servers_.reset(); }

  ClusterNodeTest() {
    std::ofstream(dir_ / "secret") << "0123456789abcdef\n";
    std::filesystem::permissions(dir_ / "secret", std::filesystem::perms::owner_read);
  }
  ~ClusterNodeTest() override {
    while (!nodes_.empty()) lose(nodes_.begin()->first);
  }

  struct Member {
    explicit Member(asio::io_context& loop) : sink(loop) {}
    RecordingSink sink;
    UrlPolicy urls;
    std::unique_ptr<ClusterNode> node;
    std::string refused;
  };

  Result<> join(const std::string& name, const std::string& data = {}) {
    auto member = std::make_unique<Member>(loop);
    ClusterNode::Parts parts{
        .loop = loop,
        .clock = clock_,
        .sink = member->sink,
        .urls = member->urls,
        .options = {},
        .data_dir = dir_ / (data.empty() ? name : data),
        .version = "0.1.0",
        .engine = engine_,
        .content_bytes_max = 512 << 10,
        .disk_free_min = 0,
        .on_failure = [](const std::string& why) { ADD_FAILURE() << why; },
        .on_refused = [its = member.get()](const std::string& why) { its->refused = why; }};
    parts.options.name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    parts.options.nats = servers_->urls();
    parts.options.node = name;
    parts.options.advertise = "http://" + name + ".invalid:1";
    parts.options.shards = kShards;
    parts.options.secret_file = dir_ / "secret";
    parts.options.stream_replicas = 1;
    parts.options.stream_bytes_max = 16 << 20;
    auto node = ClusterNode::open(std::move(parts));
    if (!node) return node.error();
    member->node = *std::move(node);
    member->node->start();
    nodes_[name] = std::move(member);
    return {};
  }
  static std::string why(const Result<>& done) { return done ? "" : done.error().detail; }
  /// As a crash does: nothing is said, nothing is given up.
  void lose(const std::string& name) {
    auto member = nodes_.extract(name);
    member.mapped()->node->close();
    member.mapped()->node.reset();
    gone_.push_back(std::move(member.mapped()));
    loop.poll();
  }
  ClusterNode& node(const std::string& name) { return *nodes_.at(name)->node; }
  RecordingSink& sink(const std::string& name) { return nodes_.at(name)->sink; }

  template <typename Done>
  [[nodiscard]] bool run_until(const Done& done, Millis patience = std::chrono::seconds(30)) {
    return runs_until(done, patience);
  }

  [[nodiscard]] std::string owner_of(ShardNumber shard) const {
    std::string owner;
    for (const auto& [name, member] : nodes_) {
      if (member->node->local(shard) == nullptr) continue;
      EXPECT_EQ(owner, "") << "owned twice: " << shard;
      owner = name;
    }
    return owner;
  }
  [[nodiscard]] bool all_owned() const {
    for (ShardNumber shard = 0; shard < kShards; ++shard) {
      if (owner_of(shard).empty()) return false;
    }
    return true;
  }
  [[nodiscard]] std::size_t owned_by(const std::string& name) const {
    std::size_t shards = 0;
    for (ShardNumber shard = 0; shard < kShards; ++shard) shards += owner_of(shard) == name;
    return shards;
  }
  /// Whether each shard is followed by a second node.
  [[nodiscard]] bool all_followed() {
    for (const auto& shard : run(nodes_.begin()->second->node->view()).shards) {
      if (shard.followers.empty() || shard.followers[0].behind > 0) return false;
    }
    return true;
  }

  Answer<AddAnswer> add(const std::string& id, Millis delay) {
    const Keys keys(nodes_.begin()->second->node->genesis().key);
    const ShardNumber shard = shard_of(keys, id, kShards);
    const std::string owner = owner_of(shard);
    if (owner.empty()) return Refusal(Error{"moved", "nobody owns it", ""});
    const auto service = node(owner).local(shard);
    AddRequest request;
    request.content.id = id;
    request.content.target = "shop";
    request.delay = delay;
    auto planned = service->plan(std::move(request));
    EXPECT_TRUE(planned) << planned.error().detail;
    return run(service->add(std::move(planned->task)));
  }
  Answer<PutAnswer<TargetView>> put_target(const std::string& at, std::uint32_t concurrency = 64) {
    return run(node(at).change_target("shop", [concurrency](const TargetSettings*) {
      TargetSettings settings;
      settings.concurrency = concurrency;
      http_of(settings).url = "http://127.0.0.1:9/";
      return Result<TargetSettings>(settings);
    }));
  }

  static inline std::unique_ptr<test::NatsServers> servers_;
  EngineOptions engine_;  // of the next that joins
  test::TempDir dir_;
  SystemClock clock_;
  std::map<std::string, std::unique_ptr<Member>> nodes_;
  std::vector<std::unique_ptr<Member>> gone_;
};

TEST_F(ClusterNodeTest, ANodeAloneOwnsAllShardsAndAnotherThatComesGetsItsPart) {
  ASSERT_EQ(why(join("a")), "");
  ASSERT_TRUE(run_until([&] { return all_owned(); }));
  EXPECT_EQ(node("a").not_ready_because(), "");
  ASSERT_EQ(why(join("b")), "");
  ASSERT_EQ(why(join("c")), "");
  ASSERT_TRUE(run_until([&] { return all_owned() && owned_by("a") < kShards && all_followed(); }));
  const auto owned = [&] {
    std::uint32_t sum = 0;
    for (const auto& its : run(node("b").view()).nodes) sum += its.owns;
    return sum;
  };
  EXPECT_TRUE(run_until([&] { return owned() == kShards; }));
  const ClusterView view = run(node("b").view());
  ASSERT_EQ(view.nodes.size(), 3U);
  EXPECT_EQ(view.node, "b");
}

TEST_F(ClusterNodeTest, SettingsThatDifferBetweenNodesAreShown) {
  ASSERT_EQ(why(join("a")), "");
  engine_.horizon = std::chrono::hours(24);
  ASSERT_EQ(why(join("b")), "");
  const auto differ = [&](const std::string& asked, std::size_t of) {
    const ClusterView view = run(node(asked).view());
    return view.nodes.size() == 2 ? view.nodes[of].settings_differ : std::vector<std::string>();
  };
  const std::vector<std::string> horizon{"horizon"};
  EXPECT_TRUE(run_until([&] { return differ("a", 1) == horizon && differ("b", 0) == horizon; }));
  EXPECT_TRUE(differ("a", 0).empty());
}

TEST_F(ClusterNodeTest, TheTasksOfANodeThatIsLostAreFiredByAnother) {
  ASSERT_EQ(why(join("a")), "");
  ASSERT_EQ(why(join("b")), "");
  ASSERT_TRUE(run_until([&] { return all_owned() && all_followed(); }));
  ASSERT_TRUE(put_target("a"));
  std::vector<std::string> ids;
  for (int i = 0; i < 40; ++i) {
    ids.push_back("task-" + std::to_string(i));
    const auto added = add(ids.back(), std::chrono::seconds(2));
    ASSERT_TRUE(added) << added.error().detail;
  }
  const std::string lost = owned_by("a") > 0 ? "a" : "b";
  const std::string other = lost == "a" ? "b" : "a";
  const auto began = clock_.mono();
  lose(lost);
  ASSERT_TRUE(run_until([&] { return owned_by(other) == kShards; }));
  EXPECT_LT(clock_.mono() - began, std::chrono::milliseconds(4500));
  ASSERT_TRUE(run_until([&] { return sink(other).pushed.size() >= ids.size(); }));
  for (const std::string& id : ids) EXPECT_EQ(sink(other).times(id), 1U) << id;
}

TEST_F(ClusterNodeTest, WhatWasFiringWhenANodeWasLostIsPushedAgain) {
  ASSERT_EQ(why(join("a")), "");
  ASSERT_EQ(why(join("b")), "");
  ASSERT_TRUE(run_until([&] { return all_owned() && all_followed(); }));
  ASSERT_TRUE(put_target("a"));
  sink("a").holds = true;
  sink("b").holds = true;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(add("task-" + std::to_string(i), Millis(10)));
  const auto pushes = [&] { return sink("a").pushed.size() + sink("b").pushed.size(); };
  ASSERT_TRUE(run_until([&] { return pushes() == 20; }));
  const std::string lost = sink("a").pushed.empty() ? "b" : "a";
  const std::string other = lost == "a" ? "b" : "a";
  const std::vector<std::string> firing = sink(lost).pushed;
  const auto began = clock_.mono();
  sink(other).holds = false;
  lose(lost);
  const auto all_again = [&] {
    return std::ranges::all_of(firing,
                               [&](const std::string& id) { return sink(other).times(id) > 0; });
  };
  ASSERT_TRUE(run_until(all_again));
  EXPECT_LT(clock_.mono() - began, std::chrono::seconds(8));
}

TEST_F(ClusterNodeTest, ANodeThatLeavesGivesItsShardsAwayAndNothingIsPushedTwice) {
  ASSERT_EQ(why(join("a")), "");
  ASSERT_EQ(why(join("b")), "");
  ASSERT_TRUE(run_until([&] { return all_owned() && all_followed(); }));
  ASSERT_TRUE(put_target("b"));
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(add("task-" + std::to_string(i), Millis(1000 + 50 * i)));
  }
  ASSERT_TRUE(run(node("b").drain_node("a")));
  ASSERT_TRUE(run_until([&] { return owned_by("b") == kShards; }, std::chrono::seconds(5)));
  ASSERT_TRUE(run_until([&] { return sink("a").pushed.size() + sink("b").pushed.size() >= 40; }));
  for (int i = 0; i < 40; ++i) {
    const std::string id = "task-" + std::to_string(i);
    EXPECT_EQ(sink("a").times(id) + sink("b").times(id), 1U) << id;
  }
}

TEST_F(ClusterNodeTest, ATargetThatIsPutAtOneNodeIsInAllShardsWithItsPartOfTheLimit) {
  ASSERT_EQ(why(join("a")), "");
  ASSERT_EQ(why(join("b")), "");
  ASSERT_TRUE(run_until([&] { return all_owned() && all_followed(); }));
  const auto put = put_target("a", 6);
  ASSERT_TRUE(put) << put.error().detail;
  EXPECT_TRUE(put->made);
  EXPECT_EQ(put->view.settings.concurrency, 6U);
  std::uint32_t sum = 0;
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    const auto target = run(node(owner_of(shard)).local(shard)->target("shop"));
    ASSERT_TRUE(target) << shard;
    sum += target->settings.concurrency;
  }
  EXPECT_EQ(sum, 6U);
  ASSERT_TRUE(run(node("b").pause_target("shop", true)));
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    EXPECT_TRUE(run(node(owner_of(shard)).local(shard)->target("shop"))->settings.paused) << shard;
  }
}

TEST_F(ClusterNodeTest, AHoldIsToldToAllShardsOnceAndEachEndsIt) {
  ASSERT_EQ(why(join("a")), "");
  ASSERT_EQ(why(join("b")), "");
  ASSERT_TRUE(run_until([&] { return all_owned() && all_followed(); }));
  ASSERT_TRUE(put_target("a"));
  sink("a").answer.not_now = NotNow::too_many_requests;
  sink("a").answer.retry_after = std::chrono::minutes(2);
  sink("a").answer.kind = PushResult::Kind::failed;
  const auto pushed = [&] { return !sink("a").pushed.empty(); };
  for (int i = 0; !run_until(pushed, Millis(100)); ++i) {
    ASSERT_TRUE(add("task-" + std::to_string(i), Millis(0)));
  }
  const auto held = [this](ShardNumber shard) {
    return run(node(owner_of(shard)).local(shard)->target("shop"))->held;
  };
  const auto all_held = [&] {
    for (ShardNumber shard = 0; shard < kShards; ++shard) {
      if (!held(shard)) return false;
    }
    return true;
  };
  EXPECT_TRUE(run_until(all_held, std::chrono::seconds(1)));
  EXPECT_EQ(held(0)->reason, HoldReason::too_many_requests);
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    ASSERT_TRUE(run(node(owner_of(shard)).local(shard)->pause_target("shop", false)));
  }
  EXPECT_FALSE(
      run_until([&] { return held(0) || held(1) || held(2) || held(3); }, std::chrono::seconds(2)))
      << "what was said before begins no hold anew";
}

TEST_F(ClusterNodeTest, ATargetThatATaskNamesIsNotDeletedButByForce) {
  ASSERT_EQ(why(join("a")), "");
  ASSERT_EQ(why(join("b")), "");
  ASSERT_TRUE(run_until([&] { return all_owned() && all_followed(); }));
  ASSERT_TRUE(put_target("a"));
  ASSERT_TRUE(add("one", std::chrono::hours(1)));
  const auto refused = run(node("b").delete_target("shop", false));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().slug, "target_in_use");
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    EXPECT_TRUE(run_until(
        [&] { return run(node(owner_of(shard)).local(shard)->target("shop")).has_value(); }));
  }
  ASSERT_TRUE(run(node("b").delete_target("shop", true)));
  const auto gone = run(node("a").delete_target("shop", false));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().slug, "not_found");
}

TEST_F(ClusterNodeTest, LanesAreTheSameEverywhere) {
  ASSERT_EQ(why(join("a")), "");
  ASSERT_EQ(why(join("b")), "");
  ASSERT_TRUE(run_until([&] { return all_owned() && all_followed(); }));
  LaneSettings settings;
  settings.weight = 8;
  settings.reserved = 300;
  const auto put = run(node("a").put_lane("critical", settings));
  ASSERT_TRUE(put) << put.error().detail;
  EXPECT_TRUE(put->made);
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    const auto lanes = run(node(owner_of(shard)).local(shard)->lanes());
    const auto found = std::ranges::find(lanes, "critical", &LaneView::name);
    ASSERT_NE(found, lanes.end()) << shard;
    EXPECT_EQ(found->settings, settings);
  }
  settings.reserved = 900;
  EXPECT_EQ(run(node("b").put_lane("other", settings)).error().slug, "too_much_reserved");
  ASSERT_TRUE(run(node("b").delete_lane("critical")));
  EXPECT_EQ(run(node("b").delete_lane("critical")).error().slug, "not_found");
}

TEST_F(ClusterNodeTest, ASecondNodeOfTheSameNameIsRefused) {
  ASSERT_EQ(why(join("a")), "");
  ASSERT_TRUE(run_until([&] { return all_owned(); }));
  auto first = nodes_.extract("a");
  ASSERT_EQ(why(join("a", "a2")), "");
  EXPECT_TRUE(run_until([&] { return !nodes_.at("a")->refused.empty(); }));
  EXPECT_NE(nodes_.at("a")->refused.find("give this one another cluster.node"), std::string::npos);
  lose("a");
  nodes_.insert(std::move(first));
}

TEST_F(ClusterNodeTest, ARestartedNodeGoesOnFromItsDisk) {
  ASSERT_EQ(why(join("a")), "");
  ASSERT_TRUE(run_until([&] { return all_owned(); }));
  ASSERT_TRUE(put_target("a"));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(add("task-" + std::to_string(i), Millis(500)));
  lose("a");
  ASSERT_EQ(why(join("a")), "");
  ASSERT_TRUE(run_until([&] { return sink("a").pushed.size() >= 10; }));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sink("a").times("task-" + std::to_string(i)), 1U);
}

}  // namespace
}  // namespace carillon
