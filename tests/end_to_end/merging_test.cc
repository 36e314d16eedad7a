// Two near reminders of one user are one push, on the real server: also across a kill -9 while
// they are pushed, and with some cancelled.

#include <iostream>

#include <gtest/gtest.h>

#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::size_t kBatch = 1000;
constexpr int kConcurrency = 64;
constexpr Millis kPatience = std::chrono::minutes(5);
constexpr Millis kApart = seconds(40);
constexpr Millis kWithin = seconds(60);

/// Users with two reminders each.
struct Users {
  Users(std::size_t count, WallTime due) {
    for (std::size_t user = 0; user < count; ++user) {
      const std::string part = "{user:" + std::to_string(user) + "}:";
      first.push_back(people.plan(part + "coupon", due, {}, kWithin));
      second.push_back(people.plan(part + "cart", due + kApart, {}, kWithin));
    }
  }
  void add_all(client::ApiClient& api) {
    ASSERT_EQ(people.add_all(api, first, kBatch), first.size());
    ASSERT_EQ(people.add_all(api, second, kBatch), second.size());
  }
  Subscribers people{"receiver"};
  std::vector<Subscribers::Index> first, second;
};

TEST(Merging, TwoNearRemindersOfEachUserAreOnePush) {
  const TempDir dir;
  const auto receiver = start_receiver();
  Carillond server(dir / "data", {"--clock", "manual"});
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, kConcurrency);
  const std::size_t count = sized(5'000, 200'000);
  const auto begin = wall_millis();
  Users users(count, begin + hours(1));
  const auto api = server.connect();
  ASSERT_NO_FATAL_FAILURE(users.add_all(*api));
  receiver->set_clock(begin + hours(1));
  ASSERT_TRUE(api->call("POST", "/v1/clock:advance", R"({"by":"1h10s"})"));
  ASSERT_TRUE(receiver->wait_for_accepted(2 * count, kPatience));
  wait_until_idle(server);
  const load::ReceiverSummary summary = receiver->summary();
  std::cout << "[ figures  ] merging: " << summary.received << " reminders in " << summary.pushes
            << " pushes\n";
  EXPECT_EQ(summary.pushes, count);
  EXPECT_EQ(summary.received, 2 * count);
  EXPECT_EQ(summary.early, count) << "the second of each";
  EXPECT_EQ(summary.bad, 0U);
  const WallTime clock = begin + hours(1);
  users.people.take_arrivals(*receiver, &clock);
  users.people.take_pending(*api);
  const auto verdict = users.people.ledger().judge({});
  EXPECT_TRUE(verdict.good()) << verdict.text();
  EXPECT_EQ(verdict.delivered, 2 * count);
}

TEST(Merging, KilledWhileItPushesItKeepsEveryPromise) {
  const TempDir dir;
  const auto receiver = start_receiver();
  Carillond server(dir / "data");
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, kConcurrency);
  const std::size_t count = sized(4'000, 50'000);
  Users users(count, wall_millis() + seconds(sized(15, 90)));
  ASSERT_NO_FATAL_FAILURE(users.add_all(*server.connect()));
  // A tenth do not want the one, a tenth not the other.
  std::vector<Subscribers::Index> cancelled;
  for (std::size_t user = 0; user + 1 < count; user += 10) {
    cancelled.push_back(users.first[user]);
    cancelled.push_back(users.second[user + 1]);
  }
  ASSERT_EQ(users.people.cancel_all(*server.connect(), cancelled, kBatch), cancelled.size());
  const std::uint64_t to_come = users.people.to_come();
  ASSERT_EQ(to_come, 2 * count - cancelled.size());

  ASSERT_TRUE(receiver->wait_for_accepted(to_come / 4, kPatience));
  server.kill();
  ASSERT_TRUE(server.start());
  ASSERT_TRUE(receiver->wait_for_accepted(to_come / 2, kPatience));
  server.kill();
  ASSERT_TRUE(server.start());
  wait_until_idle(server, seconds(300));
  users.people.take_arrivals(*receiver);
  users.people.take_pending(*server.connect());
  const auto verdict = users.people.ledger().judge({.may_repeat = true});
  EXPECT_TRUE(verdict.good()) << verdict.text();
  EXPECT_EQ(verdict.delivered, to_come);
  std::cout << "[ figures  ] merging with two crashes: " << receiver->summary().pushes
            << " pushes; " << verdict.text() << '\n';
}

}  // namespace
}  // namespace carillon::test
