#include "cluster/control.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "cluster/seed.h"
#include "tests/storage/jetstream/nats_servers.h"

namespace carillon {
namespace {

using std::chrono::milliseconds;

const ClusterSecret kSecret("0123456789abcdef");

class ControlTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { servers_ = std::make_unique<test::NatsServers>(1); }
  static void TearDownTestSuite() { servers_.reset(); }

  static std::unique_ptr<JetstreamClient> connect() {
    auto made = JetstreamClient::connect({.servers = servers_->urls()});
    EXPECT_TRUE(made) << made.error().detail;
    return std::move(*made);
  }
  [[nodiscard]] static ClusterWish wish(ShardNumber shards = 3) {
    ClusterWish wish;
    wish.name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    wish.shards = shards;
    wish.streams = servers_->settings();
    return wish;
  }
  /// A node's control, with all that it needs.
  struct Node {
    explicit Node(const ClusterWish& its_wish)
        : nats(connect()), genesis(open_cluster(*nats, its_wish, kSecret, milliseconds(5000))) {
      if (!genesis) return;
      control = std::make_unique<Control>(
          Control::Parts{*nats, control_stream(its_wish.name), *genesis, kSecret});
    }
    std::unique_ptr<JetstreamClient> nats;
    Result<ClusterGenesis> genesis;
    std::unique_ptr<Control> control;
  };
  static Control::Decide put(const std::string& name, const std::string& url) {
    return [name, url](const ControlState&) -> Result<std::optional<control::Change>> {
      return std::optional<control::Change>(
          control::SetTarget{name, R"({"url":")" + url + R"("})"});
    };
  }

