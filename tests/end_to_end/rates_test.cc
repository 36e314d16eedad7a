// Rates, breakers and live changes on the real server: no window has more than the limit and the
// burst, little of the limit is left unused, lanes have their shares of it, a receiver that fails
// is left alone and costs no task its attempts, and a change counts while tasks flow.

#include <algorithm>
#include <iostream>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

constexpr Millis kPatience = std::chrono::minutes(5);

class RatesRun : public testing::Test {
 protected:
  RatesRun() { EXPECT_TRUE(server.start()); }

  /// So many tasks of each of these lanes, due at once.
  void add(const std::vector<std::string>& lanes, std::size_t count, WallTime due) {
    constexpr std::size_t kBatch = 5000;
    const auto api = server.connect();
    for (const std::string& lane : lanes) {
      for (std::size_t i = 0; i < count;) {
        std::string tasks;
        for (const std::size_t end = std::min(count, i + kBatch); i < end; ++i) {
          tasks += std::string(tasks.empty() ? "[" : ",") + R"({"id":")" + lane + ":" +
                   std::to_string(i) + R"(","target":"receiver","lane":")" + lane +
                   R"(","due_at":)" + std::to_string(due.time_since_epoch().count()) + "}";
        }
        const auto answer = api->call("POST", "/v1/tasks:batchCreate", tasks + "]");
        ASSERT_TRUE(answer) << answer.error().detail;
        ASSERT_EQ(number_at(answer->body, "/failed"), 0) << answer->body.substr(0, 500);
      }
    }
  }
  /// The most that arrived within `window`, wherever it lies.
  static std::size_t most_within(const std::vector<load::Arrival>& arrivals, Millis window) {
    std::size_t most = 0;
    std::size_t first = 0;
    for (std::size_t last = 0; last < arrivals.size(); ++last) {
      while (arrivals[last].at - arrivals[first].at >= window) ++first;
      most = std::max(most, last - first + 1);
    }
    return most;
  }
  /// With 10,000 tasks due at once a quarter goes; then what is said of the last one comes true.
  void expect_that_it_comes_true(load::Receiver& from, const std::string& waits_for) {
    constexpr std::size_t kTasks = 10'000;
    add({"default"}, kTasks, wall_millis());
    ASSERT_TRUE(from.wait_for_accepted(kTasks / 4, kPatience));
    const WallTime asked = wall_millis();
    const std::string last = "default:" + std::to_string(kTasks - 1);
    const std::string why = server.call("GET", "/v1/tasks/" + last + "/explain").body;
    EXPECT_EQ(text_at(why, "/waiting_for"), waits_for) << why;
    const Result<WallTime> expected = parse_moment(text_at(why, "/expected_at"));
    ASSERT_TRUE(expected) << why;
    ASSERT_TRUE(from.wait_for_accepted(kTasks, kPatience));
    const std::vector<load::Arrival> arrivals = from.take_arrivals();
    const auto arrived = std::ranges::find(arrivals, last, &load::Arrival::task_id);
    ASSERT_NE(arrived, arrivals.end());
    const auto said = std::chrono::duration<double>(*expected - asked).count();
    const auto took = std::chrono::duration<double>(arrived->at - asked).count();
    std::cout << "[ figures  ] explain: said " << said << " s, took " << took << " s\n";
    EXPECT_NEAR(said, took, 0.2 * took);
  }
  static double seconds_of(const std::vector<load::Arrival>& arrivals) {
    return std::chrono::duration<double>(arrivals.back().at - arrivals.front().at).count();
  }
  static std::map<std::string, std::size_t> by_lane(const std::vector<load::Arrival>& arrivals) {
    std::map<std::string, std::size_t> lanes;
    for (const load::Arrival& its : arrivals) {
      ++lanes[its.task_id.substr(0, its.task_id.find(':'))];
    }
    return lanes;
  }

  const TempDir dir;
  const std::unique_ptr<load::Receiver> receiver = start_receiver();
  Carillond server{dir / "data"};
};

