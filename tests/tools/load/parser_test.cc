#include <gtest/gtest.h>

#include "tools/load/answer_parser.h"
#include "tools/load/push_parser.h"

namespace carillon::load {
namespace {

constexpr std::string_view kPush =
    "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nwebhook-id: msg_1\r\n"
    "Carillon-Task-Id: a%20b\r\ncarillon-due-at: 2026-11-21T07:00:00.000Z\r\n"
    "carillon-attempt: 3\r\n\r\nbody";

TEST(PushParser, FieldsAreFoundWhateverTheirCase) {
  PushHead head;
  ASSERT_EQ(parse_push_head(kPush, head), Parsed::complete);
  EXPECT_EQ(head.webhook_id, "msg_1");
  EXPECT_EQ(head.task_id, "a%20b");
  EXPECT_EQ(head.due_at, "2026-11-21T07:00:00.000Z");
  EXPECT_EQ(head.attempt, 3U);
  EXPECT_EQ(head.body_bytes, 4U);
  EXPECT_EQ(kPush.substr(head.head_bytes), "body");
  EXPECT_FALSE(head.close);
}

TEST(PushParser, EachShorterHeadIsIncomplete) {
  PushHead head;
  const std::size_t head_bytes = kPush.size() - 4;
  for (std::size_t size = 0; size < head_bytes; ++size) {
    EXPECT_EQ(parse_push_head(kPush.substr(0, size), head), Parsed::incomplete) << size;
  }
}

TEST(PushParser, WhatIsNoPushIsBad) {
  PushHead head;
  for (const std::string_view text : {
           "POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: x\r\n\r\n",
           "POST / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
           "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
           "POST / HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
           "POST / HTTP/1.1\r\nContent-Length: 0\r\nno colon\r\n\r\n",
           "POST / HTTP/1.1\r\nContent-Length: 0\r\ncarillon-attempt: one\r\n\r\n",
           "nonsense\r\n\r\n",
       }) {
    EXPECT_EQ(parse_push_head(text, head), Parsed::bad) << text;
  }
  EXPECT_EQ(parse_push_head(std::string(70'000, 'x'), head), Parsed::bad);
}

TEST(AnswerParser, StatusLengthAndCloseAreFound) {
  AnswerHead head;
  ASSERT_EQ(parse_answer_head("HTTP/1.1 201 Created\r\ncontent-length: 12\r\nConnection: close"
                              "\r\n\r\n",
                              head),
            Parsed::complete);
  EXPECT_EQ(head.status, 201U);
  EXPECT_EQ(head.body_bytes, 12U);
  EXPECT_TRUE(head.close);
}

TEST(AnswerParser, AnswerWithoutLengthIsBadUnlessItHasNoBody) {
  AnswerHead head;
  EXPECT_EQ(parse_answer_head("HTTP/1.1 200 OK\r\n\r\n", head), Parsed::bad);
  EXPECT_EQ(parse_answer_head("HTTP/1.1 204 No Content\r\n\r\n", head), Parsed::complete);
  EXPECT_EQ(parse_answer_head("HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", head), Parsed::bad);
  EXPECT_EQ(parse_answer_head("HTTP/1.1 200 OK\r\nContent-Le", head), Parsed::incomplete);
}

TEST(AnswerParser, TrailingCountIsTheLastOfItsName) {
  EXPECT_EQ(trailing_count(R"({"results":[{"failed":3}],"created":7,"failed":12})", "failed"), 12U);
  EXPECT_EQ(trailing_count(R"({"created": 7})", "created"), 7U);
  EXPECT_EQ(trailing_count("{}", "failed"), 0U);
}

TEST(AnswerParser, WholeAnswerTellsLengthStatusAndWhatABatchRefused) {
  const std::string body = R"({"results":[],"created":2,"failed":1})";
  const std::string text =
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  Answer answer;
  for (std::size_t size = 0; size < text.size(); ++size) {
    ASSERT_EQ(parse_http_answer(text.substr(0, size), 3, answer), Parsed::incomplete) << size;
  }
  ASSERT_EQ(parse_http_answer(text + "HTTP", 3, answer), Parsed::complete);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.bytes, text.size());
  EXPECT_EQ(answer.failed, 1U);
  ASSERT_EQ(parse_http_answer(text, 1, answer), Parsed::complete);
  EXPECT_EQ(answer.failed, 0U);  // a single task's answer has no such count
}

}  // namespace
}  // namespace carillon::load
