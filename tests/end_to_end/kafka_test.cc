// Topics of Kafka (librdkafka's mock cluster) as receivers of a real carillond.

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/broker_fixture.h"
#include "tests/support/kafka_server.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

class KafkaEndToEnd : public OneBrokerEndToEnd {
 protected:
  KafkaEndToEnd() { kafka.make_topic("due"); }

  [[nodiscard]] std::string to_broker(const std::string& more = {}) const override {
    return R"({"kind":"kafka","brokers":[")" + kafka.broker() + R"("],"topic":"due")" + kHasty +
           more + "}";
  }
  /// How often each task came.
  [[nodiscard]] std::map<std::string, int> arrived() override {
    std::map<std::string, int> times;
    for (const KafkaMessage& message : kafka.messages("due")) {
      ++times[message.headers.at("carillon-task-id")];
    }
    return times;
  }

  KafkaServer kafka;
};

TEST_F(KafkaEndToEnd, DueTasksBecomeMessagesAndTestPushesToo) {
  put(to_broker());
  const auto added = server.call(
      "POST", "/v1/tasks",
      R"({"id":"one","delay":"1ms","target":"queue","key":"user 7","payload":{"n":1}})");
  EXPECT_EQ(added.status, 201U) << added.body;
  wait_until([&] { return state_of("one") == "delivered"; });
  const auto messages = kafka.messages("due");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].body, R"({"n":1})");
  EXPECT_EQ(messages[0].key, "user 7");
  EXPECT_EQ(messages[0].headers.at("carillon-attempt"), "1");
  EXPECT_THAT(messages[0].headers.at("webhook-id"), ::testing::StartsWith("msg_"));
  const auto test = server.call("POST", "/v1/targets/queue:test");
  EXPECT_THAT(test.body, HasSubstr(R"("status":null,"delivered":true)"));
  EXPECT_EQ(kafka.messages("due").size(), 2U);
}

TEST_F(KafkaEndToEnd, NothingIsLostWhereTheBrokerGoesDownAndComesUpUnderLoad) {
  constexpr int kTimes = 3;
  constexpr int kTasks = 2000;
  expect_nothing_lost_over(
      kTimes, kTasks, 1000, [&] { return stat(server, "/counts/delivered"); },
      [&] { kafka.go_down(); }, [&] { kafka.come_up(); });
  EXPECT_EQ(arrived().size(), static_cast<std::size_t>(kTimes * kTasks));
}

TEST_F(KafkaEndToEnd, NothingIsLostWhereTheBrokerIsStoppedUnderLoad) {
  expect_nothing_lost_where_stopped(kafka, [&] { return stat(server, "/counts/delivered"); });
}

TEST_F(KafkaEndToEnd, NothingIsLostWhereTheBrokerIsSlowAndRefusesSome) {
  put(to_broker());
  constexpr int kTasks = 1000;
  kafka.slow_down(1200);
  kafka.refuse(5, 87);  // INVALID_RECORD
  add_many("t", kTasks, 1000);
  wait_until_idle(server, std::chrono::seconds(120));
  const std::map<std::string, int> times = arrived();
  EXPECT_EQ(times.size(), static_cast<std::size_t>(kTasks));
  for (const auto& [id, count] : times) EXPECT_EQ(count, 1) << id;
  EXPECT_EQ(stat(server, "/counts/dead"), 0);
}

TEST_F(KafkaEndToEnd, WhatIsCancelledWhileTheBrokerIsDownNeverArrives) {
  expect_cancelled_never_arrives([&] { kafka.go_down(); }, [&] { kafka.come_up(); },
                                 R"(,"timeout":"1s")");
}

TEST_F(KafkaEndToEnd, WhatIsCancelledWhileTheBrokerIsStoppedNeverArrives) {
  expect_cancelled_while_stopped_never_arrives(kafka);
}

TEST_F(KafkaEndToEnd, ABrokerThatIsGoneFailsAttemptsThatSayWhy) {
  put(to_broker());
  kafka.kill();
  const auto test = server.call("POST", "/v1/targets/queue:test");
  EXPECT_THAT(test.body, HasSubstr(R"("status":null,"delivered":false)"));
  EXPECT_THAT(test.body, HasSubstr("refused"));
}

}  // namespace
}  // namespace carillon::test
