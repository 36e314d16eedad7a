#include "cluster/membership.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

namespace carillon {
namespace {

using std::chrono::milliseconds;
using Duty = Membership::Duty;
using Role = ShardReport::Role;

constexpr ShardNumber kShards = 64;
const MonoTime kStart{std::chrono::hours(1)};

MonoTime at(int ms) {
  return kStart + milliseconds(ms);
}

/// One node's view of a cluster whose nodes say what the test has them say.
class View {
 public:
  explicit View(const std::string& self, std::uint32_t standbys = 1)
      : members({self, {1, 1}, kShards, standbys}, kStart) {}

  Membership::Heard hear(const std::string& node, int ms, std::vector<ShardReport> shards = {},
                         Millis ahead = Millis(0), std::uint64_t incarnation = 1,
                         bool leaving = false) {
    Heartbeat beat;
    beat.node = node;
    beat.incarnation = {incarnation, 1};
    if (node != "a" && incarnation == 1) beat.incarnation = siphash({}, node);
    beat.leaving = leaving;
    beat.shards = std::move(shards);
    return members.heard(beat, at(ms), ahead);
  }
  [[nodiscard]] ShardNumber first_owned_by(const std::string& node, int ms) const {
    for (ShardNumber shard = 0; shard < kShards; ++shard) {
      if (members.order(shard, at(ms)).front() == node) return shard;
    }
    ADD_FAILURE() << "no shard is " << node << "'s";
    return 0;
  }

