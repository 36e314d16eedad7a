// Queues of a real RabbitMQ as receivers of a real carillond.

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/broker_fixture.h"
#include "tests/support/rabbit_server.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

class AmqpEndToEnd : public OneBrokerEndToEnd {
 protected:
  static void SetUpTestSuite() {
    rabbit =
        std::make_unique<RabbitServer>(RabbitServer::Options{.users = {{"carillon", "right"}}});
  }
  static void TearDownTestSuite() { rabbit.reset(); }

  AmqpEndToEnd() { rabbit->make_queue(queue); }

  [[nodiscard]] std::string to_broker(const std::string& more = {}) const override {
    return R"({"kind":"amqp","url":")" + rabbit->url() + R"(","routing_key":")" + queue + "\"" +
           kHasty + more + "}";
  }
  /// How often each task came, of what came since the last time.
  [[nodiscard]] std::map<std::string, int> arrived() override {
    std::map<std::string, int> times;
    for (const RabbitMessage& message : rabbit->take(queue)) {
      ++times[message.headers.at("carillon-task-id")];
    }
    return times;
  }

  static std::unique_ptr<RabbitServer> rabbit;
  /// Of this test alone.
  const std::string queue = ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

std::unique_ptr<RabbitServer> AmqpEndToEnd::rabbit;

TEST_F(AmqpEndToEnd, DueTasksBecomeMessagesAndATestPushToo) {
  put(to_broker());
  add("one");
  wait_until([&] { return state_of("one") == "delivered"; });
  const auto messages = rabbit->take(queue);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].body, R"({"of":"one"})");
  EXPECT_EQ(messages[0].headers.at("carillon-attempt"), "1");
  EXPECT_THAT(messages[0].message_id, ::testing::StartsWith("msg_"));
  const auto test = server.call("POST", "/v1/targets/queue:test");
  EXPECT_THAT(test.body, HasSubstr(R"("status":null,"delivered":true)"));
  EXPECT_EQ(rabbit->length(queue), 1U);
}

TEST_F(AmqpEndToEnd, WhatNoQueueTakesFailsAndSaysSo) {
  put(R"({"kind":"amqp","url":")" + rabbit->url() + R"(","routing_key":"no such queue"})");
  const auto test = server.call("POST", "/v1/targets/queue:test");
  EXPECT_THAT(test.body, HasSubstr(R"("status":312,"delivered":false)"));
  EXPECT_THAT(test.body, HasSubstr("NO_ROUTE"));
}

TEST_F(AmqpEndToEnd, NothingIsLostWhereTheBrokerIsKilledAndStartedUnderLoad) {
  rabbit->sync_queues();
  constexpr int kKills = 2;
  constexpr int kTasks = 3000;
  expect_nothing_lost_over(
      kKills, kTasks, 1500, [&] { return rabbit->length(queue); }, [&] { rabbit->kill(); },
      [&] { rabbit->start(); });
  EXPECT_EQ(arrived().size(), static_cast<std::size_t>(kKills * kTasks));
}

TEST_F(AmqpEndToEnd, NothingIsLostWhereTheBrokerIsStoppedUnderLoad) {
  expect_nothing_lost_where_stopped(*rabbit, [&] { return rabbit->length(queue); });
}

TEST_F(AmqpEndToEnd, WhatIsCancelledWhileTheBrokerIsAwayNeverArrives) {
  rabbit->sync_queues();
  expect_cancelled_never_arrives([&] { rabbit->kill(); }, [&] { rabbit->start(); });
}

TEST_F(AmqpEndToEnd, WhatIsCancelledWhileTheBrokerIsStoppedNeverArrives) {
  expect_cancelled_while_stopped_never_arrives(*rabbit);
}

TEST_F(AmqpEndToEnd, ABrokerThatIsShortOfMemoryHoldsTheTargetAndCostsNoAttempts) {
  put(to_broker(R"(,"hold_max":"5s","timeout":"2s")"));
  rabbit->set_memory_alarm(true);
  const int kTasks = 20;
  for (int i = 0; i < kTasks; ++i) add("t" + std::to_string(i));
  wait_until([&] {
    return text_at(server.call("GET", "/v1/targets/queue").body, "/held/reason") == "unavailable";
  });
  rabbit->set_memory_alarm(false);
  wait_until_idle(server, std::chrono::seconds(120));
  EXPECT_EQ(arrived().size(), static_cast<std::size_t>(kTasks));
  EXPECT_EQ(stat(server, "/counts/dead"), 0);
}

TEST_F(AmqpEndToEnd, RefusedCredentialsAreFailedAttemptsUntilTheyAreRight) {
  expect_refused_credentials_are_failed_attempts("ACCESS_REFUSED");
}

}  // namespace
}  // namespace carillon::test
