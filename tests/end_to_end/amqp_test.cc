// Queues of a real RabbitMQ as receivers of a real carillond.

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/broker_fixture.h"
#include "tests/support/rabbit_server.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

class AmqpEndToEnd : public BrokerEndToEnd {
 protected:
  static void SetUpTestSuite() {
    rabbit =
        std::make_unique<RabbitServer>(RabbitServer::Options{.users = {{"carillon", "right"}}});
  }
  static void TearDownTestSuite() { rabbit.reset(); }

  AmqpEndToEnd() { rabbit->make_queue(queue); }

  [[nodiscard]] std::string to_rabbit(const std::string& more = {}) const {
    return R"({"kind":"amqp","url":")" + rabbit->url() + R"(","routing_key":")" + queue + "\"" +
           kHasty + more + "}";
  }
  /// How often each task came, of what came since the last time.
  [[nodiscard]] std::map<std::string, int> arrived() {
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
  put(to_rabbit());
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
  put(to_rabbit());
  constexpr int kKills = 2;
  constexpr int kTasks = 3000;
  for (int kills = 0; kills < kKills; ++kills) {
    const std::size_t before = rabbit->length(queue);
    add_many("t" + std::to_string(kills) + "-", kTasks, 1500);
    wait_until([&] { return rabbit->length(queue) >= before + 300; });
    rabbit->kill();
    rabbit->start();
  }
  wait_until_idle(server, std::chrono::seconds(120));
  EXPECT_EQ(arrived().size(), static_cast<std::size_t>(kKills * kTasks));
  EXPECT_EQ(stat(server, "/counts/dead"), 0);
}

TEST_F(AmqpEndToEnd, NothingIsLostWhereTheBrokerIsStoppedUnderLoad) {
  put(to_rabbit(R"(,"timeout":"2s")"));
  constexpr int kTasks = 3000;
  add_many("t", kTasks, 1500);
  wait_until([&] { return rabbit->length(queue) >= 300; });
  rabbit->freeze();
  wait_until([&] { return stat(server, "/counts/retrying") > 0; });
  rabbit->go_on();
  wait_until_idle(server, std::chrono::seconds(120));
  EXPECT_EQ(arrived().size(), static_cast<std::size_t>(kTasks));
  EXPECT_EQ(stat(server, "/counts/dead"), 0);
}

TEST_F(AmqpEndToEnd, WhatIsCancelledWhileTheBrokerIsAwayNeverArrives) {
  rabbit->sync_queues();
  put(to_rabbit());
  add("before");
  wait_until([&] { return state_of("before") == "delivered"; });
  rabbit->kill();
  add("gone");
  wait_until([&] { return state_of("gone") == "retrying"; });
  wait_until([&] { return server.call("DELETE", "/v1/tasks/gone").ok(); });
  rabbit->start();
  add("after");
  wait_until([&] { return state_of("after") == "delivered"; });
  wait_until_idle(server);
  EXPECT_EQ(arrived(), (std::map<std::string, int>{{"before", 1}, {"after", 1}}));
}

TEST_F(AmqpEndToEnd, WhatIsCancelledWhileTheBrokerIsStoppedNeverArrives) {
  put(to_rabbit());
  add("before");
  wait_until([&] { return state_of("before") == "delivered"; });
  // Longer than a second: a broker that has been silent for so long is asked for a sign of life.
  const auto later = std::chrono::steady_clock::now() + std::chrono::milliseconds(1100);
  wait_until([&] { return std::chrono::steady_clock::now() > later; });
  rabbit->freeze();
  // On the connection that there is, and on one that its kernel takes and it does not.
  for (const std::string timeout : {"15s", "1s"}) {
    if (timeout == "1s") put(to_rabbit(R"(,"timeout":"1s")"));
    add("late" + timeout);
    wait_until([&] { return state_of("late" + timeout) == "retrying"; });
    wait_until([&] { return server.call("DELETE", "/v1/tasks/late" + timeout).ok(); });
  }
  rabbit->go_on();
  put(to_rabbit());
  add("after");
  wait_until([&] { return state_of("after") == "delivered"; });
  wait_until_idle(server);
  EXPECT_EQ(arrived(), (std::map<std::string, int>{{"before", 1}, {"after", 1}}));
}

TEST_F(AmqpEndToEnd, ABrokerThatIsShortOfMemoryHoldsTheTargetAndCostsNoAttempts) {
  put(to_rabbit(R"(,"hold_max":"5s","timeout":"2s")"));
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
  put(to_rabbit(R"(,"username":"carillon","password":"wrong-word")"));
  add("one");
  wait_until([&] { return state_of("one") == "retrying"; });
  const std::string shown = server.call("GET", "/v1/tasks/one").body;
  EXPECT_THAT(shown, HasSubstr("ACCESS_REFUSED"));
  EXPECT_THAT(shown, ::testing::Not(HasSubstr("wrong-word")));
  put(to_rabbit(R"(,"username":"carillon","password":"right")"));
  wait_until([&] { return state_of("one") == "delivered"; });
  EXPECT_EQ(arrived(), (std::map<std::string, int>{{"one", 1}}));
}

}  // namespace
}  // namespace carillon::test
