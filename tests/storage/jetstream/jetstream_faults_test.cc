// A stream with three replicas loses one of its servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/jetstream/stream_test.h"

namespace carillon {
namespace {

using ::testing::SizeIs;

using JetstreamFaults = ThreeServers;

TEST_F(JetstreamFaults, an_append_outlives_the_streams_leader_and_so_does_a_follower) {
  Node owner(options("a"));
  ASSERT_TRUE(owner.log) << owner.error;
  ASSERT_TRUE(owner.own()) << owner.error;
  Node follower(options("b"));
  EXPECT_THAT(follower.read(), SizeIs(1));  // the time of the take-over
  ASSERT_EQ(owner.append_puts(), Appended::committed);
  const auto first = follower.wait(follower.follow(1));
  ASSERT_TRUE(first && *first);
  ASSERT_TRUE(has_leader());
  const int leader = servers_->leader_of(stream_);
  servers_->kill(leader);
  EXPECT_EQ(owner.append_puts(), Appended::committed);
  const auto second = follower.wait(follower.follow(2));
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->front().first, 2U);
  servers_->start(leader);
  EXPECT_EQ(owner.append_puts(), Appended::committed);
}

TEST_F(JetstreamFaults, a_server_that_lost_all_it_had_gets_it_back_from_the_others) {
  Node owner(options("a"));
  ASSERT_TRUE(owner.own()) << owner.error;
  for (int i = 0; i < 5; ++i) ASSERT_EQ(owner.append_puts(), Appended::committed);
  ASSERT_TRUE(test::eventually([] { return servers_->all_have(stream_); }));
  const int leader = servers_->leader_of(stream_);
  servers_->kill(leader);
  servers_->wipe(leader);
  servers_->start(leader);
  EXPECT_EQ(owner.append_puts(), Appended::committed);
  Node other(options("b"));
  ASSERT_TRUE(other.log) << other.error;
  EXPECT_THAT(other.read(), SizeIs(6)) << other.error;
  EXPECT_TRUE(other.own()) << other.error;
}

}  // namespace
}  // namespace carillon