TEST_F(RatesRun, ARateIsHeldInEveryWindowAndSharedBetweenLanes) {
  constexpr std::size_t kLimit = 500;
  constexpr std::size_t kBurst = 25;
  const std::size_t seconds = sized(6, 60);
  put_target(server, *receiver, 64, R"(,"rate":{"limit":500,"burst":25})");
  ASSERT_TRUE(server.call("PUT", "/v1/lanes/bulk", R"({"weight":1})").ok());
  ASSERT_TRUE(server.call("PUT", "/v1/lanes/urgent", R"({"reserved":0.5})").ok());
  // Each has enough for as long as both are looked at.
  const std::size_t each = kLimit * seconds * 3 / 4;
  const WallTime due = wall_millis() + std::chrono::seconds(3);
  add({"bulk", "urgent"}, each, due);
  ASSERT_TRUE(receiver->wait_for_accepted(2 * each, kPatience));
  std::vector<load::Arrival> arrivals = receiver->take_arrivals();
  const std::size_t most = most_within(arrivals, std::chrono::seconds(1));
  const double took = seconds_of(arrivals);
  const double rate = static_cast<double>(2 * each) / took;
  std::vector<load::Arrival> while_both(arrivals.begin(),
                                        arrivals.begin() + static_cast<std::ptrdiff_t>(each));
  const auto lanes = by_lane(while_both);
  std::cout << "[ figures  ] rates: 500 a second and a burst of 25 for " << took << " s: " << rate
            << " a second, at most " << most << " in a second; of a lane that reserved half "
            << lanes.at("urgent") << " of " << each << "\n";
  // A push is counted where it starts; on its way to the receiver it may be held up.
  EXPECT_LE(most, kLimit + kBurst + sized(kLimit / 10, kLimit / 100));
  EXPECT_GE(rate, static_cast<double>(kLimit) * 0.95);
  EXPECT_NEAR(static_cast<double>(lanes.at("urgent")), static_cast<double>(each) * 0.75,
              static_cast<double>(each) * 0.03);
  EXPECT_EQ(receiver->summary().early, 0U);
  EXPECT_EQ(receiver->summary().duplicates, 0U);
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

TEST_F(RatesRun, WhatIsExplainedOfARateComesTrue) {
  put_target(server, *receiver, 64, R"(,"rate":{"limit":2000})");
  expect_that_it_comes_true(*receiver, "target_rate");
}

TEST_F(RatesRun, WhatIsExplainedOfABusyReceiverComesTrue) {
  const auto slow = start_receiver(Millis(50));
  put_target(server, *slow, 64);
  expect_that_it_comes_true(*slow, "target_concurrency");
}

TEST_F(RatesRun, ARateIsChangedAndTakenAwayWhileTasksFlow) {
  constexpr std::size_t kTasks = 6000;
  put_target(server, *receiver, 64, R"(,"rate":{"limit":200})");
  add({"default"}, kTasks, wall_millis());
  ASSERT_TRUE(receiver->wait_for_accepted(200, kPatience));
  const auto set_rate = [&](const std::string& rate) {
    const auto answer = server.call("PATCH", "/v1/targets/receiver", R"({"rate":)" + rate + "}");
    EXPECT_TRUE(answer.ok()) << answer.body;
  };
  set_rate(R"({"limit":1000})");
  EXPECT_EQ(number_at(server.call("GET", "/v1/targets/receiver").body, "/rate/limit"), 1000);
  static_cast<void>(receiver->take_arrivals());
  ASSERT_TRUE(receiver->wait_for_accepted(2200, kPatience));
  const std::vector<load::Arrival> faster = receiver->take_arrivals();
  const double rate = static_cast<double>(faster.size()) / seconds_of(faster);
  std::cout << "[ figures  ] rates: after a change from 200 to 1000 a second: " << rate << "\n";
  EXPECT_GT(rate, 700);
  EXPECT_LT(rate, 1100);
  set_rate("null");
  const WallTime began = wall_millis();
  ASSERT_TRUE(receiver->wait_for_accepted(kTasks, kPatience));
  EXPECT_LT(wall_millis() - began, std::chrono::seconds(3)) << "nothing holds them up any more";
}

TEST_F(RatesRun, ABreakerOpensAndClosesAndBurnsNoAttempt) {
  constexpr std::size_t kTasks = 1000;
  constexpr Millis kOutage = std::chrono::seconds(3);
  put_target(server, *receiver, 8,
             R"(,"breaker":{"failures":10,"open_for":"200ms","open_max":"400ms"},)"
             R"("retry":{"max_attempts":3,"backoff_min":"10ms","backoff_max":"20ms"})");
  receiver->set_failing({.share = 1.0, .status = 500});
  const WallTime began = wall_millis();
  add({"default"}, kTasks, began);
  const auto target = [&] { return server.call("GET", "/v1/targets/receiver").body; };
  while (text_at(target(), "/held/reason") != "failing") {
    ASSERT_LT(wall_millis() - began, kPatience);
  }
  const std::string explained = server.call("GET", "/v1/tasks/default:999/explain").body;
  EXPECT_EQ(text_at(explained, "/waiting_for"), "target_held") << explained;
  EXPECT_NE(
      server.call("GET", "/metrics").body.find(R"(carillon_target_held{target="receiver"} 1)"),
      std::string::npos);
  while (wall_millis() - began < kOutage) static_cast<void>(target());
  const std::uint64_t in_vain = receiver->summary().received;
  receiver->set_failing({.share = 0});
  ASSERT_TRUE(receiver->wait_for_accepted(kTasks, kPatience));
  wait_until_idle(server);
  std::cout << "[ figures  ] breaker: " << in_vain << " pushes in an outage of 3 s\n";
  // Ten open it, seven more were under way, and then one goes out every 200 ms and then 400 ms.
  EXPECT_LE(in_vain, 10U + 7U + 9U);
  EXPECT_GE(in_vain, 10U + 3U) << "it is tried";
  EXPECT_EQ(stat(server, "/counts/dead"), 0);
  EXPECT_EQ(stat(server, "/counts/delivered"), static_cast<std::int64_t>(kTasks));
  EXPECT_EQ(text_at(target(), "/held/reason"), "");
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

TEST_F(RatesRun, AWeightAConcurrencyABreakerAndAPauseAreChangedWhileTasksFlow) {
  const auto slow = start_receiver(Millis(5));
  put_target(server, *slow, 4);
  for (const char* lane : {"one", "other"}) {
    ASSERT_TRUE(server.call("PUT", std::string("/v1/lanes/") + lane, "{}").ok());
  }
  const std::size_t each = sized(12'000, 60'000);
  add({"one", "other"}, each, wall_millis());
  const auto next = [&](std::size_t count) {
    static_cast<void>(slow->take_arrivals());
    EXPECT_TRUE(slow->wait_for_accepted(slow->summary().accepted + count, kPatience));
    return slow->take_arrivals();
  };
  const auto change = [&](const std::string& path, const std::string& to,
                          const std::string& method = "PATCH") {
    const auto answer = server.call(method, path, to);
    EXPECT_TRUE(answer.ok()) << answer.body;
  };
  const std::vector<load::Arrival> narrow = next(1000);
  EXPECT_NEAR(static_cast<double>(by_lane(narrow)["one"]), 500, 25);
  change("/v1/lanes/one", R"({"weight":4})", "PUT");
  next(100);
  EXPECT_NEAR(static_cast<double>(by_lane(next(1000))["one"]), 800, 25);
  change("/v1/targets/receiver", R"({"concurrency":32})");
  next(100);
  const std::vector<load::Arrival> wide = next(2000);
  EXPECT_GT(2000 / seconds_of(wide), 2 * 1000 / seconds_of(narrow));
  change("/v1/targets/receiver:pause", "", "POST");
  std::this_thread::sleep_for(Millis(300));
  static_cast<void>(slow->take_arrivals());
  std::this_thread::sleep_for(Millis(500));
  EXPECT_TRUE(slow->take_arrivals().empty()) << "paused";
  change("/v1/targets/receiver:resume", "", "POST");
  next(500);
  slow->set_failing({.share = 1.0, .status = 503});
  change("/v1/targets/receiver",
         R"({"breaker":{"failures":5,"open_for":"1d","open_max":"1d"},"concurrency":64})");
  while (text_at(server.call("GET", "/v1/targets/receiver").body, "/held/reason").empty()) {
  }
  slow->set_failing({.share = 0});
  change("/v1/targets/receiver", R"({"breaker":{"failures":0}})");
  next(500);
  ASSERT_TRUE(slow->wait_for_accepted(2 * each, kPatience)) << "nothing is left behind";
  EXPECT_EQ(slow->summary().duplicates, 0U);
}

}  // namespace
}  // namespace carillon::test
