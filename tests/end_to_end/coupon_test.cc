// Coupon reminders: many users, one instant, some of whom cancelled.

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

constexpr std::size_t kBatch = 1000;
constexpr int kConcurrency = 256;
constexpr Millis kPatience = std::chrono::minutes(5);

/// An instant that leaves time to subscribe everyone, however slow this machine is at the moment:
/// measured by subscribing a few to a coupon of their own.
WallTime instant_for(client::ApiClient& api, std::size_t users) {
  const auto begin = wall_millis();
  Coupon rehearsal(kBatch, begin + std::chrono::hours(1), "rehearsal");
  EXPECT_EQ(rehearsal.people.add_all(api, rehearsal.subscribing, kBatch), kBatch);
  EXPECT_TRUE(api.call("POST", "/v1/groups/rehearsal:cancel"));
  const Millis took = wall_millis() - begin;
  return wall_millis() + std::chrono::seconds(5) +
         std::min<Millis>(took * static_cast<int>(3 * users / kBatch), Millis(users / 2));
}

/// Cancels in batches, and the last hundred one by one.
void cancel(Coupon& coupon, client::ApiClient& api) {
  const std::span<const Subscribers::Index> all(coupon.cancelling);
  const std::size_t batched = all.size() - 100;
  ASSERT_EQ(coupon.people.cancel_all(api, all.first(batched), kBatch), batched);
  for (const auto task : all.subspan(batched)) ASSERT_TRUE(coupon.people.cancel_one(api, task));
}

TEST(Coupon, EachWhoDidNotCancelIsRemindedOnceAndNotEarly) {
  const TempDir dir;
  const auto receiver = start_receiver();
  Carillond server(dir / "data");
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, kConcurrency);
  const std::size_t users = sized(20'000, 200'000);
  const auto api = server.connect();
  Coupon coupon(users, instant_for(*api, users));

  ASSERT_EQ(coupon.people.add_all(*api, coupon.subscribing, kBatch), users);
  cancel(coupon, *api);
  ASSERT_EQ(coupon.people.add_all(*api, coupon.again, kBatch), coupon.again.size());
  ASSERT_EQ(coupon.people.to_come(), coupon.reminded());
  EXPECT_EQ(stat(server, "/counts/scheduled"), static_cast<std::int64_t>(coupon.reminded()));

  EXPECT_TRUE(receiver->wait_for_accepted(coupon.reminded(), kPatience));
  wait_until_idle(server);
  report("coupon", receiver->summary());
  coupon.people.take_arrivals(*receiver);
  coupon.people.take_pending(*api);
  const auto verdict = coupon.people.ledger().judge({});
  EXPECT_TRUE(verdict.good()) << verdict.text();
  EXPECT_EQ(verdict.delivered, coupon.reminded());
  EXPECT_EQ(receiver->summary().received, coupon.reminded());
  EXPECT_EQ(receiver->summary().early, 0U);
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

TEST(Coupon, GroupCancelStopsEveryReminderAtOnce) {
  const TempDir dir;
  const auto receiver = start_receiver();
  Carillond server(dir / "data", {"--clock", "manual"});
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, kConcurrency);
  const std::size_t users = sized(5'000, 200'000);
  const WallTime due = wall_millis() + std::chrono::hours(1);
  Coupon coupon(users, due);
  const auto api = server.connect();
  ASSERT_EQ(coupon.people.add_all(*api, coupon.subscribing, kBatch), users);

  const auto cancelled = api->call("POST", "/v1/groups/coupon1:cancel");
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->body, "{\"cancelled\":" + std::to_string(users) + ",\"firing\":0}");
  ASSERT_TRUE(api->call("POST", "/v1/clock:advance", R"({"by":"2h"})"));
  wait_until_idle(server);
  EXPECT_EQ(receiver->summary().received, 0U);
}

}  // namespace
}  // namespace carillon::test
