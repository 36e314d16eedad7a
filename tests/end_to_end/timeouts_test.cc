// Time-outs: tasks with long delays, nearly all of which are cancelled in time.

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

constexpr std::size_t kBatch = 1000;
constexpr Millis kPatience = std::chrono::minutes(5);

/// The tasks whose cancel falls before `until`; `next` is where the last call ended.
std::vector<Subscribers::Index> cancels_until(const TimeOuts& plan, std::size_t& next,
                                              WallTime until) {
  std::vector<Subscribers::Index> due;
  for (; next < plan.cancels.size() && plan.cancels[next].at < until; ++next) {
    due.push_back(plan.cancels[next].task);
  }
  return due;
}

class ManualClockTest : public ::testing::Test {
 protected:
  void start(int concurrency) {
    receiver = start_receiver();
    ASSERT_TRUE(server.start());
    put_target(server, *receiver, concurrency);
    api = server.connect();
    const auto now = parse_moment(text_at(server.call("GET", "/v1/stats").body, "/now"));
    ASSERT_TRUE(now);
    clock = *now;
    receiver->set_clock(clock);
  }

  /// Moves the server's clock to `to` and takes what came.
  void advance(TimeOuts& plan, WallTime to) {
    // Before the server's: what comes while it moves may be as late as that, but no later.
    receiver->set_clock(to);
    const std::string by = "{\"by\":" + std::to_string((to - clock).count()) + "}";
    clock = to;
    const auto answer = api->call("POST", "/v1/clock:advance", by);
    ASSERT_TRUE(answer) << answer.error().detail;
    ASSERT_TRUE(answer->ok()) << answer->body;
    EXPECT_EQ(text_at(answer->body, "/now"), format_moment(to));
    plan.people.take_arrivals(*receiver, &clock);
  }

  TempDir dir;
  std::unique_ptr<load::Receiver> receiver;
  Carillond server{dir / "data", {"--clock", "manual"}};
  std::unique_ptr<client::ApiClient> api;
  WallTime clock{};
};

// One push at a time: then the order in which they are handed over is the order of arrival.
TEST_F(ManualClockTest, ExactlyTheUncancelledArriveInDueOrderOverThirtyDays) {
  ASSERT_NO_FATAL_FAILURE(start(1));
  const WallTime begin = clock;
  const Millis horizon = std::chrono::days(30);
  TimeOuts plan(sized(5'000, 100'000), begin, std::chrono::seconds(1), horizon, 7);
  ASSERT_EQ(plan.people.add_all(*api, plan.all, kBatch), plan.all.size());

  // Steps that grow with the time that has passed, from half a second to a day.
  std::size_t next = 0;
  Millis passed{0};
  while (passed < horizon) {
    const Millis step = std::clamp(passed / 8, Millis(500), Millis(std::chrono::days(1)));
    passed = std::min(passed + step, horizon);
    // Whoever cancels before the step's end does so before the step: no cancel is too late.
    const auto cancels = cancels_until(plan, next, begin + passed);
    ASSERT_EQ(plan.people.cancel_all(*api, cancels, kBatch), cancels.size());
    ASSERT_NO_FATAL_FAILURE(advance(plan, begin + passed));
  }
  ASSERT_EQ(plan.people.to_come(), plan.left()) << "a cancel before the due was refused";

  EXPECT_TRUE(receiver->wait_for_accepted(plan.left(), kPatience));
  wait_until_idle(server);
  plan.people.take_arrivals(*receiver, &clock);
  const auto verdict = plan.people.ledger().judge({.may_repeat = false, .in_due_order = true});
  EXPECT_TRUE(verdict.good()) << verdict.text();
  EXPECT_EQ(verdict.delivered, plan.left());
  EXPECT_EQ(receiver->summary().early, 0U);
  EXPECT_EQ(server.stop(), 0);
}

TEST_F(ManualClockTest, AMillisecondBeforeItsDueNothingComes) {
  ASSERT_NO_FATAL_FAILURE(start(8));
  TimeOuts plan(1, clock, std::chrono::days(30), std::chrono::days(30), 1);
  ASSERT_EQ(plan.people.add_all(*api, plan.all, 1), 1U);
  ASSERT_NO_FATAL_FAILURE(advance(plan, clock + std::chrono::days(30) - Millis(1)));
  EXPECT_EQ(stat(server, "/counts/scheduled"), 1);
  EXPECT_EQ(receiver->summary().received, 0U);
  ASSERT_NO_FATAL_FAILURE(advance(plan, clock + Millis(1)));
  EXPECT_TRUE(receiver->wait_for_accepted(1, kPatience));
  EXPECT_EQ(receiver->summary().early, 0U);
}

TEST(TimeOuts, TheSameMixInRealTimeLosesNothingAndIsNeverEarly) {
  const TempDir dir;
  const auto receiver = start_receiver();
  Carillond server(dir / "data");
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, 64);
  const auto api = server.connect();
  const WallTime begin = wall_millis() + std::chrono::seconds(sized(1, 5));  // to add them all
  TimeOuts plan(sized(5'000, 100'000), begin, std::chrono::seconds(1),
                std::chrono::seconds(sized(8, 60)), 11);
  ASSERT_EQ(plan.people.add_all(*api, plan.all, kBatch), plan.all.size());

  // Each cancel goes out when its moment has come, so some race with their own push: either the
  // cancel is answered 200 and nothing comes, or 409 and it does.
  std::size_t next = 0;
  while (next < plan.cancels.size()) {
    const auto cancels = cancels_until(plan, next, wall_millis());
    ASSERT_EQ(plan.people.cancel_all(*api, cancels, kBatch), cancels.size());
    if (next < plan.cancels.size()) {
      std::this_thread::sleep_until(std::min(plan.cancels[next].at, wall_millis() + Millis(20)));
    }
  }
  EXPECT_TRUE(receiver->wait_for_accepted(plan.people.to_come(), kPatience));
  wait_until_idle(server);
  report("time-outs", receiver->summary());
  plan.people.take_arrivals(*receiver);
  const auto verdict = plan.people.ledger().judge({});
  EXPECT_TRUE(verdict.good()) << verdict.text();
  EXPECT_EQ(verdict.delivered, plan.people.to_come());
  EXPECT_GE(verdict.delivered, plan.left());
  EXPECT_EQ(receiver->summary().early, 0U);
}

}  // namespace
}  // namespace carillon::test
