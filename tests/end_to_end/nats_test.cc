// Streams of a real NATS server as receivers of a real carillond.

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/broker_fixture.h"
#include "tests/support/nats_server.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kStream = "orders";

class NatsEndToEnd : public BrokerEndToEnd {
 protected:
  NatsEndToEnd() { nats.make_stream(kStream, "due.>"); }

  [[nodiscard]] std::string to_nats(const std::string& more = {}) const {
    const std::string subject =
        more.find("subject") == std::string::npos ? R"(,"subject":"due.today")" : std::string();
    return R"({"kind":"nats","url":")" + nats.url() + "\"" + subject + kHasty + more + "}";
  }
  /// How often each task came, of what came since the last time.
  [[nodiscard]] std::map<std::string, int> arrived() {
    std::map<std::string, int> times;
    for (const StreamMessage& message : nats.take(kStream)) {
      ++times[message.headers.at("carillon-task-id")];
    }
    return times;
  }

  NatsServer nats{{.users = "{user: carillon, password: right}"}};
};

TEST_F(NatsEndToEnd, DueTasksBecomeMessagesAndTestPushesToo) {
  put(to_nats());
  add("one");
  wait_until([&] { return state_of("one") == "delivered"; });
  const auto messages = nats.take(kStream);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].subject, "due.today");
  EXPECT_EQ(messages[0].body, R"({"of":"one"})");
  EXPECT_EQ(messages[0].headers.at("carillon-attempt"), "1");
  EXPECT_THAT(messages[0].headers.at("Nats-Msg-Id"), ::testing::StartsWith("msg_"));
  for (int i = 0; i < 2; ++i) {
    const auto test = server.call("POST", "/v1/targets/queue:test");
    EXPECT_THAT(test.body, HasSubstr(R"("status":null,"delivered":true)"));
  }
  EXPECT_EQ(nats.length(kStream), 2U);
}

TEST_F(NatsEndToEnd, WhatNoStreamTakesFailsAndSaysSo) {
  put(to_nats(R"(,"subject":"elsewhere")"));
  const auto test = server.call("POST", "/v1/targets/queue:test");
  EXPECT_THAT(test.body, HasSubstr(R"("status":503,"delivered":false)"));
  EXPECT_THAT(test.body, HasSubstr("no stream takes it"));
}

TEST_F(NatsEndToEnd, NothingIsLostWhereTheServerIsKilledAndStartedUnderLoad) {
  put(to_nats());
  constexpr int kKills = 3;
  constexpr int kTasks = 1500;
  for (int kills = 0; kills < kKills; ++kills) {
    const std::size_t before = nats.length(kStream);
    add_many("t" + std::to_string(kills) + "-", kTasks, 1000);
    wait_until([&] { return nats.length(kStream) >= before + 300; });
    nats.kill();
    nats.start();
  }
  wait_until_idle(server, std::chrono::seconds(120));
  const std::map<std::string, int> times = arrived();
  EXPECT_EQ(times.size(), static_cast<std::size_t>(kKills * kTasks));
  for (const auto& [id, count] : times) EXPECT_EQ(count, 1) << id << ": a stream knows repeats";
  EXPECT_EQ(stat(server, "/counts/dead"), 0);
}

TEST_F(NatsEndToEnd, NothingIsLostWhereTheServerIsStoppedUnderLoad) {
  put(to_nats(R"(,"timeout":"2s")"));
  constexpr int kTasks = 3000;
  add_many("t", kTasks, 1500);
  wait_until([&] { return nats.length(kStream) >= 300; });
  nats.freeze();
  wait_until([&] { return stat(server, "/counts/retrying") > 0; });
  nats.go_on();
  wait_until_idle(server, std::chrono::seconds(120));
  EXPECT_EQ(arrived().size(), static_cast<std::size_t>(kTasks));
  EXPECT_EQ(stat(server, "/counts/dead"), 0);
}

TEST_F(NatsEndToEnd, WhatIsCancelledWhileTheServerIsAwayNeverArrives) {
  put(to_nats());
  add("before");
  wait_until([&] { return state_of("before") == "delivered"; });
  nats.kill();
  add("gone");
  wait_until([&] { return state_of("gone") == "retrying"; });
  wait_until([&] { return server.call("DELETE", "/v1/tasks/gone").ok(); });
  nats.start();
  add("after");
  wait_until([&] { return state_of("after") == "delivered"; });
  wait_until_idle(server);
  EXPECT_EQ(arrived(), (std::map<std::string, int>{{"before", 1}, {"after", 1}}));
}

TEST_F(NatsEndToEnd, WhatIsCancelledWhileTheServerIsStoppedNeverArrives) {
  put(to_nats());
  add("before");
  wait_until([&] { return state_of("before") == "delivered"; });
  // Longer than a second: a server that has been silent for so long is asked for a sign of life.
  const auto later = std::chrono::steady_clock::now() + std::chrono::milliseconds(1100);
  wait_until([&] { return std::chrono::steady_clock::now() > later; });
  nats.freeze();
  // On the connection that there is, and on one that its kernel takes and it does not.
  for (const std::string timeout : {"15s", "1s"}) {
    if (timeout == "1s") put(to_nats(R"(,"timeout":"1s")"));
    add("late" + timeout);
    wait_until([&] { return state_of("late" + timeout) == "retrying"; });
    wait_until([&] { return server.call("DELETE", "/v1/tasks/late" + timeout).ok(); });
  }
  nats.go_on();
  put(to_nats());
  add("after");
  wait_until([&] { return state_of("after") == "delivered"; });
  wait_until_idle(server);
  EXPECT_EQ(arrived(), (std::map<std::string, int>{{"before", 1}, {"after", 1}}));
}

TEST_F(NatsEndToEnd, AFullStreamHoldsTheTargetAndCostsNoAttempts) {
  nats.make_stream("small", "small", 1);
  put(to_nats(R"(,"subject":"small","hold_max":"2s")"));
  add("first");
  wait_until([&] { return state_of("first") == "delivered"; });
  const auto one_attempt = server.call(
      "POST", "/v1/tasks",
      R"({"id":"patient","delay":"1ms","target":"queue","payload":1,"retry":{"max_attempts":1}})");
  EXPECT_EQ(one_attempt.status, 201U) << one_attempt.body;
  wait_until([&] {
    return text_at(server.call("GET", "/v1/targets/queue").body, "/held/reason") == "unavailable";
  });
  EXPECT_EQ(nats.take("small").size(), 1U);
  wait_until([&] { return state_of("patient") == "delivered"; });
}

TEST_F(NatsEndToEnd, RefusedCredentialsAreFailedAttemptsUntilTheyAreRight) {
  put(to_nats(R"(,"username":"carillon","password":"wrong-word")"));
  add("one");
  wait_until([&] { return state_of("one") == "retrying"; });
  const std::string shown = server.call("GET", "/v1/tasks/one").body;
  EXPECT_THAT(shown, HasSubstr("Authorization Violation"));
  EXPECT_THAT(shown, ::testing::Not(HasSubstr("wrong-word")));
  put(to_nats(R"(,"username":"carillon","password":"right")"));
  wait_until([&] { return state_of("one") == "delivered"; });
  EXPECT_EQ(arrived(), (std::map<std::string, int>{{"one", 1}}));
}

}  // namespace
}  // namespace carillon::test
