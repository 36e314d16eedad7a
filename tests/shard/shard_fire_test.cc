// When tasks are fired and when not: due, targets, retries, backlogs, the clock, after a crash.

#include <deque>

#include <gtest/gtest.h>

#include "tests/shard/shard_fixture.h"

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(ShardTest, a_retry_is_not_before_the_due_though_the_clock_was_set_back) {
  ask(driver.add(1, start + minutes(1)));
  driver.run_until(start + minutes(1));
  const Fired fired = driver.take().fired.at(0);
  driver.set_now(start);
  driver.shard().tick(start);
  driver.shard().outcome(fired, State::retrying, start + seconds(1), {});
  driver.run_until(start + minutes(1) - Millis(1));
  EXPECT_TRUE(driver.take().fired.empty());
  driver.run_until(start + minutes(1));
  EXPECT_EQ(driver.take().fired.size(), 1U);
}

TEST_F(ShardTest, a_push_starts_only_when_its_fire_is_committed) {
  ask(driver.add(1, start + Millis(50)));
  driver.set_now(start + Millis(50));
  driver.shard().tick(driver.now());
  driver.seal();
  EXPECT_TRUE(driver.shard().effects().fired.empty());
  driver.commit();
  const Effects effects = driver.take();
  ASSERT_EQ(effects.fired.size(), 1U);
  EXPECT_EQ(effects.fired[0].attempt, 1U);
  EXPECT_EQ(driver.shard().find(fingerprint(1))->state, State::firing);
}

TEST_F(ShardTest, nothing_fires_a_millisecond_before_its_due) {
  ask(driver.add(1, start + Millis(50)));
  driver.run_until(start + Millis(49));
  EXPECT_TRUE(driver.take().fired.empty());
  driver.run_until(start + Millis(50));
  EXPECT_EQ(driver.take().fired.size(), 1U);
}

TEST_F(ShardTest, a_paused_target_holds_its_tasks_which_can_still_be_cancelled) {
  driver.put_target(1, 64, /*paused=*/true);
  ask(driver.add(1, start + Millis(10)));
  ask(driver.add(2, start + Millis(10)));
  driver.run_until(start + seconds(1));
  EXPECT_TRUE(driver.take().fired.empty());
  EXPECT_EQ(driver.shard().backlog(), 2U);
  EXPECT_EQ(ask(command::Cancel{fingerprint(1)}).verdict, Verdict::done);
  driver.put_target(1, 64, /*paused=*/false);
  driver.run();
  EXPECT_EQ(driver.take().fired.size(), 1U);
}

TEST_F(ShardTest, concurrency_bounds_the_pushes_and_an_outcome_frees_the_slot) {
  driver.put_target(1, 2);
  for (std::uint64_t id = 1; id <= 5; ++id) ask(driver.add(id, start + Millis(10)));
  driver.run_until(start + Millis(10));
  const Effects first = driver.take();
  ASSERT_EQ(first.fired.size(), 2U);
  driver.shard().outcome(first.fired[0], State::delivered, {}, {});
  driver.run();
  EXPECT_EQ(driver.take().fired.size(), 1U);
  EXPECT_EQ(driver.shard().in_flight(), 2U);
}

TEST_F(ShardTest, a_retry_keeps_the_due_that_was_asked_for_and_counts_attempts) {
  ask(driver.add(1, start + Millis(10)));
  driver.run_until(start + Millis(10));
  Fired fired = driver.take().fired.at(0);
  driver.shard().outcome(fired, State::retrying, start + seconds(5), {});
  driver.run();
  const Statement waiting = *driver.shard().find(fingerprint(1));
  EXPECT_EQ(waiting.state, State::retrying);
  EXPECT_EQ(waiting.due, start + seconds(5));
  EXPECT_EQ(waiting.asked_due, start + Millis(10));
  driver.run_until(start + seconds(5));
  fired = driver.take().fired.at(0);
  EXPECT_EQ(fired.attempt, 2U);
  EXPECT_EQ(fired.asked_due, start + Millis(10));
  driver.shard().outcome(fired, State::dead, {}, {});
  driver.run();
  EXPECT_EQ(driver.shard().find_dead(fingerprint(1))->attempt, 2U);
}

TEST_F(ShardTest, expire_after_drops_what_could_not_be_pushed_in_time) {
  driver.put_target(1, 64, /*paused=*/true);
  command::Add add = driver.add(1, start + Millis(10));
  add.task.expire_after = seconds(1);
  ask(add);
  driver.run_until(start + seconds(2));
  driver.put_target(1, 64, /*paused=*/false);
  driver.run();
  EXPECT_TRUE(driver.take().fired.empty());
  EXPECT_EQ(driver.shard().find(fingerprint(1))->state, State::expired);
}

