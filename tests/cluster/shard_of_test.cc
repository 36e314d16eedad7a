#include "cluster/shard_of.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(ShardOf, ThePartInBracesDecidesWhereItIsNotEmpty) {
  EXPECT_EQ(shard_part("{user:42}:mail"), "user:42");
  EXPECT_EQ(shard_part("mail:{user:42}"), "user:42");
  EXPECT_EQ(shard_part("{a}{b}"), "a");
  EXPECT_EQ(shard_part("}{a}"), "a");
  EXPECT_EQ(shard_part("{a{b}c}"), "a{b");
}

TEST(ShardOf, ElseTheWholeIdDecides) {
  for (const std::string id : {"", "a", "{}", "{}a{b}", "a{", "a}", "}{", "{a"}) {
    EXPECT_EQ(shard_part(id), id);
  }
}

TEST(ShardOf, IdsWithTheSamePartAreInOneShard) {
  const Keys keys({1, 2});
  const ShardNumber shard = shard_of(keys, "{user:42}:mail", 256);
  EXPECT_EQ(shard_of(keys, "{user:42}:sms", 256), shard);
  EXPECT_EQ(shard_of(keys, "user:42", 256), shard);
}

TEST(ShardOf, NeverChangesAsEveryTaskWouldBeElsewhere) {
  const Keys keys({1, 2});
  EXPECT_EQ(shard_of(keys, "a", 16), keys.of("a").low % 16);
  EXPECT_EQ(shard_of(keys, "{user:42}:mail", 16), keys.of("user:42").low % 16);
}

TEST(ShardOf, SpreadsIdsEvenly) {
  const Keys keys({3, 4});
  constexpr int kIds = 16'000;
  std::vector<int> counted(16);
  for (int i = 0; i < kIds; ++i) ++counted[shard_of(keys, "task-" + std::to_string(i), 16)];
  const auto [fewest, most] = std::ranges::minmax(counted);
  EXPECT_GT(fewest, 850);
  EXPECT_LT(most, 1150);
}

}  // namespace
}  // namespace carillon
