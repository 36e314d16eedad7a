// Pushes of several tasks on the real server: a burst arrives whole and in time, single tasks that
// fail come again and no other does, and a batch is changed and ended while tasks flow.

#include <iostream>

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

constexpr Millis kPatience = std::chrono::minutes(5);

class BatchesRun : public testing::Test {
 protected:
  BatchesRun() { EXPECT_TRUE(server.start()); }

  void add(const std::string& name, std::size_t count, WallTime due) {
    constexpr std::size_t kAtOnce = 5000;
    const auto api = server.connect();
    for (std::size_t i = 0; i < count;) {
      std::string tasks;
      for (const std::size_t end = std::min(count, i + kAtOnce); i < end; ++i) {
        tasks += std::string(tasks.empty() ? "[" : ",") + R"({"id":")" + name + "-" +
                 std::to_string(i) + R"(","target":"receiver","due_at":)" +
                 std::to_string(due.time_since_epoch().count()) +
                 R"(,"payload":{"user":"somebody","text":"Your coupon ends today","n":)" +
                 std::to_string(i) + "}}";
      }
      const auto answer = api->call("POST", "/v1/tasks:batchCreate", tasks + "]");
      ASSERT_TRUE(answer) << answer.error().detail;
      ASSERT_EQ(number_at(answer->body, "/failed"), 0) << answer->body.substr(0, 500);
    }
  }

  const TempDir dir;
  const std::unique_ptr<load::Receiver> receiver = start_receiver();
  Carillond server{dir / "data"};
};

TEST_F(BatchesRun, ABurstArrivesWholeAndOnceAndIsConfirmed) {
  const std::size_t tasks = sized(20'000, 200'000);
  put_target(server, *receiver, 8, R"(,"batch":{"tasks_max":500})");
  const WallTime due = wall_millis() + std::chrono::seconds(sized(5, 15));
  add("burst", tasks, due);
  ASSERT_LT(wall_millis(), due) << "the adds must come first";
  ASSERT_TRUE(receiver->wait_for_accepted(tasks, kPatience));
  const Millis arrived = wall_millis() - due;
  while (stat(server, "/counts/delivered") < static_cast<std::int64_t>(tasks)) {
    ASSERT_LT(wall_millis() - due, kPatience);
  }
  const Millis confirmed = wall_millis() - due;
  const load::ReceiverSummary summary = receiver->summary();
  std::cout << "[ figures  ] batches: " << tasks << " due in a millisecond were there after "
            << arrived.count() << " ms, and confirmed after " << confirmed.count() << " ms, on "
            << summary.connections << " connections\n";
  EXPECT_EQ(summary.received, tasks);
  EXPECT_EQ(summary.early, 0U);
  EXPECT_EQ(summary.duplicates, 0U);
  EXPECT_EQ(summary.bad, 0U);
  EXPECT_LE(summary.connections, 8U);
  EXPECT_EQ(summary.number_sum, tasks * (tasks - 1) / 2);
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

TEST_F(BatchesRun, TasksThatFailAloneComeAgainAndTheOthersDoNot) {
  constexpr std::size_t kTasks = 5000;
  put_target(server, *receiver, 8,
             R"(,"batch":{"tasks_max":100},"retry":{"backoff_min":"10ms","backoff_max":"50ms"})");
  receiver->set_failing({.share = 0.2, .status = 500});
  add("some", kTasks, wall_millis());
  ASSERT_TRUE(receiver->wait_for_accepted(kTasks, kPatience));
  wait_until_idle(server);
  EXPECT_EQ(receiver->summary().duplicates, 0U);
  EXPECT_GT(receiver->summary().received, kTasks * 11 / 10);
  EXPECT_EQ(stat(server, "/counts/delivered"), static_cast<std::int64_t>(kTasks));
  EXPECT_EQ(text_at(server.call("GET", "/v1/targets/receiver").body, "/held/reason"), "");
}

TEST_F(BatchesRun, ABatchIsChangedAndEndedWhileTasksFlow) {
  const auto slow = start_receiver(Millis(5));
  put_target(server, *slow, 2, R"(,"batch":{"tasks_max":1})");
  add("flow", 20'000, wall_millis());
  const auto rate_of = [&](std::size_t count) {
    static_cast<void>(slow->take_arrivals());
    EXPECT_TRUE(slow->wait_for_accepted(slow->summary().accepted + count, kPatience));
    const auto arrivals = slow->take_arrivals();
    return static_cast<double>(arrivals.size()) /
           std::chrono::duration<double>(arrivals.back().at - arrivals.front().at).count();
  };
  const auto set_batch = [&](const std::string& batch) {
    const auto answer = server.call("PATCH", "/v1/targets/receiver", R"({"batch":)" + batch + "}");
    EXPECT_TRUE(answer.ok()) << answer.body;
  };
  const double alone = rate_of(200);
  set_batch(R"({"tasks_max":100})");
  rate_of(200);
  const double many = rate_of(4000);
  EXPECT_GT(many, 10 * alone);
  set_batch("null");
  rate_of(200);
  EXPECT_LT(rate_of(200), 3 * alone);
  set_batch(R"({"tasks_max":1000})");
  ASSERT_TRUE(slow->wait_for_accepted(20'000, kPatience));
  EXPECT_EQ(slow->summary().duplicates, 0U);
  std::cout << "[ figures  ] batches: 2 pushes at once to a receiver that takes 5 ms: " << alone
            << " tasks a second alone, " << many << " by the hundred\n";
}

}  // namespace
}  // namespace carillon::test