TEST_F(ShardTest, after_a_crash_what_was_firing_is_fired_again_before_what_is_overdue) {
  driver.put_target(1, 1);
  ask(driver.add(1, start + Millis(10)));
  ask(driver.add(2, start + Millis(5000)));
  driver.run_until(start + Millis(10));
  EXPECT_EQ(driver.take().fired.at(0).task, fingerprint(1));
  driver.set_now(start + hours(1));
  driver.restart();
  driver.run();
  const Effects effects = driver.take();
  ASSERT_EQ(effects.fired.size(), 1U);
  EXPECT_EQ(effects.fired[0].task, fingerprint(1));
  EXPECT_EQ(effects.fired[0].attempt, 2U);
  EXPECT_EQ(ask(command::Cancel{fingerprint(2)}).verdict, Verdict::done);
}

TEST_F(ShardTest, a_backlog_is_paced_oldest_first_and_what_is_due_now_does_not_wait_behind_it) {
  driver.put_target(1, 10'000);
  for (std::uint64_t id = 1; id <= 5000; ++id) {
    driver.shard().submit(driver.add(id, start + seconds(6000 - static_cast<std::int64_t>(id))), 0);
  }
  driver.run();
  driver.take();
  const WallTime later = start + hours(2);
  driver.set_now(later);
  driver.restart();
  driver.shard().submit(driver.add(9999, later + Millis(5)), 0);
  driver.run();
  Effects effects = driver.take();
  ASSERT_EQ(effects.fired.size(), 500U) << "a tenth of a second's worth at 5,000/s";
  EXPECT_EQ(effects.fired[0].task, fingerprint(5000)) << "the oldest due";
  driver.run_until(later + Millis(5));
  effects = driver.take();
  ASSERT_FALSE(effects.fired.empty());
  EXPECT_EQ(effects.fired[0].task, fingerprint(9999));
  EXPECT_LE(effects.fired.size(), 26U);
}

TEST_F(ShardTest, a_clock_set_back_fires_nothing_early_and_nothing_twice) {
  driver.put_target(1, 1);
  for (std::uint64_t id = 1; id <= 3; ++id)
    ask(driver.add(id, start + minutes(static_cast<std::int64_t>(10 * id))));
  driver.run_until(start + minutes(21));
  const Fired fired = driver.take().fired.at(0);
  driver.run_until(start);  // task 2 was queued behind task 1 and is not due any more
  driver.shard().outcome(fired, State::delivered, {}, {});
  driver.run();
  EXPECT_TRUE(driver.take().fired.empty());
  ask(driver.add(4, start + Millis(7)));
  driver.run_until(start + Millis(6));
  EXPECT_TRUE(driver.take().fired.empty());
  driver.run_until(start + Millis(7));
  EXPECT_EQ(driver.take().fired.at(0).task, fingerprint(4));
  driver.shard().check_invariants();
}

TEST_F(ShardTest, a_clock_set_back_does_not_stall_the_catching_up) {
  driver.put_target(1, 10'000);
  for (std::uint64_t id = 1; id <= 2000; ++id) {
    driver.shard().submit(driver.add(id, start + seconds(1)), 0);
  }
  driver.run_until(start);
  driver.run_until(start + hours(2));
  EXPECT_EQ(driver.take().fired.size(), 500U);
  driver.run_until(start + hours(1));
  for (int i = 1; i <= 30; ++i) driver.run_until(start + hours(1) + Millis(10 * i));
  EXPECT_GE(driver.take().fired.size(), 1400U);
}

TEST_F(ShardTest, what_was_firing_waits_after_a_restart_for_a_clock_that_is_behind) {
  ask(driver.add(1, start + hours(1)));
  driver.run_until(start + hours(1));
  ASSERT_EQ(driver.take().fired.size(), 1U);
  driver.set_now(start);
  driver.restart();
  driver.run();
  EXPECT_TRUE(driver.take().fired.empty()) << "early";
  driver.run_until(start + hours(1));
  EXPECT_EQ(driver.take().fired.size(), 1U);
}

TEST_F(ShardTest, pushes_under_way_are_bounded_over_all_targets) {
  ShardOptions few;
  few.in_flight_max = 10;
  HandDriver other(few, start);
  for (std::uint64_t target = 1; target <= 5; ++target) other.put_target(target, 64);
  other.run();
  for (std::uint64_t id = 1; id <= 50; ++id) {
    other.shard().submit(other.add(id, start + Millis(10), 0, 1 + id % 5), 0);
  }
  other.run();
  other.run_until(start + Millis(10));
  std::deque<Fired> under_way;
  std::size_t fired = 0;
  const auto take = [&] {
    for (const Fired& push : other.take().fired) {
      under_way.push_back(push);
      ++fired;
    }
    ASSERT_LE(under_way.size(), 10U);
    ASSERT_EQ(other.shard().in_flight(), under_way.size());
  };
  take();
  EXPECT_GE(under_way.size(), 5U);
  while (!under_way.empty()) {
    const Fired push = under_way.front();
    under_way.pop_front();
    other.shard().outcome(push, State::delivered, {}, {});
    other.run();
    take();
  }
  EXPECT_EQ(fired, 50U);
}

}  // namespace
}  // namespace carillon
