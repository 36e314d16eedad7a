// Rates of targets and of the server: what begins, and whose turn it is.
#include <array>
#include <vector>

#include "tests/shard/hand_driver.h"
#include "tests/shard/lanes_fixture.h"

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class RatesTest : public LanesFixture {
 protected:
  void put_rated(std::uint64_t target, const RateLimit& rate, std::uint32_t concurrency = 64) {
    put(target, concurrency, false, rate);
  }
  /// All that may begin now; each ends at once.
  std::vector<EntryRef> fire_all() {
    std::vector<EntryRef> fired;
    for (EntryRef ref = fire_one(); ref != kNoEntry; ref = fire_one()) {
      fired.push_back(ref);
      ++counts[lane_of(ref)];
      end(ref);
    }
    return fired;
  }
  /// Goes from one wake-up to the next, as a shard does. How many began by then.
  std::size_t run_until(WallTime moment) {
    std::size_t fired = fire_all().size();
    for (;;) {
      const auto wakeup = queues->next_wakeup();
      if (!wakeup || *wakeup > moment) break;
      EXPECT_GT(*wakeup, now) << "nothing is gained by another look at the same time";
      pass_to(*wakeup);
      fired += fire_all().size();
    }
    pass_to(moment);
    return fired;
  }
  void pass_to(WallTime moment) {
    now = moment;
    queues->tick(now);
  }
  void enqueue_many(std::uint64_t target, LaneNumber lane, int tasks) {
    for (int i = 0; i < tasks; ++i) enqueue(target, lane);
  }

  std::array<std::uint64_t, kLanesMax> counts{};
};

TEST_F(RatesTest, as_many_begin_as_the_rate_says_and_other_targets_are_not_held_up) {
  put_rated(1, {.limit = 500});
  put(2, 64);
  enqueue_many(1, 0, 5000);
  enqueue_many(2, 0, 30);
  EXPECT_EQ(fire_all().size(), 30U);
  const WallTime begin = now;
  EXPECT_EQ(run_until(begin + seconds(1)), 500U);
  EXPECT_EQ(run_until(begin + seconds(8)), 3500U);
  queues->check_invariants();
}

TEST_F(RatesTest, after_a_calm_a_burst_begins_at_once) {
  put_rated(1, {.limit = 500, .burst = 40});
  run_until(now + minutes(1));
  enqueue_many(1, 0, 100);
  EXPECT_EQ(fire_all().size(), 40U);
}

TEST_F(RatesTest, a_slow_rate_wakes_nobody_in_vain) {
  put_rated(1, {.limit = 6, .per = hours(1)});
  enqueue_many(1, 0, 3);
  EXPECT_EQ(fire_all().size(), 0U);
  EXPECT_EQ(queues->next_wakeup(), now + minutes(10));
  EXPECT_EQ(run_until(now + minutes(10)), 1U);
  EXPECT_EQ(queues->next_wakeup(), now + minutes(10));
}

TEST_F(RatesTest, a_raised_rate_counts_at_once_and_one_that_is_taken_away_holds_nobody) {
  put_rated(1, {.limit = 1, .per = hours(1)});
  enqueue_many(1, 0, 2000);
  EXPECT_EQ(fire_all().size(), 0U);
  put_rated(1, {.limit = 1000});
  EXPECT_EQ(run_until(now + seconds(1)), 1000U);
  put(1, 64);
  EXPECT_EQ(fire_all().size(), 1000U);
}

