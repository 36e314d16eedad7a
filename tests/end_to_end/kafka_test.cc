// Topics of Kafka (librdkafka's mock cluster) as receivers of a real carillond.

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/broker_fixture.h"
#include "tests/support/kafka_server.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

class KafkaEndToEnd : public BrokerEndToEnd {
 protected:
  KafkaEndToEnd() { kafka.make_topic("due"); }

  [[nodiscard]] std::string to_kafka(const std::string& more = {}) const {
    return R"({"kind":"kafka","brokers":[")" + kafka.broker() + R"("],"topic":"due")" + kHasty +
           more + "}";
  }
  /// How often each task came.
  [[nodiscard]] std::map<std::string, int> arrived() const {
    std::map<std::string, int> times;
    for (const KafkaMessage& message : kafka.messages("due")) {
      ++times[message.headers.at("carillon-task-id")];
    }
    return times;
  }

  KafkaServer kafka;
};

TEST_F(KafkaEndToEnd, DueTasksBecomeMessagesAndTestPushesToo) {
  put(to_kafka());
  const auto added = server.call(
      "POST", "/v1/tasks", R"({"id":"one","delay":"1ms","target":"queue","payload":{"n":1}})");
  EXPECT_EQ(added.status, 201U) << added.body;
  wait_until([&] { return state_of("one") == "delivered"; });
  const auto messages = kafka.messages("due");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].body, R"({"n":1})");
  EXPECT_EQ(messages[0].headers.at("carillon-attempt"), "1");
  EXPECT_THAT(messages[0].headers.at("webhook-id"), ::testing::StartsWith("msg_"));
  const auto test = server.call("POST", "/v1/targets/queue:test");
  EXPECT_THAT(test.body, HasSubstr(R"("status":null,"delivered":true)"));
  EXPECT_EQ(kafka.messages("due").size(), 2U);
}

TEST_F(KafkaEndToEnd, NothingIsLostWhereTheBrokerGoesDownAndComesUpUnderLoad) {
  put(to_kafka());
  constexpr int kTimes = 3;
  constexpr int kTasks = 2000;
  for (int i = 0; i < kTimes; ++i) {
    const auto before = stat(server, "/counts/delivered");
    add_many("t" + std::to_string(i) + "-", kTasks, 1000);
    wait_until([&] { return stat(server, "/counts/delivered") >= before + 300; });
    kafka.go_down();
    kafka.come_up();
  }
  wait_until_idle(server, std::chrono::seconds(120));
  EXPECT_EQ(arrived().size(), static_cast<std::size_t>(kTimes * kTasks));
  EXPECT_EQ(stat(server, "/counts/dead"), 0);
}

TEST_F(KafkaEndToEnd, NothingIsLostWhereTheBrokerIsStoppedUnderLoad) {
  put(to_kafka(R"(,"timeout":"2s")"));
  constexpr int kTasks = 3000;
  add_many("t", kTasks, 1500);
  wait_until([&] { return stat(server, "/counts/delivered") >= 300; });
  kafka.freeze();
  wait_until([&] { return stat(server, "/counts/retrying") > 0; });
  kafka.go_on();
  wait_until_idle(server, std::chrono::seconds(120));
  EXPECT_EQ(arrived().size(), static_cast<std::size_t>(kTasks));
  EXPECT_EQ(stat(server, "/counts/dead"), 0);
}

TEST_F(KafkaEndToEnd, NothingIsLostWhereTheBrokerIsSlowAndRefusesSome) {
  put(to_kafka());
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
  put(to_kafka(R"(,"timeout":"1s")"));
  add("before");
  wait_until([&] { return state_of("before") == "delivered"; });
  kafka.go_down();
  add("gone");
  wait_until([&] { return state_of("gone") == "retrying"; });
  wait_until([&] { return server.call("DELETE", "/v1/tasks/gone").ok(); });
  kafka.come_up();
  add("after");
  wait_until([&] { return state_of("after") == "delivered"; });
  wait_until_idle(server);
  EXPECT_EQ(arrived(), (std::map<std::string, int>{{"before", 1}, {"after", 1}}));
}

TEST_F(KafkaEndToEnd, WhatIsCancelledWhileTheBrokerIsStoppedNeverArrives) {
  put(to_kafka());
  add("before");
  wait_until([&] { return state_of("before") == "delivered"; });
  // Longer than a second: a broker that has been silent for so long is asked for a sign of life.
  const auto later = std::chrono::steady_clock::now() + std::chrono::milliseconds(1100);
  wait_until([&] { return std::chrono::steady_clock::now() > later; });
  kafka.freeze();
  // On the connection that there is, and on one that its kernel takes and it does not.
  for (const std::string timeout : {"15s", "1s"}) {
    if (timeout == "1s") put(to_kafka(R"(,"timeout":"1s")"));
    add("late" + timeout);
    wait_until([&] { return state_of("late" + timeout) == "retrying"; });
    wait_until([&] { return server.call("DELETE", "/v1/tasks/late" + timeout).ok(); });
  }
  kafka.go_on();
  put(to_kafka());
  add("after");
  wait_until([&] { return state_of("after") == "delivered"; });
  wait_until_idle(server);
  EXPECT_EQ(arrived(), (std::map<std::string, int>{{"before", 1}, {"after", 1}}));
}

TEST_F(KafkaEndToEnd, ABrokerThatIsGoneFailsAttemptsThatSayWhy) {
  put(to_kafka());
  kafka.kill();
  const auto test = server.call("POST", "/v1/targets/queue:test");
  EXPECT_THAT(test.body, HasSubstr(R"("status":null,"delivered":false)"));
  EXPECT_THAT(test.body, HasSubstr("refused"));
}

}  // namespace
}  // namespace carillon::test
