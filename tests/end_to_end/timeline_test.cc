// What happened to a task, as the real server tells it: with its attempts, who operated on its
// group, and the same after a crash.

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Millis kPatience = std::chrono::seconds(30);

class TimelineRun : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server.start()); }

  void add(const std::string& id, const std::string& more = "") {
    const std::string task = R"({"id":")" + id + R"(","delay":"1m","group":"g","target":")" +
                             receiver->url() + "\"" + more + "}";
    ASSERT_EQ(server.call("POST", "/v1/tasks", task).status, 201U);
  }
  /// What is to be tried again waits on, since the clock stands still.
  void advance(const std::string& by) {
    ASSERT_EQ(server.call("POST", "/v1/clock:advance", R"({"by":")" + by + "\"}").status, 200U);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (stat(server, "/counts/firing") != 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(Millis(5));
    }
  }
  std::string timeline(const std::string& id) const {
    return server.call("GET", "/v1/tasks/" + id + "/timeline").body;
  }
  /// The names of its events.
  std::vector<std::string> events(const std::string& id) const {
    const std::string body = timeline(id);
    std::vector<std::string> names;
    for (int i = 0;; ++i) {
      std::string name = text_at(body, "/events/" + std::to_string(i) + "/event");
      if (name.empty()) return names;
      names.push_back(std::move(name));
    }
  }

  TempDir dir;
  std::unique_ptr<load::Receiver> receiver = start_receiver();
  Carillond server{dir / "data", {"--clock", "manual"}};
};

TEST_F(TimelineRun, TellsEachAttemptAndTheSameAfterACrash) {
  receiver->set_failing({.share = 0, .attempts = 2, .status = 503});
  add("a", R"(,"retry":{"backoff_min":"10s","backoff_max":"10s"})");
  advance("1m");
  advance("10s");
  advance("10s");
  ASSERT_THAT(events("a"), ElementsAre("created", "attempt", "attempt", "attempt", "delivered"));
  const std::string body = timeline("a");
  EXPECT_EQ(text_at(body, "/state"), "delivered");
  for (const char* failed : {"/events/1", "/events/2"}) {
    const std::string at(failed);
    EXPECT_EQ(text_at(body, at + "/outcome"), "failed");
    EXPECT_EQ(number_at(body, at + "/status"), 503);
    EXPECT_THAT(text_at(body, at + "/error"), HasSubstr("503"));
    EXPECT_GE(number_at(body, at + "/pause_ms"), 5'000);
    EXPECT_LE(number_at(body, at + "/pause_ms"), 10'000);
    EXPECT_GE(number_at(body, at + "/lateness_ms"), 0);
  }
  EXPECT_EQ(number_at(body, "/events/3/attempt"), 3);
  EXPECT_EQ(text_at(body, "/events/3/outcome"), "delivered");
  EXPECT_EQ(number_at(body, "/events/3/status"), 200);
  EXPECT_GE(number_at(body, "/events/3/duration_ms"), 0);
  server.kill();
  ASSERT_TRUE(server.start());
  EXPECT_EQ(timeline("a"), body);
}

TEST_F(TimelineRun, KeepsTheLast16AttemptsOfADeadLetterAlsoOverARedrive) {
  receiver->set_failing({.share = 1, .attempts = 0, .status = 500});
  add("a", R"(,"retry":{"max_attempts":20,"backoff_min":"1ms","backoff_max":"1ms"})");
  for (int i = 0; i < 25; ++i) advance("1m");
  ASSERT_EQ(text_at(timeline("a"), "/state"), "dead");
  std::string body = timeline("a");
  EXPECT_EQ(number_at(body, "/events/1/attempt"), 5);
  EXPECT_EQ(number_at(body, "/events/16/attempt"), 20);
  EXPECT_EQ(text_at(body, "/events/17/event"), "dead");
  receiver->set_failing({});
  ASSERT_EQ(server.call("POST", "/v1/dead/a:redrive").status, 200U);
  advance("1s");
  body = timeline("a");
  EXPECT_EQ(text_at(body, "/state"), "delivered") << body;
  EXPECT_EQ(number_at(body, "/events/16/attempt"), 20);
  EXPECT_EQ(text_at(body, "/events/17/event"), "redriven");
  EXPECT_EQ(number_at(body, "/events/18/attempt"), 21);
  EXPECT_LE(number_at(body, "/events/18/lateness_ms"), 1'000) << "since it was redriven";
}

TEST_F(TimelineRun, ADeadLetterThatWasNotPushedSaysWhyAndHasNoAttemptThatNeverWas) {
  ASSERT_EQ(server.call("PUT", "/v1/targets/shop", R"({"url":")" + receiver->url() + "\"}").status,
            201U);
  ASSERT_EQ(server.call("POST", "/v1/targets/shop:pause").status, 200U);
  ASSERT_EQ(server
                .call("POST", "/v1/tasks",
                      R"({"id":"late","delay":"1m","target":"shop","expire_after":"1m",
                          "on_expire":"dead"})")
                .status,
            201U);
  advance("5m");
  ASSERT_EQ(server.call("POST", "/v1/targets/shop:resume").status, 200U);
  advance("1s");
  ASSERT_THAT(events("late"), ElementsAre("created", "dead"));
  EXPECT_THAT(text_at(timeline("late"), "/events/1/error"), HasSubstr("expire_after"));
}

TEST_F(TimelineRun, SaysWhatWasChangedMovedAndCancelled) {
  add("a");
  add("b");
  advance("30s");
  EXPECT_EQ(server.call("PATCH", "/v1/tasks/a", R"({"payload":2})").status, 200U);
  ASSERT_THAT(events("a"), ElementsAre("created", "changed"));
  EXPECT_EQ(server.call("PATCH", "/v1/tasks/a", R"({"delay":"1h"})").status, 200U);
  ASSERT_THAT(events("a"), ElementsAre("created", "changed", "moved"));
  const std::string moved = timeline("a");
  EXPECT_EQ(text_at(moved, "/events/2/due_at"),
            text_at(server.call("GET", "/v1/tasks/a").body, "/due_at"));
  EXPECT_NE(text_at(moved, "/events/2/from"), text_at(moved, "/events/2/due_at"));
  EXPECT_EQ(server.call("POST", "/v1/groups/g:shift", R"({"by":"10m"})").status, 200U);
  EXPECT_EQ(server.call("POST", "/v1/groups/g:cancel").status, 200U);
  EXPECT_THAT(events("b"),
              ElementsAre("created", "moved", "group_shift", "group_cancel", "cancelled"));
  const std::string cancelled = timeline("b");
  EXPECT_EQ(number_at(cancelled, "/events/2/result/shifted"), 2) << cancelled;
  EXPECT_EQ(server.call("GET", "/v1/tasks/nobody/timeline").status, 404U);
}

}  // namespace
}  // namespace carillon::test