  Membership members;
};

ShardReport report(ShardNumber shard, Role role, std::uint64_t epoch, StreamPlace place) {
  return {shard, role, epoch, place, {}, 0, 0};
}

TEST(Membership, ANodeIsAliveForThreeSecondsAfterItsLastHeartbeat) {
  View view("a");
  EXPECT_EQ(view.hear("a", 0), Membership::Heard::joined);
  EXPECT_EQ(view.hear("b", 0), Membership::Heard::joined);
  EXPECT_EQ(view.hear("a", 2000), Membership::Heard::known);
  EXPECT_EQ(view.members.alive(at(2999)).size(), 2U);
  EXPECT_EQ(view.members.alive(at(3000)).size(), 1U);
}

TEST(Membership, AnotherProcessOfThisNodesNameIsANamesake) {
  View view("a");
  EXPECT_EQ(view.hear("a", 0, {}, Millis(0), 2), Membership::Heard::namesake);
}

TEST(Membership, ANodeThatComesMovesLittleButItsOwnShareAndNobodyHasMuchMore) {
  View view("a");
  for (const char* const node : {"a", "b", "c"}) view.hear(node, 0);
  std::vector<std::string> before;
  std::map<std::string, int> owns;
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    before.push_back(view.members.order(shard, at(0)).front());
    ++owns[before.back()];
  }
  for (const auto& [node, shards] : owns) {
    EXPECT_LE(shards, 22) << node;  // a third of 64
    EXPECT_GE(shards, 20) << node;
  }
  view.hear("d", 0);
  int moved_to_d = 0;
  int moved_elsewhere = 0;
  for (ShardNumber shard = 0; shard < kShards; ++shard) {
    const std::string& after = view.members.order(shard, at(0)).front();
    if (after != before[shard]) ++(after == "d" ? moved_to_d : moved_elsewhere);
  }
  EXPECT_GE(moved_to_d, 8);
  EXPECT_LE(moved_to_d, 20);
  EXPECT_LE(moved_elsewhere, 8);
}

TEST(Membership, AtTheStartTheFirstTakesOverAfterItHasListenedAndTheNextLater) {
  View view("a");
  view.hear("a", 2900);
  view.hear("b", 2900);
  const ShardNumber mine = view.first_owned_by("a", 2900);
  const ShardNumber theirs = view.first_owned_by("b", 2900);
  EXPECT_EQ(view.members.duty(mine, std::nullopt, at(2900)), Duty::follow);
  const auto following = [](ShardNumber shard) { return report(shard, Role::follows, 0, 0); };
  EXPECT_EQ(view.members.duty(mine, following(mine), at(2999)), Duty::follow);
  EXPECT_EQ(view.members.duty(mine, following(mine), at(3000)), Duty::take_over);
  EXPECT_EQ(view.members.duty(theirs, following(theirs), at(3499)), Duty::follow);
  EXPECT_EQ(view.members.duty(theirs, following(theirs), at(3500)), Duty::take_over);
}

TEST(Membership, AnOwnerThatIsHeardOrSeenToAppendIsNotOverthrown) {
  View view("a");
  view.hear("a", 0);
  view.hear("b", 0);
  const ShardNumber shard = view.first_owned_by("a", 0);
  view.hear("b", 4000, {report(shard, Role::owns, 3, 10)});
  view.hear("a", 6900);
  const auto mine = report(shard, Role::follows, 3, 10);
  EXPECT_EQ(view.members.duty(shard, mine, at(6999)), Duty::follow);
  view.members.owner_appended(shard, 3, at(6000));
  EXPECT_EQ(view.members.duty(shard, mine, at(7000)), Duty::follow);
  view.hear("a", 9000);
  EXPECT_EQ(view.members.duty(shard, mine, at(9000)), Duty::take_over);
}

TEST(Membership, AShardThatWasGivenUpIsTakenAtOnceByTheFirst) {
  View view("a");
  view.hear("a", 0);
  view.hear("b", 0);
  const ShardNumber shard = view.first_owned_by("a", 0);
  view.hear("b", 100, {report(shard, Role::owns, 3, 10)});
  const auto mine = report(shard, Role::follows, 3, 10);
  EXPECT_EQ(view.members.duty(shard, mine, at(150)), Duty::follow);
  view.hear("b", 200, {report(shard, Role::follows, 3, 10)});
  EXPECT_EQ(view.members.owner(shard), nullptr);
  EXPECT_EQ(view.members.duty(shard, mine, at(200)), Duty::take_over);
}

TEST(Membership, WhoHasJustComeTakesWhatWasGivenUpForIt) {
  View view("a");
  view.hear("a", 0);
  auto given_up = report(0, Role::follows, 3, 10);
  given_up.given_up = 3;
  view.hear("b", 100, {given_up});
  const ShardNumber shard = 0;
  const auto names = view.members.order(shard, at(100));
  const int turn = names.front() == "a" ? 0 : 500;
  const auto mine = report(shard, Role::follows, 3, 10);
  EXPECT_EQ(view.members.duty(shard, mine, at(99 + turn)), Duty::follow);
  EXPECT_EQ(view.members.duty(shard, mine, at(100 + turn)), Duty::take_over);
  // And it is not given up a second time once somebody has it.
  view.hear("c", 700, {report(shard, Role::owns, 4, 11)});
  view.hear("b", 800, {given_up});
  ASSERT_NE(view.members.owner(shard), nullptr);
  EXPECT_EQ(view.members.owner(shard)->node, "c");
}

TEST(Membership, ARestartedNodeOwnsNothingOfWhatItOwned) {
  View view("a");
  view.hear("a", 0);
  view.hear("b", 0, {report(3, Role::owns, 3, 10)});
  ASSERT_NE(view.members.owner(3), nullptr);
  EXPECT_EQ(view.hear("b", 500, {}, Millis(0), 7), Membership::Heard::restarted);
  EXPECT_EQ(view.members.owner(3), nullptr);
}

TEST(Membership, AClaimOfAnOlderEpochCountsForNothing) {
  View view("a");
  view.hear("b", 0, {report(3, Role::owns, 5, 10)});
  view.hear("c", 10, {report(3, Role::owns, 4, 12)});
  ASSERT_NE(view.members.owner(3), nullptr);
  EXPECT_EQ(view.members.owner(3)->node, "b");
}

TEST(Membership, NobodyTakesOverBelowWhatWasReported) {
  View view("a");
  view.hear("a", 3000);
  view.hear("b", 3000, {report(0, Role::follows, 3, 11)});
  const ShardNumber shard = 0;
  EXPECT_EQ(view.members.duty(shard, report(shard, Role::follows, 3, 10), at(4000)), Duty::follow);
  EXPECT_EQ(view.members.duty(shard, report(shard, Role::follows, 3, 11), at(4000)),
            Duty::take_over);
}

TEST(Membership, AnOwnerThatIsNotFirstGivesUpOnceTheFirstHasCaughtUp) {
  View view("a");
  view.hear("a", 0);
  view.hear("b", 0);
  const ShardNumber shard = view.first_owned_by("b", 0);
  const auto mine = report(shard, Role::owns, 3, 1000);
  EXPECT_EQ(view.members.duty(shard, mine, at(0)), Duty::own);
  view.hear("b", 500, {report(shard, Role::follows, 3, 900)});
  EXPECT_EQ(view.members.duty(shard, mine, at(500)), Duty::own);
  view.hear("b", 1000, {report(shard, Role::follows, 3, 999)});
  EXPECT_EQ(view.members.duty(shard, mine, at(1000)), Duty::give_up);
}

TEST(Membership, WhoLeavesGivesUpAndTakesNothing) {
  View view("a");
  view.hear("a", 3000, {}, Millis(0), 1, true);
  view.hear("b", 3000, {report(0, Role::follows, 3, 1000)});
  EXPECT_EQ(view.members.duty(0, report(0, Role::owns, 3, 1000), at(3000)), Duty::give_up);
  EXPECT_EQ(view.members.duty(0, std::nullopt, at(3000)), Duty::none);
}

TEST(Membership, OfThreeTheOneWithTheWrongClockGivesUpAndOfTwoNobody) {
  View view("a");
  view.hear("a", 0);
  view.hear("b", 0, {report(0, Role::follows, 3, 9)}, Millis(2000));
  const auto mine = report(0, Role::owns, 3, 9);
  EXPECT_FALSE(view.members.clock_is_off(*view.members.node("b"), at(0)));
  view.hear("c", 0, {report(0, Role::follows, 3, 9)}, Millis(2100));
  EXPECT_TRUE(view.members.clock_is_off(*view.members.node("a"), at(0)));
  EXPECT_FALSE(view.members.clock_is_off(*view.members.node("b"), at(0)));
  EXPECT_EQ(view.members.duty(0, mine, at(0)), Duty::give_up);
  EXPECT_EQ(view.members.duty(1, std::nullopt, at(5000)), Duty::none);
}

TEST(Membership, StandbysFollowAndNobodyElse) {
  for (const std::uint32_t standbys : {0U, 1U, 2U}) {
    View view("a", standbys);
    for (const char* const node : {"a", "b", "c", "d"}) view.hear(node, 0);
    for (ShardNumber shard = 0; shard < kShards; ++shard) {
      const auto names = view.members.order(shard, at(0));
      const auto rank = static_cast<std::size_t>(std::ranges::find(names, "a") - names.begin());
      EXPECT_EQ(view.members.duty(shard, std::nullopt, at(0)),
                rank <= standbys ? Duty::follow : Duty::none);
    }
  }
}

TEST(HeartbeatCodec, TakesWhatItMakesAndNothingElse) {
  const ClusterSecret secret("0123456789abcdef");
  const Hash128 cluster{5, 6};
  Heartbeat beat{"node-1", {7, 8},     "http://10.0.0.7:8080", "0.1.0", WallTime(Millis(99)),
                 true,     {"node-2"}, {{"horizon", "30d"}},   {},      {}};
  beat.holds = {{"shop", HoldReason::failing, WallTime(Millis(1234))}};
  beat.shards = {{3, Role::owns, 4, 5, {6, 7}, 0, 8}, {9, Role::follows, 1, 0, {}, 1, 0}};
  const std::string bytes = encode_heartbeat(beat, cluster, secret);
  const auto read = decode_heartbeat(bytes, cluster, secret);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(*read, beat);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string altered = bytes;
    altered[i] = static_cast<char>(altered[i] ^ 0x10);
    EXPECT_FALSE(decode_heartbeat(altered, cluster, secret)) << i;
    EXPECT_FALSE(decode_heartbeat(bytes.substr(0, i), cluster, secret)) << i;
  }
  const auto another = decode_heartbeat(bytes, {1, 1}, secret);
  ASSERT_FALSE(another);
  EXPECT_NE(another.error().detail.find("another cluster"), std::string::npos);
  const auto wrong = decode_heartbeat(bytes, cluster, ClusterSecret("0123456789abcdeg"));
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().detail.find("another secret"), std::string::npos);
}

TEST(ClusterSecretTest, DecryptsWhatItEncryptedAndNothingElse) {
  const ClusterSecret secret("0123456789abcdef");
  const std::string hidden = secret.encrypt("whsec_abc");
  EXPECT_EQ(hidden.find("whsec"), std::string::npos);
  EXPECT_NE(hidden, secret.encrypt("whsec_abc"));
  EXPECT_EQ(secret.decrypt(hidden), "whsec_abc");
  EXPECT_EQ(ClusterSecret("0123456789abcdeg").decrypt(hidden), std::nullopt);
  std::string altered = hidden;
  altered.back() = static_cast<char>(altered.back() ^ 1);
  EXPECT_EQ(secret.decrypt(altered), std::nullopt);
  EXPECT_EQ(secret.decrypt("short"), std::nullopt);
  EXPECT_TRUE(secret.is_signed("a", "text", secret.sign("a", "text")));
  EXPECT_FALSE(secret.is_signed("b", "text", secret.sign("a", "text")));
}

}  // namespace
}  // namespace carillon
