// Redis' protocol: what replies are taken apart into, and which are refused.

#include "delivery/redis/protocol.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(RedisProtocol, WordsThatMeanNotNow) {
  for (const char* error : {"OOM command not allowed when used memory > 'maxmemory'.",
                            "READONLY You can't write against a read only replica.",
                            "LOADING Redis is loading the dataset in memory", "BUSY x"}) {
    EXPECT_TRUE(is_redis_not_now(error)) << error;
  }
  for (const char* error : {"ERR unknown command", "WRONGTYPE x", "OOMPH x", ""}) {
    EXPECT_FALSE(is_redis_not_now(error)) << error;
  }
}

TEST(RedisProtocol, RepliesAreTakenApartWhateverPiecesTheyComeIn) {
  RedisReader reader;
  std::vector<std::string> got;
  for (const char byte : std::string_view("+OK\r\n-OOM no\r\n:3\r\n$4\r\n1-2x\r\n")) {
    reader.feed({&byte, 1});
    const auto reply = reader.next();
    ASSERT_TRUE(reply);
    if (!*reply) continue;
    got.push_back(((*reply)->is_error() ? "error " : "") + (*reply)->text +
                  std::to_string((*reply)->number));
  }
  EXPECT_EQ(got, (std::vector<std::string>{"OK0", "error OOM no0", "3", "1-2x0"}));
}

TEST(RedisProtocol, WhatIsNoRedisIsSaid) {
  RedisReader reader;
  reader.feed("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_FALSE(reader.next());
}

TEST(RedisProtocol, AReplyThatDoesNotEndIsGivenUpBeforeItTakesMuchMemory) {
  for (const std::string_view begin : {"$1000000\r\n", "-ERR ", "+", ":", "$"}) {
    RedisReader reader;
    reader.feed(begin);
    std::size_t taken = 0;
    for (auto reply = reader.next(); reply; reply = reader.next()) {
      ASSERT_FALSE(*reply) << begin;
      ASSERT_LT(taken, 100'000U) << begin;
      const std::string more(10'000, '1');
      reader.feed(more);
      taken += more.size();
    }
  }
}

TEST(RedisProtocol, ArraysAreRefusedAtOnceHoweverTheyNest) {
  for (const std::string_view begin :
       {"*1\r\n", "*0\r\n", "*2\r\n$1\r\na\r\n", "*1000000000\r\n", "%1\r\n", "~1\r\n", ">1\r\n"}) {
    RedisReader reader;
    reader.feed(begin);
    EXPECT_FALSE(reader.next()) << begin;
  }
}

}  // namespace
}  // namespace carillon
