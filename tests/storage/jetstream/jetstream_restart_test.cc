// A stream with three replicas loses all of its servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/jetstream/stream_test.h"

namespace carillon {
namespace {

using ::testing::SizeIs;

using JetstreamRestart = ThreeServers;

TEST_F(JetstreamRestart, what_was_committed_outlives_the_death_of_all_servers) {
  Node owner(options("a"));
  ASSERT_TRUE(owner.own()) << owner.error;
  for (int i = 0; i < 20; ++i) ASSERT_EQ(owner.append_puts(), Appended::committed);
  for (int i = 0; i < servers_->count(); ++i) servers_->kill(i);
  const auto coming = owner.begin_append(put_batch(owner.next, 1));
  for (int i = 0; i < servers_->count(); ++i) servers_->start(i);
  EXPECT_EQ(owner.wait(coming), Appended::committed);
  Node other(options("b"));
  ASSERT_TRUE(other.log) << other.error;
  EXPECT_THAT(other.read(), SizeIs(21)) << other.error;
}

}  // namespace
}  // namespace carillon