TEST_F(RatesTest, lanes_get_what_they_reserved_of_a_rate_and_the_rest_by_weight) {
  put_rated(1, {.limit = 1000});
  put_lane(1, 1, 300);
  put_lane(2, 6, 0);
  enqueue_many(1, 1, 20'000);
  enqueue_many(1, 2, 20'000);
  EXPECT_EQ(run_until(now + seconds(10)), 10'000U);
  EXPECT_NEAR(static_cast<double>(counts[1]), 3000 + 1000, 20);
  EXPECT_NEAR(static_cast<double>(counts[2]), 6000, 20);
  queues->check_invariants();
}

TEST_F(RatesTest, a_lane_that_reserved_waits_for_few_others_when_it_comes) {
  put_rated(1, {.limit = 100});
  put_lane(1, 1, 300);
  put_lane(2, 1000, 0);
  enqueue_many(1, 2, 10'000);
  run_until(now + seconds(5));
  for (int i = 0; i < 50; ++i) {
    const EntryRef urgent = enqueue(1, 1);
    const WallTime came = now;
    bool gone = false;
    while (!gone) {
      pass_to(*queues->next_wakeup());
      for (const EntryRef ref : fire_all()) gone = gone || ref == urgent;
    }
    EXPECT_LE(now - came, Millis(60)) << "within six of a hundred a second";
  }
}

TEST_F(RatesTest, slots_stay_set_aside_while_a_rate_holds_lanes_up) {
  put_rated(1, {.limit = 1000}, 10);
  put_lane(1, 1, 300);
  make(1, 1);  // due some day
  enqueue_many(1, 0, 50);
  std::size_t begun = 0;
  for (int i = 0; i < 100; ++i) {
    pass_to(now + Millis(10));
    while (fire_one() != kNoEntry) ++begun;
  }
  EXPECT_EQ(begun, 7U);
}

TEST_F(RatesTest, the_servers_rate_is_shared_between_targets_and_lanes) {
  limits.pushes_per_second = 1000;
  QueuesFixture::reset();
  put(1, 64);
  put(2, 64);
  put_lane(1, 1, 500);
  enqueue_many(1, 1, 10'000);
  enqueue_many(2, 0, 10'000);
  EXPECT_EQ(fire_all().size(), 0U);
  EXPECT_EQ(run_until(now + seconds(10)), 10'000U);
  EXPECT_NEAR(static_cast<double>(counts[1]), 7500, 30);
  limits.pushes_per_second = 0;
  queues->set_limits(limits);
  EXPECT_EQ(fire_all().size(), 10'000U);
}

TEST_F(RatesTest, what_a_rate_lets_begin_is_decided_once_while_commits_take_their_time) {
  put_rated(1, {.limit = 500, .burst = 5});
  run_until(now + seconds(1));
  enqueue_many(1, 0, 100);
  std::vector<EntryRef> decided;
  const auto decide = [&] {
    for (EntryRef ref = queues->next(); ref != kNoEntry; ref = queues->next()) {
      queues->begin(ref);
      decided.push_back(ref);
    }
  };
  decide();
  EXPECT_EQ(decided.size(), 5U);
  pass_to(now + seconds(1));
  decide();
  EXPECT_EQ(decided.size(), 5U) << "nothing is gained while a commit takes its time";
  EXPECT_EQ(queues->next_wakeup(), std::nullopt);
  for (const EntryRef ref : decided) {
    queues->started(static_cast<std::uint32_t>(arena[ref].queue), now);
  }
  ASSERT_TRUE(queues->next_wakeup());
  EXPECT_LE(*queues->next_wakeup(), now + Millis(10));
}

TEST_F(RatesTest, a_clock_that_is_set_back_holds_nobody_up) {
  put_rated(1, {.limit = 100});
  enqueue_many(1, 0, 1);
  run_until(now + seconds(1));
  now -= hours(3);
  EXPECT_TRUE(queues->set_back(now).empty());
  enqueue_many(1, 0, 100);
  EXPECT_GE(run_until(now + seconds(1)), 99U);
}

TEST_F(RatesTest, a_clock_that_is_set_back_holds_nobody_up_who_waits_already) {
  put_rated(1, {.limit = 100});
  for (int i = 0; i < 100; ++i) enqueue(1, 0, hours(4));
  EXPECT_EQ(fire_all().size(), 0U);
  now -= hours(3);
  EXPECT_TRUE(queues->set_back(now).empty());
  pass_to(now);
  EXPECT_GE(run_until(now + seconds(1)), 99U);
}

/// A shard whose target has a rate of ten a second.
class ShardRates : public testing::Test {
 protected:
  ShardRates() {
    record::TargetPut put = HandDriver::target(1);
    put.rate.limit = 10;
    driver.shard().submit(put, 0);
    driver.run();
  }
  std::size_t fired_by(WallTime moment) {
    std::size_t fired = 0;
    while (driver.now() < moment) {
      driver.run_until(driver.now() + Millis(1));
      fired += driver.take().fired.size();
    }
    return fired;
  }

  HandDriver driver{};
  WallTime start = driver.now();
};

TEST_F(ShardRates, a_rate_survives_a_restart_and_cleaning_and_begins_with_nothing) {
  for (std::uint64_t id = 1; id <= 100; ++id) {
    driver.shard().submit(HandDriver::add(id, start), 0);
  }
  EXPECT_EQ(fired_by(start + seconds(1)), 10U);
  driver.set_now(start + hours(1));
  driver.restart();
  EXPECT_EQ(fired_by(start + hours(1) + Millis(99)), 0U);
  EXPECT_EQ(fired_by(start + hours(1) + seconds(1)), 10U);
  driver.shard().restate(driver.log());
  driver.run();
  driver.restart();
  EXPECT_EQ(driver.shard().target(target_key(1))->settings.rate.limit, 10U);
  EXPECT_EQ(fired_by(start + hours(1) + seconds(2)), 10U);
  driver.shard().check_invariants();
}

TEST_F(ShardRates, what_is_dropped_as_too_late_takes_nothing_of_a_rate) {
  for (std::uint64_t id = 1; id <= 50; ++id) {
    command::Add add = HandDriver::add(id, start);
    add.task.expire_after = Millis(200);
    driver.shard().submit(add, 0);
  }
  for (std::uint64_t id = 51; id <= 60; ++id) {
    driver.shard().submit(HandDriver::add(id, start + Millis(1)), 0);
  }
  // Two go, the others expire, and those behind them have the next tokens.
  EXPECT_EQ(fired_by(start + seconds(1)), 10U);
  EXPECT_EQ(driver.shard().counts()[static_cast<std::size_t>(State::expired)], 48U);
}

TEST_F(ShardRates, how_long_a_target_is_paused_is_known_over_restarts_and_changes) {
  const auto paused_for = [&] {
    return driver.shard().target(target_key(1))->paused_for(driver.now());
  };
  driver.set_now(start + hours(1));
  driver.run();
  driver.put_target(1, 64, /*paused=*/true);
  driver.run();
  driver.set_now(start + hours(3));
  driver.restart();
  EXPECT_EQ(paused_for(), hours(2));
  driver.put_target(1, 5, /*paused=*/true);
  driver.run();
  driver.shard().restate(driver.log());
  driver.run();
  driver.set_now(start + hours(4));
  driver.run();
  driver.put_target(1);
  driver.run();
  driver.set_now(start + hours(9));
  driver.restart();
  EXPECT_EQ(paused_for(), hours(3));
  driver.put_target(1, 64, /*paused=*/true);
  driver.run();
  driver.set_now(start + hours(10));
  EXPECT_EQ(paused_for(), hours(4));
}

}  // namespace
}  // namespace carillon
