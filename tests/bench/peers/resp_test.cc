#include "bench/peers/resp.h"

#include <gtest/gtest.h>

namespace carillon::bench {
namespace {

TEST(Resp, CommandIsAnArrayOfBulkStrings) {
  std::string out;
  append_command(out, {"ZADD", "tasks", "17", ""});
  EXPECT_EQ(out, "*4\r\n$4\r\nZADD\r\n$5\r\ntasks\r\n$2\r\n17\r\n$0\r\n\r\n");
}

TEST(Resp, TransactionIsReadToItsEnd) {
  const std::string text = "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:1\r\n";
  Replies replies;
  for (std::size_t size = 0; size < text.size(); ++size) {
    ASSERT_EQ(parse_replies(text.substr(0, size), 4, replies), Parsed::incomplete) << size;
  }
  ASSERT_EQ(parse_replies(text + "+more", 4, replies), Parsed::complete);
  EXPECT_EQ(replies.bytes, text.size());
  EXPECT_EQ(replies.errors, 0U);
  EXPECT_EQ(replies.zeros, 0U);
  EXPECT_EQ(replies.last_integer, 1);
}

TEST(Resp, ErrorsZerosAndGivenUpTransactionsAreCounted) {
  Replies replies;
  ASSERT_EQ(parse_replies(":0\r\n-ERR no\r\n:3\r\n*-1\r\n", 4, replies), Parsed::complete);
  EXPECT_EQ(replies.zeros, 1U);
  EXPECT_EQ(replies.errors, 2U);
  EXPECT_EQ(replies.last_integer, 3);
}

TEST(Resp, BulkStringMayHoldAnything) {
  const std::string text = "$4\r\n\r\n+x\r\n$-1\r\n";
  std::size_t at = 0;
  Token token;
  ASSERT_EQ(next_token(text, at, token), Parsed::complete);
  EXPECT_EQ(token.text, "\r\n+x");
  ASSERT_EQ(next_token(text, at, token), Parsed::complete);
  EXPECT_EQ(token.number, -1);
  EXPECT_EQ(at, text.size());
}

TEST(Resp, NonsenseIsBad) {
  Replies replies;
  for (const char* text : {"HTTP/1.1\r\n", ":x\r\n", "$3\r\nabcde\r\n", "\r\n", "*1x\r\n"}) {
    EXPECT_EQ(parse_replies(text, 1, replies), Parsed::bad) << text;
  }
}

}  // namespace
}  // namespace carillon::bench
