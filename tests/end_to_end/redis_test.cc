// Streams of a real Redis server as receivers of a real carillond.

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/broker_fixture.h"
#include "tests/support/redis_server.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

class RedisEndToEnd : public OneBrokerEndToEnd {
 protected:
  [[nodiscard]] std::string to_broker(const std::string& more = {}) const override {
    return R"({"kind":"redis","url":")" + redis.url() + R"(","stream":"due")" + kHasty + more + "}";
  }
  [[nodiscard]] int length() { return std::stoi(redis.ask({"XLEN", "due"})); }
  /// How often each task is in the stream.
  [[nodiscard]] std::map<std::string, int> arrived() override {
    std::map<std::string, int> times;
    for (const RedisEntry& entry : redis.entries("due")) {
      ++times[field_of(entry, "carillon-task-id")];
    }
    return times;
  }

  RedisServer redis;
};

TEST_F(RedisEndToEnd, DueTasksBecomeEntriesAndATestPushToo) {
  put(to_broker());
  add("one");
  wait_until([&] { return state_of("one") == "delivered"; });
  const auto entries = redis.entries("due");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(field_of(entries[0], "body"), R"({"of":"one"})");
  EXPECT_EQ(field_of(entries[0], "carillon-attempt"), "1");
  EXPECT_THAT(field_of(entries[0], "webhook-id"), ::testing::StartsWith("msg_"));
  const auto test = server.call("POST", "/v1/targets/queue:test");
  EXPECT_THAT(test.body, HasSubstr(R"("status":null,"delivered":true)"));
  EXPECT_EQ(redis.entries("due").size(), 2U);
}

TEST_F(RedisEndToEnd, TheKindChangesWhileTasksFlowAndEachArrivesSomewhere) {
  const auto receiver = start_receiver();
  put(R"({"url":")" + receiver->url() + R"("})");
  constexpr int kTasks = 1000;
  add_many("early", kTasks, 1000);
  EXPECT_TRUE(receiver->wait_for_accepted(kTasks / 4, std::chrono::seconds(60)));
  put(to_broker());
  add_many("late", kTasks, 1000);
  wait_until_idle(server);
  const std::size_t by_http = receiver->summary().received;
  const std::map<std::string, int> by_redis = arrived();
  EXPECT_GE(by_http + by_redis.size(), static_cast<std::size_t>(2 * kTasks));
  for (int i = 0; i < kTasks; ++i) EXPECT_TRUE(by_redis.contains("late" + std::to_string(i)));
  EXPECT_EQ(number_at(server.call("GET", "/v1/targets/queue").body, "/concurrency"), 1000);

  put(R"({"url":")" + receiver->url() + R"("})");
  add("back");
  EXPECT_TRUE(receiver->wait_for_accepted(by_http + 1, std::chrono::seconds(60)));
}

TEST_F(RedisEndToEnd, NothingIsLostWhereTheBrokerIsKilledAndStartedUnderLoad) {
  constexpr int kKills = 3;
  constexpr int kTasks = 1500;
  expect_nothing_lost_over(
      kKills, kTasks, 1000, [&] { return length(); }, [&] { redis.kill(); },
      [&] { redis.start(); });
  EXPECT_EQ(arrived().size(), static_cast<std::size_t>(kKills * kTasks));
}

TEST_F(RedisEndToEnd, WhatIsCancelledWhileTheBrokerIsAwayNeverArrives) {
  expect_cancelled_never_arrives([&] { redis.kill(); }, [&] { redis.start(); });
}

TEST_F(RedisEndToEnd, WhatIsCancelledWhileTheBrokerIsSilentNeverArrives) {
  redis.freeze();
  put(to_broker(R"(,"timeout":"1s")"));
  add("late");
  wait_until([&] { return state_of("late") == "retrying"; });
  wait_until([&] { return server.call("DELETE", "/v1/tasks/late").ok(); });
  redis.go_on();
  put(to_broker());
  add("after");
  wait_until([&] { return state_of("after") == "delivered"; });
  EXPECT_EQ(arrived(), (std::map<std::string, int>{{"after", 1}}));
}

TEST_F(RedisEndToEnd, AFullBrokerHoldsTheTargetAndCostsNoAttempts) {
  put(to_broker(R"(,"hold_max":"5s")"));
  EXPECT_EQ(redis.ask({"CONFIG", "SET", "maxmemory", "1"}), "OK");
  const auto one_attempt = server.call(
      "POST", "/v1/tasks",
      R"({"id":"patient","delay":"1ms","target":"queue","payload":1,"retry":{"max_attempts":1}})");
  EXPECT_EQ(one_attempt.status, 201U) << one_attempt.body;
  wait_until([&] { return state_of("patient") == "retrying"; });
  wait_until([&] {
    return text_at(server.call("GET", "/v1/targets/queue").body, "/held/reason") == "unavailable";
  });
  EXPECT_EQ(redis.ask({"CONFIG", "SET", "maxmemory", "0"}), "OK");
  wait_until([&] { return state_of("patient") == "delivered"; });
}

TEST_F(RedisEndToEnd, APasswordIsNeverShownAndAFileForClientsLiesInTheirDirectory) {
  const auto put_answer =
      server.call("PUT", "/v1/targets/queue", to_broker(R"(,"password":"hidden-word")"));
  EXPECT_EQ(put_answer.status, 201U);
  EXPECT_THAT(put_answer.body, ::testing::Not(HasSubstr("hidden-word")));
  EXPECT_EQ(server.stop(), 0);
  EXPECT_THAT(server.process().errors(), ::testing::Not(HasSubstr("hidden-word")));

  write_file(dir / "password", "x");
  write_file(dir / "carillon.toml", "secrets_dir = \"" + dir.path().string() + "\"\n");
  Carillond configured(dir / "third", {"--config", dir / "carillon.toml"});
  ASSERT_TRUE(configured.start());
  EXPECT_EQ(configured
                .call("PUT", "/v1/targets/queue",
                      to_broker(R"(,"password_file":")" + dir / "password" + "\""))
                .status,
            201U);
  EXPECT_EQ(
      configured.call("PUT", "/v1/targets/queue", to_broker(R"(,"password_file":"/etc/group")"))
          .status,
      400U);
}

}  // namespace
}  // namespace carillon::test