  static inline std::unique_ptr<test::NatsServers> servers_;
};

TEST_F(ControlTest, OfNodesThatMakeTheClusterAtOnceAllAreInTheSameOne) {
  std::vector<Hash128> clusters(4);
  std::vector<std::thread> threads;
  for (Hash128& cluster : clusters) {
    threads.emplace_back([&cluster] {
      const auto nats = connect();
      const auto genesis = open_cluster(*nats, wish(), kSecret, milliseconds(5000));
      ASSERT_TRUE(genesis) << genesis.error().detail;
      EXPECT_EQ(genesis->shards, 3U);
      cluster = genesis->genesis.cluster;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_NE(clusters[0], Hash128());
  for (const Hash128& cluster : clusters) EXPECT_EQ(cluster, clusters[0]);
}

TEST_F(ControlTest, WhatASeedLeftThatWasCutShortIsNotTaken) {
  const auto nats = connect();
  ClusterSeed::Parts parts{*nats, wish(), kSecret, {1, 2}, 100, WallTime(Millis(1))};
  {
    const auto seed = ClusterSeed::begin(parts);
    ASSERT_TRUE(seed) << seed.error().detail;
  }
  const auto opened = open_cluster(*nats, wish(), kSecret, milliseconds(300));
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("a seed was cut short"), std::string::npos);
  EXPECT_EQ(ClusterSeed::begin(parts).error().slug, "storage");
  // As if the seed had been cut short behind the genesis.
  ClusterGenesis genesis{{{5, 6}, {1, 2}}, 3, 1};
  ASSERT_TRUE(nats->create(control_stream(wish().name), wish().streams));
  StreamAppender appender(*nats, control_stream(wish().name));
  const ControlMessage message{
      .cluster = {5, 6}, .nonce = {7, 8}, .previous = {}, .change = genesis};
  const std::string first = encode_control(message, kSecret);
  ASSERT_EQ(appender.append(1, first), Appended::committed);
  const Node node(wish());
  ASSERT_TRUE(node.genesis);
  EXPECT_EQ(node.genesis->settings, 1U);
  const auto read = node.control->read_to_end();
  ASSERT_TRUE(read);
  EXPECT_FALSE(node.control->is_whole(**read));
  EXPECT_EQ(node.control->change(put("shop", "http://x/")).error().slug, "log_away");
}

TEST_F(ControlTest, AClusterThatIsSeededHasItsSettingsFromTheBeginning) {
  const auto nats = connect();
  auto seed = ClusterSeed::begin({*nats, wish(), kSecret, {1, 2}, 100, WallTime(Millis(1))});
  ASSERT_TRUE(seed);
  const auto genesis = (*seed)->finish(
      {control::SetTarget{"shop", R"({"url":"http://x/"})"}, control::SetLane{"bulk", {3, 200}}});
  ASSERT_TRUE(genesis) << genesis.error().detail;
  const Node node(wish());
  ASSERT_TRUE(node.genesis);
  EXPECT_EQ(node.genesis->genesis.cluster, genesis->genesis.cluster);
  EXPECT_EQ(node.genesis->genesis.key, (SipKey{1, 2}));
  const auto read = node.control->read_to_end();
  ASSERT_TRUE(read);
  EXPECT_TRUE(node.control->is_whole(**read));
  EXPECT_TRUE((*read)->targets.contains("shop"));
  EXPECT_EQ((*read)->lanes.at("bulk").settings.reserved, 200U);
  EXPECT_EQ(ClusterSeed::begin({*nats, wish(), kSecret, {1, 2}, 100, {}}).error().slug, "config");
}

TEST_F(ControlTest, AClusterThatIsNotTheNodesOwnIsRefused) {
  const auto nats = connect();
  const auto genesis = open_cluster(*nats, wish(), kSecret, milliseconds(5000));
  ASSERT_TRUE(genesis);
  const auto refused = [&](const ClusterWish& its, const ClusterSecret& secret = kSecret) {
    const auto opened = open_cluster(*nats, its, secret, milliseconds(300));
    return opened ? "" : opened.error().detail;
  };
  EXPECT_NE(refused(wish(4)).find("was made with 3"), std::string::npos);
  ClusterWish other = wish();
  other.known = Hash128{1, 2};
  EXPECT_NE(refused(other).find("data_dir belongs to the cluster"), std::string::npos);
  EXPECT_NE(refused(wish(), ClusterSecret("another secret!!")).find("another secret"),
            std::string::npos);
  ClusterWish gone = wish();
  gone.known = genesis->genesis.cluster;
  EXPECT_EQ(refused(gone), "");
  servers_->delete_stream(control_stream(gone.name));
  EXPECT_NE(refused(gone).find("has no cluster"), std::string::npos);
}

TEST_F(ControlTest, AClusterIsNotMadeOverStreamsThatHaveMessages) {
  const auto nats = connect();
  ASSERT_TRUE(nats->create(shard_stream(wish().name, 1), servers_->settings()));
  ASSERT_TRUE(nats->append(shard_stream(wish().name, 1), 0, "a message"));
  const auto opened = open_cluster(*nats, wish(), kSecret, milliseconds(300));
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("seed was cut short"), std::string::npos);
}

TEST_F(ControlTest, WhatOneNodeChangesAllSee) {
  Node a(wish());
  Node b(wish());
  const auto changed = a.control->change(put("mail", "http://one/"));
  ASSERT_TRUE(changed) << changed.error().detail;
  EXPECT_EQ((*changed)->place, 2U);
  const auto seen = b.control->read_to_end();
  ASSERT_TRUE(seen) << seen.error().detail;
  ASSERT_EQ((*seen)->targets.count("mail"), 1U);
  EXPECT_EQ((*seen)->targets.at("mail").settings->name, "mail");
  // The settings are in the stream, but not for everyone to read.
  const auto message = a.nats->message_at(control_stream(wish().name), 2);
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->find("http://one/"), std::string::npos);
}

TEST_F(ControlTest, OfChangesMadeAtOnceNoneIsLost) {
  constexpr int kEach = 25;
  std::vector<std::unique_ptr<Node>> nodes;
  for (int i = 0; i < 3; ++i) nodes.push_back(std::make_unique<Node>(wish()));
  std::vector<std::thread> threads;
  for (const auto& node : nodes) {
    threads.emplace_back([&node] {
      for (int i = 0; i < kEach; ++i) {
        const auto added = node->control->change([](const ControlState& state) {
          const auto found = state.lanes.find("count");
          LaneSettings lane;
          lane.weight = found == state.lanes.end() ? 1 : found->second.settings.weight + 1;
          return Result<std::optional<control::Change>>(control::SetLane{"count", lane});
        });
        ASSERT_TRUE(added) << added.error().detail;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto state = nodes[0]->control->read_to_end();
  ASSERT_TRUE(state);
  EXPECT_EQ((*state)->lanes.at("count").settings.weight, 3U * kEach);
}

TEST_F(ControlTest, ATargetIsLetGoThenKeptOrDeleted) {
  Node a(wish());
  ASSERT_TRUE(a.control->change(put("mail", "http://one/")));
  const auto make = [&](const control::Change& change) {
    const auto state = a.control->change(
        [&](const ControlState&) { return Result<std::optional<control::Change>>(change); });
    EXPECT_TRUE(state) << state.error().detail;
    return *state;
  };
  EXPECT_TRUE(make(control::LetTargetGo{"mail"})->targets.at("mail").let_go);
  EXPECT_FALSE(make(control::KeepTarget{"mail"})->targets.at("mail").let_go);
  EXPECT_TRUE(make(control::LetTargetGo{"mail"})->targets.at("mail").let_go);
  EXPECT_TRUE(make(control::DeleteTarget{"mail"})->targets.empty());
}

TEST_F(ControlTest, ADecisionThatRefusesOrWantsNothingWritesNothing) {
  Node a(wish());
  const auto refused = a.control->change([](const ControlState&) {
    return Result<std::optional<control::Change>>(Error{"not_found", "There is none.", ""});
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().slug, "not_found");
  const auto same = a.control->change([](const ControlState&) {
    return Result<std::optional<control::Change>>(std::optional<control::Change>());
  });
  ASSERT_TRUE(same);
  EXPECT_EQ((*same)->place, 1U);
}

TEST_F(ControlTest, AForeignMessageIsNotFollowedAndNoChangeIsMadeBehindIt) {
  Node a(wish());
  ASSERT_TRUE(a.control->change(put("mail", "http://one/")));
  ASSERT_TRUE(a.nats->append(control_stream(wish().name), 2, "not one of ours"));
  const auto changed = a.control->change(put("mail", "http://two/"));
  ASSERT_FALSE(changed);
  EXPECT_EQ(a.control->state()->place, 2U);
}

}  // namespace
}  // namespace carillon
