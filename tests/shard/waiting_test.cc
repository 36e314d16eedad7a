// What the shard says a task waits for.
#include "tests/shard/shard_fixture.h"

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class WaitingTest : public ShardTest {
 protected:
  void put(const record::TargetPut& target) {
    driver.shard().submit(target, 0);
    driver.run();
  }
  /// So many of them, due now; what is fired stays under way.
  void add(std::uint64_t from, std::uint64_t to, LaneNumber lane = kDefaultLane) {
    for (std::uint64_t id = from; id <= to; ++id) {
      command::Add add = HandDriver::add(id, driver.now());
      add.task.lane = lane;
      driver.shard().submit(std::move(add), 0);
    }
    driver.run();
  }
  std::string what(std::uint64_t id) {
    const auto waiting = driver.shard().waiting(fingerprint(id));
    return waiting ? std::string(name_of(waiting->what)) : "nothing";
  }
  Waiting waiting(std::uint64_t id) { return driver.shard().waiting(fingerprint(id)).value(); }
};

TEST_F(WaitingTest, one_that_is_not_there_or_firing_waits_for_nothing) {
  EXPECT_EQ(what(1), "nothing");
  add(1, 1);
  EXPECT_EQ(what(1), "nothing");
}

TEST_F(WaitingTest, one_waits_for_its_due_and_what_is_decided_for_the_commit) {
  ask(HandDriver::add(1, start + hours(1)));
  EXPECT_EQ(what(1), "due");
  EXPECT_EQ(waiting(1).until, start + hours(1));
  driver.shard().submit(command::Cancel{fingerprint(1)}, 0);
  EXPECT_EQ(what(1), "commit");
}

TEST_F(WaitingTest, one_that_failed_waits_for_its_retry) {
  add(1, 1);
  const Fired fired = driver.take().fired.at(0);
  driver.shard().outcome(fired, State::retrying, start + minutes(1),
                         Note{start, 1, 422, "422", start});
  driver.run();
  EXPECT_EQ(what(1), "retry");
  EXPECT_EQ(waiting(1).until, start + minutes(1));
}

TEST_F(WaitingTest, one_waits_for_a_slot_of_its_target_and_knows_how_many_are_ahead) {
  put(HandDriver::target(1, 2));
  add(1, 12);
  EXPECT_EQ(what(3), "target_concurrency");
  EXPECT_EQ(waiting(3).ahead, 0U);
  EXPECT_EQ(waiting(12).ahead, 9U);
  put(HandDriver::target(1, 2, /*paused=*/true));
  EXPECT_EQ(what(12), "target_paused");
}

TEST_F(WaitingTest, how_fast_others_went_tells_when_one_goes) {
  put(HandDriver::target(1, 5));
  add(1, 1'000);
  EXPECT_EQ(waiting(1'000).until, std::nullopt) << "nobody can tell yet";
  // Five each 100 ms.
  for (int step = 1; step <= 25; ++step) {
    driver.set_now(start + Millis(100 * step));
    for (const Fired& fired : driver.take().fired)
      driver.shard().outcome(fired, State::delivered, {}, {});
    driver.run();
  }
  const std::uint64_t ahead = waiting(1'000).ahead;
  EXPECT_GT(ahead, 850U);
  const auto expected = driver.now() + seconds(static_cast<std::int64_t>(ahead) / 50);
  ASSERT_TRUE(waiting(1'000).until);
  EXPECT_LT(std::chrono::abs(*waiting(1'000).until - expected), seconds(2));
  // Where none has gone for two seconds nobody can tell again.
  driver.set_now(driver.now() + seconds(5));
  driver.run();
  EXPECT_EQ(waiting(1'000).until, std::nullopt);
}

TEST_F(WaitingTest, one_waits_for_the_rate_of_its_target_and_knows_about_when) {
  record::TargetPut rated = HandDriver::target(1);
  rated.rate.limit = 10;
  put(rated);
  add(1, 101);
  EXPECT_EQ(what(101), "target_rate");
  EXPECT_EQ(waiting(101).ahead, 100U);
  EXPECT_EQ(waiting(101).until, start + Millis(10'100));
  // Of two lanes the one that reserved half has three quarters.
  ask(command::LanePut{"fast", 1, 500});
  add(201, 400, 1);
  EXPECT_EQ(waiting(275).ahead, 74U);
  EXPECT_EQ(waiting(275).until, start + seconds(10));
}

TEST_F(WaitingTest, one_waits_for_the_end_of_a_hold_and_knows_its_reason) {
  add(1, 1);
  const Fired fired = driver.take().fired.at(0);
  driver.shard().outcome(
      fired, State::retrying, start + seconds(30), Note{start, 1, 429, "429"},
      Trouble{start, HoldReason::too_many_requests, seconds(30), minutes(5), {}});
  add(2, 3);
  EXPECT_EQ(what(3), "target_held");
  EXPECT_EQ(waiting(3).until, start + seconds(30));
  EXPECT_EQ(waiting(3).hold_reason, HoldReason::too_many_requests);
  driver.run_until(start + seconds(30));
  EXPECT_EQ(what(3), "target_held") << "a probe is under way";
  EXPECT_EQ(waiting(3).until, std::nullopt);
}

TEST_F(WaitingTest, one_waits_for_slots_that_no_other_lane_has_reserved) {
  ask(command::LanePut{"fast", 1, 500});
  command::Add later = HandDriver::add(100, start + hours(1));
  later.task.lane = 1;
  ask(std::move(later));
  put(HandDriver::target(1, 4));
  add(1, 4);
  EXPECT_EQ(what(3), "lane");
}

TEST_F(WaitingTest, one_waits_for_the_capacity_of_the_server) {
  TargetLimits limits;
  limits.in_flight_max = 1;
  driver.shard().set_limits(limits);
  add(1, 2);
  EXPECT_EQ(what(2), "capacity");
  limits.in_flight_max = 1000;
  limits.pushes_per_second = 1;
  driver.shard().set_limits(limits);
  driver.run();
  EXPECT_EQ(what(2), "capacity");
}

TEST_F(WaitingTest, one_that_is_overdue_waits_for_its_turn) {
  for (std::uint64_t id = 1; id <= 2000; ++id) {
    driver.shard().submit(HandDriver::add(id, start + seconds(1)), 0);
  }
  driver.run();
  put(HandDriver::target(1, 10'000));
  driver.set_now(start + minutes(5));
  driver.shard().tick(driver.now());
  driver.shard().tick(driver.now());
  EXPECT_EQ(what(2000), "catch_up");
}

}  // namespace
}  // namespace carillon
