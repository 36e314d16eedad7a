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

class NatsEndToEnd : public OneBrokerEndToEnd {
 protected:
  NatsEndToEnd() { nats.make_stream(kStream, "due.>"); }

  [[nodiscard]] std::string to_broker(const std::string& more = {}) const override {
    const std::string subject =
        more.find("subject") == std::string::npos ? R"(,"subject":"due.today")" : std::string();
    return R"({"kind":"nats","url":")" + nats.url() + "\"" + subject + kHasty + more + "}";
  }
  /// How often each task came, of what came since the last time.
  [[nodiscard]] std::map<std::string, int> arrived() override {
    std::map<std::string, int> times;
    for (const StreamMessage& message : nats.take(kStream)) {
      ++times[message.headers.at("carillon-task-id")];
    }
    return times;
  }

  NatsServer nats{{.users = "{user: carillon, password: right}"}};
};

TEST_F(NatsEndToEnd, DueTasksBecomeMessagesAndTestPushesToo) {
  put(to_broker());
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

TEST_F(NatsEndToEnd, ATasksKeyIsItsSubject) {
  put(to_broker(R"(,"keys":["due.*"])"));
  const auto answer = server.call(
      "POST", "/v1/tasks",
      R"({"id":"keyed","delay":"1ms","target":"queue","payload":1,"key":"due.eu.shop"})");
  EXPECT_EQ(answer.status, 201U) << answer.body;
  add("other");
  wait_until([&] { return state_of("keyed") == "delivered" && state_of("other") == "delivered"; });
  std::map<std::string, std::string> subjects;
  for (const StreamMessage& message : nats.take(kStream)) {
    subjects[message.headers.at("carillon-task-id")] = message.subject;
  }
  EXPECT_EQ(subjects,
            (std::map<std::string, std::string>{{"keyed", "due.eu.shop"}, {"other", "due.today"}}));
}

TEST_F(NatsEndToEnd, WhatNoStreamTakesFailsAndSaysSo) {
  put(to_broker(R"(,"subject":"elsewhere")"));
  const auto test = server.call("POST", "/v1/targets/queue:test");
  EXPECT_THAT(test.body, HasSubstr(R"("status":503,"delivered":false)"));
  EXPECT_THAT(test.body, HasSubstr("no stream takes it"));
}

TEST_F(NatsEndToEnd, NothingIsLostWhereTheServerIsKilledAndStartedUnderLoad) {
  constexpr int kKills = 3;
  constexpr int kTasks = 1500;
  expect_nothing_lost_over(
      kKills, kTasks, 1000, [&] { return nats.length(kStream); }, [&] { nats.kill(); },
      [&] { nats.start(); });
  const std::map<std::string, int> times = arrived();
  EXPECT_EQ(times.size(), static_cast<std::size_t>(kKills * kTasks));
  for (const auto& [id, count] : times) EXPECT_EQ(count, 1) << id << ": a stream knows repeats";
}

TEST_F(NatsEndToEnd, NothingIsLostWhereTheServerIsStoppedUnderLoad) {
  expect_nothing_lost_where_stopped(nats, [&] { return nats.length(kStream); });
}

TEST_F(NatsEndToEnd, WhatIsCancelledWhileTheServerIsAwayNeverArrives) {
  expect_cancelled_never_arrives([&] { nats.kill(); }, [&] { nats.start(); });
}

TEST_F(NatsEndToEnd, WhatIsCancelledWhileTheServerIsStoppedNeverArrives) {
  expect_cancelled_while_stopped_never_arrives(nats);
}

TEST_F(NatsEndToEnd, AFullStreamHoldsTheTargetAndCostsNoAttempts) {
  nats.make_stream("small", "small", 1);
  put(to_broker(R"(,"subject":"small","hold_max":"2s")"));
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
  expect_refused_credentials_are_failed_attempts("Authorization Violation");
}

}  // namespace
}  // namespace carillon::test
