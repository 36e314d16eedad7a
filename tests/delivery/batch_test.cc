#include "delivery/batch.h"

#include <array>

#include <gmock/gmock.h>

#include "delivery/http/settings.h"
#include "tests/delivery/http/fixture.h"

namespace carillon {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using Kind = PushResult::Kind;

constexpr WallTime kDue{Millis(1'800'000'000'123)};

TaskContent content(std::string_view id, std::string_view webhook_id) {
  TaskContent content;
  content.id = id;
  content.webhook_id = webhook_id;
  return content;
}

TEST(FormatBatched, ATaskHasItsPayloadByteForByte) {
  TaskContent task = content("ann:c7", "msg_1");
  task.group = "c7";
  task.lane = "critical";
  task.headers = {{"traceparent", "00-1"}, {"x", "\"q\""}};
  task.body = R"({ "user" : "ann",  "n": 1.0 })";
  task.body_is_json = true;
  task.content_type = "application/json";
  EXPECT_EQ(
      format_batched(task, kDue, 3),
      R"({"id":"ann:c7","webhook_id":"msg_1","due_at":"2027-01-15T08:00:00.123Z","attempt":3,)"
      R"("group":"c7","lane":"critical","headers":{"traceparent":"00-1","x":"\"q\""},)"
      R"("payload":{ "user" : "ann",  "n": 1.0 }})");
}

TEST(FormatBatched, ABodyIsTextOrBase64WithItsType) {
  TaskContent task = content("a", "msg_1");
  EXPECT_THAT(format_batched(task, kDue, 1), HasSubstr(R"("lane":"default","headers":{}})"));
  task.body = "line\n";
  task.content_type = "text/plain";
  EXPECT_THAT(format_batched(task, kDue, 1),
              HasSubstr(R"("headers":{},"body":"line\n","content_type":"text/plain"})"));
  task.body = "\xff";
  EXPECT_THAT(format_batched(task, kDue, 1), HasSubstr(R"("body_base64":"/w==","content_type")"));
}

TEST(MakeBatch, TheBodyIsAsLongAsWasSaid) {
  const auto target = std::make_shared<const TargetSettings>();
  const std::array<std::string_view, 3> tasks = {R"({"id":"a"})", R"({"id":"b"})", "{}"};
  const Push push = make_batch(target, tasks, "msg_9");
  EXPECT_EQ(push.content.body, R"({"tasks":[{"id":"a"},{"id":"b"},{}]})");
  EXPECT_EQ(push.content.body.size(), batch_bytes(3, 22));
  EXPECT_EQ(push.content.webhook_id, "msg_9");
  EXPECT_EQ(push.tasks, 3U);
}

class BatchResults : public testing::Test {
 protected:
  static PushResult answered(std::string body, std::string type = "application/json") {
    PushResult whole;
    whole.kind = Kind::delivered;
    whole.status = 200;
    whole.may_be_seen = true;
    whole.answer_body = std::move(body);
    whole.answer_type = std::move(type);
    whole.answer_is_whole = true;
    return whole;
  }
  std::vector<PushResult> read(const PushResult& whole) {
    return batch_results(reader, whole, ids);
  }
  void expect_all(Kind kind, const PushResult& whole) {
    const auto results = read(whole);
    ASSERT_EQ(results.size(), ids.size());
    for (const PushResult& result : results) EXPECT_EQ(result.kind, kind) << whole.answer_body;
  }

  JsonReader reader;
  std::vector<std::string_view> ids = {"msg_1", "msg_2", "msg_3", "msg_4"};
};

TEST_F(BatchResults, EachThatIsNamedHasItsOwnAndTheOthersAreDelivered) {
  const auto results = read(answered(
      R"({"more":[1], "results": [{"webhook_id":"msg_3","status":503,"retry_after":30,"why":"x"},)"
      R"({"status":410,"webhook_id":"msg_1"},{"webhook_id":"msg_4","status":204}]})"));
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0].kind, Kind::refused_for_good);
  EXPECT_EQ(results[1].kind, Kind::delivered);
  EXPECT_EQ(results[2].kind, Kind::failed);
  EXPECT_EQ(results[2].status, 503U);
  EXPECT_EQ(results[2].not_now, NotNow::unavailable);
  EXPECT_EQ(results[2].retry_after, seconds(30));
  EXPECT_EQ(results[2].error, "answered 503");
  EXPECT_TRUE(results[2].may_be_seen);
  EXPECT_EQ(results[3].kind, Kind::delivered);
}

TEST_F(BatchResults, WhatSaysNothingOfTasksDeliversAll) {
  expect_all(Kind::delivered, answered(""));
  expect_all(Kind::delivered, answered("OK", "text/plain"));
  expect_all(Kind::delivered, answered("{\"results\":", "text/html"));
  expect_all(Kind::delivered, answered("{}"));
  expect_all(Kind::delivered, answered(R"({"results":[]})", "application/problem+json; x=y"));
  expect_all(Kind::delivered, answered("[1]"));
}

