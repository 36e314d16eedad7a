// Targets that are held: what goes out, and when.

#include <gtest/gtest.h>

#include "tests/shard/hand_driver.h"

namespace carillon {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class ShardHold : public testing::Test {
 protected:
  ShardHold() {
    driver.put_target(1, 8);
    driver.put_target(2, 8);
    driver.run();
    driver.take();
  }
  void add(std::uint64_t from, std::uint64_t to, std::uint64_t target = 1) {
    for (std::uint64_t id = from; id <= to; ++id) {
      driver.shard().submit(driver.add(id, driver.now(), 0, target), 0);
    }
  }
  std::vector<Fired> fired() {
    driver.run();
    return driver.take().fired;
  }
  void not_now(const Fired& fired, std::optional<Millis> asked) {
    const WallTime now = driver.now();
    driver.shard().outcome(fired, State::retrying, now + asked.value_or(seconds(1)),
                           Note{now, fired.attempt, 429, "429", now, 1},
                           Trouble{now, HoldReason::too_many_requests, asked, minutes(5), {}});
  }
  void deliver(const Fired& fired) { driver.shard().outcome(fired, State::delivered, {}, {}); }
  [[nodiscard]] const Hold& hold() { return driver.shard().target(target_key(1))->hold; }

  HandDriver driver{};
  WallTime start = driver.now();
};

TEST_F(ShardHold, one_not_now_stops_all_pushes_to_the_target_and_to_no_other) {
  add(1, 1);
  const std::vector<Fired> first = fired();
  ASSERT_EQ(first.size(), 1U);
  not_now(first[0], seconds(60));
  add(2, 20);
  add(21, 24, 2);
  EXPECT_EQ(fired().size(), 4U) << "those of the other target";
  EXPECT_EQ(hold().until(), start + seconds(60));
  EXPECT_LE(*driver.shard().next_wakeup(), start + seconds(60));
  driver.run_until(start + seconds(60) - Millis(1));
  EXPECT_TRUE(driver.take().fired.empty());
}

TEST_F(ShardHold, another_shard_s_hold_counts_here_too_and_after_a_restart) {
  record::TargetHold told;
  told.key = target_key(1);
  told.reason = HoldReason::too_many_requests;
  told.until = start + seconds(60);
  driver.shard().submit(command::TargetHold(told), 0);
  add(1, 4);
  add(5, 6, 2);
  const std::vector<Fired> others = fired();
  EXPECT_EQ(others.size(), 2U) << "those of the other target";
  for (const Fired& fired : others) deliver(fired);
  driver.run();
  driver.restart();
  EXPECT_EQ(hold().until(), start + seconds(60));
  told.until = start + seconds(30);
  driver.shard().submit(command::TargetHold(told), 0);
  told.key = target_key(9);
  driver.shard().submit(command::TargetHold(told), 0);
  EXPECT_TRUE(fired().empty());
  EXPECT_EQ(hold().until(), start + seconds(60)) << "is not shortened";
  driver.run_until(start + seconds(60));
  EXPECT_EQ(driver.take().fired.size(), 1U) << "a probe";
}

TEST_F(ShardHold, a_hold_ends_with_probes_each_another_task_and_then_ramps_up) {
  add(1, 40);
  std::vector<Fired> under_way = fired();
  ASSERT_EQ(under_way.size(), 8U);
  for (const Fired& push : under_way) not_now(push, seconds(10));
  EXPECT_TRUE(fired().empty());
  driver.set_now(start + seconds(10));
  const std::vector<Fired> probe = fired();
  ASSERT_EQ(probe.size(), 1U);
  not_now(probe[0], seconds(10));
  driver.set_now(start + seconds(20));
  const std::vector<Fired> second = fired();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_NE(second[0].task, probe[0].task);
  deliver(second[0]);
  std::vector<Fired> round = fired();
  EXPECT_FALSE(hold().active());
  for (const std::size_t at_once : {2U, 4U, 8U}) {
    EXPECT_EQ(round.size(), at_once);
    for (const Fired& push : round) deliver(push);
    round = fired();
  }
  EXPECT_EQ(round.size(), 8U) << "as many as its concurrency";
}

TEST_F(ShardHold, a_hold_survives_a_restart_and_cleaning) {
  add(1, 1);
  not_now(fired().at(0), seconds(60));
  add(2, 9);
  EXPECT_TRUE(fired().empty());
  const auto expect_held = [&] {
    driver.restart();
    EXPECT_TRUE(fired().empty());
    EXPECT_TRUE(hold().active());
    EXPECT_EQ(hold().until(), start + seconds(60));
    EXPECT_EQ(hold().since(), start);
  };
  expect_held();
  driver.shard().restate(driver.log());
  driver.run();
  EXPECT_EQ(driver.log().size(), 1U);
  expect_held();
  driver.set_now(start + seconds(60));
  const std::vector<Fired> probe = fired();
  ASSERT_EQ(probe.size(), 1U);
  deliver(probe[0]);
  EXPECT_EQ(fired().size(), 2U);
  driver.restart();
  EXPECT_FALSE(hold().active()) << "that it is over survives, too";
}

TEST_F(ShardHold, no_record_brings_a_hold_back_behind_the_deletion_of_its_target) {
  add(1, 1);
  not_now(fired().at(0), seconds(60));
  driver.run();
  driver.shard().submit(command::TargetDelete{target_key(1), true}, 0);
  driver.shard().restate(driver.log());
  driver.run();
  driver.put_target(1, 8);
  driver.run();
  EXPECT_FALSE(hold().active());
  driver.restart();
  EXPECT_FALSE(hold().active()) << "what the log says is what the owner knew";
}

TEST_F(ShardHold, a_clock_that_was_set_back_before_a_restart_makes_no_hold_longer) {
  add(1, 1);
  not_now(fired().at(0), seconds(60));
  add(2, 9);
  EXPECT_TRUE(fired().empty());
  driver.set_now(start - minutes(30));
  driver.restart();
  EXPECT_EQ(hold().until(), start - minutes(30) + seconds(60));
}

TEST_F(ShardHold, to_resume_a_target_ends_its_hold) {
  add(1, 1);
  not_now(fired().at(0), seconds(60));
  add(2, 9);
  EXPECT_TRUE(fired().empty());
  driver.shard().submit(command::TargetRelease{target_key(1)}, 5);
  EXPECT_EQ(fired().size(), 8U);
  driver.restart();
  EXPECT_FALSE(hold().active());
}

TEST_F(ShardHold, tasks_that_name_a_url_hold_only_themselves) {
  const auto add_by_url = [&](std::uint64_t id) {
    command::Add add = driver.add(id, driver.now(), 0, 7);
    add.task.target_is_url = true;
    driver.shard().submit(add, 0);
  };
  add_by_url(1);
  not_now(fired().at(0), seconds(60));
  add_by_url(2);
  const std::vector<Fired> next = fired();
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].task, fingerprint(2));
}

TEST_F(ShardHold, what_drives_the_shard_hears_of_each_change) {
  add(1, 1);
  not_now(fired().at(0), seconds(1));
  EXPECT_EQ(driver.take().holds.size(), 1U);
  driver.run_until(start + seconds(1));
  deliver(driver.take().fired.at(0));
  EXPECT_EQ(driver.take().holds.size(), 1U);
}

}  // namespace
}  // namespace carillon
