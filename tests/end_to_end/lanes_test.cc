// Lanes on the real server: what is important is punctual beside a crowd for the same target, slots
// are shared by weight, and nobody starves.

#include <algorithm>
#include <iostream>
#include <map>

#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

constexpr Millis kPatience = std::chrono::minutes(5);
constexpr Millis kAnswerDelay{5};

class LanesRun : public testing::Test {
 protected:
  LanesRun() { EXPECT_TRUE(server.start()); }

  void put_lane(const std::string& name, const std::string& settings) {
    ASSERT_TRUE(server.call("PUT", "/v1/lanes/" + name, settings).ok());
  }
  /// So many tasks of the lane, due one after the other, `apart` each.
  void add(const std::string& lane, std::size_t count, WallTime due,
           std::chrono::microseconds apart = {}) {
    constexpr std::size_t kBatch = 5000;
    for (std::size_t i = 0; i < count;) {
      std::string tasks;
      for (const std::size_t end = std::min(count, i + kBatch); i < end; ++i) {
        const auto at = due + std::chrono::floor<Millis>(apart * static_cast<std::int64_t>(i));
        tasks += R"({"id":")" + lane + ":" + std::to_string(i) +
                 R"(","target":"receiver","lane":")" + lane + R"(","due_at":)" +
                 std::to_string(at.time_since_epoch().count()) + "}\n";
      }
      const auto answer = api->call("POST", "/v1/tasks:batchCreate", "[" + joined(tasks) + "]");
      ASSERT_TRUE(answer) << answer.error().detail;
      ASSERT_TRUE(answer->ok()) << answer->body.substr(0, 500);
      ASSERT_EQ(number_at(answer->body, "/failed"), 0) << answer->body.substr(0, 500);
    }
  }
  static std::string joined(std::string lines) {
    lines.pop_back();
    std::ranges::replace(lines, '\n', ',');
    return lines;
  }
  /// What came first, counted by lane.
  std::map<std::string, std::size_t> first_arrivals(std::size_t count) {
    std::map<std::string, std::size_t> lanes;
    auto arrivals = receiver->take_arrivals();
    arrivals.resize(std::min(arrivals.size(), count));
    for (const load::Arrival& its : arrivals) {
      ++lanes[its.task_id.substr(0, its.task_id.find(':'))];
    }
    return lanes;
  }

  const TempDir dir;
  const std::unique_ptr<load::Receiver> receiver = start_receiver(kAnswerDelay);
  Carillond server{dir / "data"};
  std::unique_ptr<client::ApiClient> api;
};

TEST_F(LanesRun, WhatIsCriticalIsPunctualBesideABurstForTheSameTarget) {
  const std::size_t burst = sized(20'000, 200'000);
  const std::size_t critical = sized(3'000, 20'000);
  const Millis late_max(static_cast<std::int64_t>(sized(100, 25)));
  api = server.connect();
  put_target(server, *receiver, 64);
  put_lane("bulk", "{}");
  put_lane("critical", R"({"reserved":0.2})");
  const WallTime due = wall_millis() + std::chrono::seconds(4) + Millis(burst / 20);
  add("critical", critical, due - Millis(500), std::chrono::milliseconds(1));
  add("bulk", burst, due);
  ASSERT_LT(wall_millis(), due - Millis(500)) << "adding took too long";
  ASSERT_TRUE(receiver->wait_for_accepted(burst + critical, kPatience));
  std::vector<std::chrono::microseconds> lateness;
  WallTime last{};
  for (const load::Arrival& its : receiver->take_arrivals()) {
    if (its.task_id.starts_with("critical")) {
      lateness.push_back(its.at - its.due);
    } else {
      last = std::max(last, std::chrono::floor<Millis>(its.at));
    }
  }
  ASSERT_EQ(lateness.size(), critical);
  std::ranges::sort(lateness);
  const auto p99 = lateness[critical * 99 / 100];
  std::cout << "[ figures  ] lanes: burst of " << burst << " took " << (last - due).count()
            << " ms; critical beside it: p50 " << lateness[critical / 2].count() << " us, p99 "
            << p99.count() << " us, max " << lateness.back().count() << " us\n";
  EXPECT_LT(p99, late_max);
  EXPECT_EQ(receiver->summary().early, 0U);
  const std::string seen = server.call("GET", "/v1/lanes/critical").body;
  EXPECT_EQ(number_at(seen, "/lateness_ms/count"), static_cast<std::int64_t>(critical)) << seen;
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

TEST_F(LanesRun, TwoThatAreBackloggedShareByWeight) {
  constexpr std::size_t kEach = 9000;
  constexpr std::size_t kFirst = 9000;
  api = server.connect();
  put_target(server, *receiver, 64);
  put_lane("heavy", R"({"weight":8})");
  put_lane("light", R"({"weight":1})");
  ASSERT_TRUE(server.call("POST", "/v1/targets/receiver:pause").ok());
  const WallTime due = wall_millis();
  add("heavy", kEach, due);
  add("light", kEach, due);
  ASSERT_TRUE(server.call("POST", "/v1/targets/receiver:resume").ok());
  ASSERT_TRUE(receiver->wait_for_accepted(2 * kEach, kPatience));
  auto lanes = first_arrivals(kFirst);
  const double ratio = static_cast<double>(lanes["heavy"]) / static_cast<double>(lanes["light"]);
  std::cout << "[ figures  ] lanes: weights 8 and 1 shared " << lanes["heavy"] << " to "
            << lanes["light"] << "\n";
  EXPECT_NEAR(ratio, 8, 8 * 0.05);
}

TEST_F(LanesRun, AtAConcurrencyOfOneAndOfTwoNobodyStarves) {
  for (const int concurrency : {1, 2}) {
    constexpr std::size_t kEach = 200;
    api = server.connect();
    put_target(server, *receiver, concurrency);
    put_lane("heavy", R"({"weight":8})");
    put_lane("reserved", R"({"weight":1,"reserved":0.3})");
    put_lane("light", R"({"weight":1})");
    ASSERT_TRUE(server.call("POST", "/v1/targets/receiver:pause").ok());
    const WallTime due = wall_millis();
    for (const char* lane : {"heavy", "light", "reserved"}) add(lane, kEach, due);
    const std::uint64_t before = receiver->summary().accepted;
    ASSERT_TRUE(server.call("POST", "/v1/targets/receiver:resume").ok());
    ASSERT_TRUE(receiver->wait_for_accepted(before + 3 * kEach, kPatience));
    auto lanes = first_arrivals(200);
    EXPECT_GE(lanes["light"], 8U) << concurrency;
    EXPECT_GE(lanes["reserved"], 50U) << concurrency;
    EXPECT_GE(lanes["heavy"], 50U) << concurrency;
    wait_until_idle(server);
  }
}

}  // namespace
}  // namespace carillon::test
