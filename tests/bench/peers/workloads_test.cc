#include "bench/peers/workloads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::bench {
namespace {

using load::Answer;
using load::Request;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A plan whose tasks are due at a known time.
load::TaskPlan plan_of(std::size_t payload_bytes) {
  load::TaskPlan plan{.id_pattern = "t-{}", .first = 5};
  plan.payload_bytes = payload_bytes;
  plan.due_at = WallTime(Millis(1234));
  return plan;
}

Request first_of(load::Workload& work) {
  Request request;
  EXPECT_TRUE(work.next(request));
  return request;
}

TEST(PeerWorkloads, BareAddIsOneCommand) {
  const auto work = make_redis_adds(plan_of(8), RedisForm::bare, 1, 1);
  const Request request = first_of(*work);
  EXPECT_EQ(request.bytes, "*4\r\n$4\r\nZADD\r\n$5\r\ntasks\r\n$4\r\n1234\r\n$3\r\nt-5\r\n");
  Answer answer;
  ASSERT_EQ(work->read(":1\r\n", request, answer), load::Parsed::complete);
  EXPECT_EQ(answer.status, 200U);
  ASSERT_EQ(work->read(":0\r\n", request, answer), load::Parsed::complete);
  EXPECT_EQ(answer.status, 500U);  // it was there already: nothing was added
}

TEST(PeerWorkloads, TransactionCarriesThePayloadOfTheSizeAskedFor) {
  const auto work = make_redis_adds(plan_of(20), RedisForm::transaction, 1, 1);
  const Request request = first_of(*work);
  EXPECT_THAT(request.bytes,
              StartsWith("*1\r\n$5\r\nMULTI\r\n*4\r\n$4\r\nHSET\r\n$8\r\npayloads\r\n"
                         "$3\r\nt-5\r\n$20\r\n\"5 xxx"));
  EXPECT_THAT(request.bytes, EndsWith("*1\r\n$4\r\nEXEC\r\n"));
  Answer answer;
  EXPECT_EQ(work->read("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n", request, answer),
            load::Parsed::incomplete);
  ASSERT_EQ(work->read("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:1\r\n", request, answer),
            load::Parsed::complete);
  EXPECT_EQ(answer.status, 200U);
  ASSERT_EQ(work->read("+OK\r\n-OOM\r\n-OOM\r\n-EXECABORT\r\n", request, answer),
            load::Parsed::complete);
  EXPECT_EQ(answer.status, 500U);
}

TEST(PeerWorkloads, PipelinedBatchCountsTheTasksThatWereRefused) {
  const auto work = make_redis_adds(plan_of(8), RedisForm::pipeline, 3, 3);
  const Request request = first_of(*work);
  Answer answer;
  ASSERT_EQ(work->read(":1\r\n:1\r\n:0\r\n:0\r\n:1\r\n:1\r\n", request, answer),
            load::Parsed::complete);
  EXPECT_EQ(answer.failed, 1U);
}

TEST(PeerWorkloads, VariadicBatchCountsWhatTheLastCommandDid) {
  const auto adds = make_redis_adds(plan_of(8), RedisForm::variadic, 3, 3);
  const Request request = first_of(*adds);
  EXPECT_THAT(request.bytes,
              HasSubstr("*8\r\n$4\r\nZADD\r\n$5\r\ntasks\r\n$4\r\n1234\r\n$3\r\nt-5\r\n"));
  Answer answer;
  ASSERT_EQ(adds->read("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:3\r\n:2\r\n", request, answer),
            load::Parsed::complete);
  EXPECT_EQ(answer.failed, 1U);
}

TEST(PeerWorkloads, CancelTakesTaskAndPayloadAway) {
  const auto work = make_redis_cancels(plan_of(8), {.first = 5}, RedisForm::pipeline, 1, 2);
  EXPECT_EQ(first_of(*work).bytes,
            "*3\r\n$4\r\nZREM\r\n$5\r\ntasks\r\n$3\r\nt-5\r\n"
            "*3\r\n$4\r\nHDEL\r\n$8\r\npayloads\r\n$3\r\nt-5\r\n");
  EXPECT_THAT(first_of(*work).bytes, HasSubstr("t-6"));
}

TEST(PeerWorkloads, ShiftTouchesOnlyWhatIsThere) {
  const auto work = make_redis_shifts(plan_of(8), 1, 1);
  const Request request = first_of(*work);
  EXPECT_THAT(request.bytes, HasSubstr("$2\r\nXX\r\n$2\r\nCH\r\n$4\r\n1234\r\n"));
  Answer answer;
  ASSERT_EQ(work->read(":0\r\n", request, answer), load::Parsed::complete);
  EXPECT_EQ(answer.status, 500U);
}

TEST(PeerWorkloads, PutHasDelayInSecondsAndSizeOfItsBody) {
  auto plan = plan_of(10);
  plan.delay_min = plan.delay_max = Millis(1500);
  const auto work = make_beanstalk_puts(plan, 1);
  EXPECT_EQ(first_of(*work).bytes, "put 0 2 60 10\r\n\"5 xxxxxx\"\r\n");
}

TEST(PeerWorkloads, PutIsInsertedOrNot) {
  Answer answer;
  EXPECT_EQ(parse_put_answer("INSERTED 1", answer), load::Parsed::incomplete);
  ASSERT_EQ(parse_put_answer("INSERTED 17\r\n", answer), load::Parsed::complete);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.bytes, 13U);
  for (const char* text : {"OUT_OF_MEMORY\r\n", "BURIED 3\r\n", "EXPECTED_CRLF\r\n"}) {
    ASSERT_EQ(parse_put_answer(text, answer), load::Parsed::complete);
    EXPECT_EQ(answer.status, 500U) << text;
  }
}

}  // namespace
}  // namespace carillon::bench