TEST_F(BatchResults, WhatCannotBeReliedOnIsAFailureOfAll) {
  for (const char* body :
       {R"({"results":[{"webhook_id":"msg_1","status":500})",    // cut
        R"({"results":[{"webhook_id":"msg_9","status":200}]})",  // of another push
        R"({"results":[{"webhook_id":"msg_1"}]})", R"({"results":[{"status":200}]})",
        R"({"results":[{"webhook_id":"msg_1","status":99}]})",
        R"({"results":[{"webhook_id":"msg_1","status":"ok"}]})",
        R"({"results":[{"webhook_id":"msg_1","status":503,"retry_after":-1}]})",
        R"({"results":{}})", R"({"results":[1]})", "{\"results\":[]} x", "nonsense"}) {
    expect_all(Kind::failed, answered(body));
  }
  PushResult cut = answered(R"({"results":[]})");
  cut.answer_is_whole = false;
  expect_all(Kind::failed, cut);
  cut.answer_type.reset();  // not even the head came
  expect_all(Kind::failed, cut);
  const std::string longest((64 << 10) + 4 * 256 - 4, ' ');
  expect_all(Kind::delivered, answered("{}" + longest + "  "));
  expect_all(Kind::failed, answered("{}" + longest + "   "));
  EXPECT_EQ(read(cut)[0].status, 200U);
  EXPECT_THAT(read(cut)[0].error, HasSubstr("results"));
}

TEST_F(BatchResults, APushThatFailedDidSoForAll) {
  PushResult whole;
  whole.status = 429;
  whole.not_now = NotNow::too_many_requests;
  whole.retry_after = seconds(3);
  for (const PushResult& result : read(whole)) {
    EXPECT_EQ(result.kind, Kind::failed);
    EXPECT_EQ(result.retry_after, seconds(3));
  }
}

class BatchPushTest : public HttpSinkFixture {
 protected:
  PushResult deliver_batch(Reaction reaction, Millis timeout = seconds(10)) {
    receiver = std::make_unique<Receiver>(
        loop, [reaction = std::move(reaction)](const ReceivedRequest&) { return reaction; });
    TargetSettings settings = settings_for(receiver->url());
    settings.timeout = timeout;
    http_of(settings).secrets = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
    const std::array<std::string_view, 2> tasks = {R"({"id":"a"})", R"({"id":"b"})"};
    return deliver(make_batch(std::make_shared<const TargetSettings>(settings), tasks, "msg_9"));
  }
};

TEST_F(BatchPushTest, ItSaysHowManyTasksAndIsSignedAsAWhole) {
  const PushResult result = deliver_batch({http_answer("200 OK")});
  EXPECT_EQ(result.kind, Kind::delivered);
  EXPECT_TRUE(result.answer_is_whole);
  ASSERT_EQ(receiver->requests().size(), 1U);
  const ReceivedRequest& got = receiver->requests()[0];
  EXPECT_EQ(got.header("carillon-tasks"), "2");
  EXPECT_EQ(got.header("webhook-id"), "msg_9");
  EXPECT_EQ(got.header("Content-Type"), "application/json");
  EXPECT_THAT(got.header("webhook-signature"), testing::StartsWith("v1,"));
  EXPECT_EQ(got.header("carillon-task-id"), "");
  EXPECT_EQ(got.header("carillon-attempt"), "");
  EXPECT_EQ(got.body, R"({"tasks":[{"id":"a"},{"id":"b"}]})");
}

TEST_F(BatchPushTest, TheAnswerIsReadToItsEndHoweverThatIsTold) {
  const std::string json = "Content-Type: application/json\r\n";
  for (const std::string& bytes :
       {http_answer("200 OK", R"({"results":[]})", json),
        "HTTP/1.1 200 OK\r\n" + json + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n" + json + "Connection: close\r\n\r\n{}",
        std::string("HTTP/1.1 204 None\r\n\r\n")}) {
    Reaction reaction{bytes};
    reaction.piece_bytes = 7;
    if (bytes.find("close") != std::string::npos) reaction.then = Reaction::Then::close;
    const PushResult result = deliver_batch(std::move(reaction));
    EXPECT_EQ(result.kind, Kind::delivered);
    EXPECT_TRUE(result.answer_is_whole) << bytes;
  }
}

TEST_F(BatchPushTest, AnAnswerThatIsCutOrLateIsNotWhole) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9";
  EXPECT_FALSE(deliver_batch({head + "\r\n\r\n{}", Reaction::Then::close}).answer_is_whole);
  EXPECT_FALSE(deliver_batch({head, Reaction::Then::close}).answer_is_whole);
  const PushResult late = deliver_batch({head + "\r\n\r\n{}", Reaction::Then::hang}, Millis(100));
  EXPECT_EQ(late.status, 200U);
  EXPECT_FALSE(late.answer_is_whole);
}

TEST_F(BatchPushTest, ALongerAnswerThanASingleTaskMayHaveIsRead) {
  const std::string body = "{}" + std::string(64 << 10, ' ');
  const PushResult result =
      deliver_batch({http_answer("200 OK", body, "Content-Type: application/json\r\n")});
  EXPECT_TRUE(result.answer_is_whole);
  EXPECT_EQ(result.answer_body, body);
}

}  // namespace
}  // namespace carillon
