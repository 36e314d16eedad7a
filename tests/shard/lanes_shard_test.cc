// Lanes as a shard has them: made, changed and deleted, over restarts and cleaning; and tasks that
// come too late.
#include <gtest/gtest.h>

#include "tests/shard/shard_fixture.h"

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class ShardLanes : public ShardTest {
 protected:
  command::Add in_lane(std::uint64_t id, LaneNumber lane, WallTime due) {
    command::Add add = HandDriver::add(id, due);
    add.task.lane = lane;
    return add;
  }
  [[nodiscard]] const Lanes& lanes() { return driver.shard().lanes(); }
  Verdict put(const std::string& name, std::uint32_t weight = 1, std::uint32_t reserved = 0) {
    return ask(command::LanePut{name, weight, reserved}).verdict;
  }
  std::uint32_t in_flight(LaneNumber lane) { return lanes()[lane].share.in_flight; }
};

TEST_F(ShardLanes, one_is_made_changed_and_deleted_and_its_number_given_again) {
  EXPECT_EQ(put("fast", 8, 300), Verdict::done);
  EXPECT_EQ(lanes().find("fast"), LaneNumber{1});
  EXPECT_EQ(put("fast", 4), Verdict::replaced);
  EXPECT_EQ(lanes()[1].settings.weight, 4U);
  EXPECT_EQ(put("slow"), Verdict::done);
  EXPECT_EQ(lanes().find("slow"), LaneNumber{2});
  EXPECT_EQ(ask(command::LaneDelete{"fast"}).verdict, Verdict::done);
  EXPECT_EQ(lanes().find("fast"), std::nullopt);
  EXPECT_EQ(ask(command::LaneDelete{"fast"}).verdict, Verdict::not_found);
  EXPECT_EQ(put("other"), Verdict::done);
  EXPECT_EQ(lanes().find("other"), LaneNumber{1});
}

TEST_F(ShardLanes, sixteen_are_the_most_and_nine_tenths_may_be_reserved) {
  EXPECT_EQ(put("one", 1, 600), Verdict::done);
  EXPECT_EQ(put("two", 1, 301), Verdict::too_much_reserved);
  EXPECT_EQ(put("two", 1, 300), Verdict::done);
  EXPECT_EQ(put("two", 1, 200), Verdict::replaced);
  EXPECT_EQ(put("one", 1, 700), Verdict::replaced);
  for (int i = 3; i <= 15; ++i) EXPECT_EQ(put("lane " + std::to_string(i)), Verdict::done);
  EXPECT_EQ(put("one too many"), Verdict::too_many_lanes);
  EXPECT_EQ(put("default", 2), Verdict::replaced);
}

TEST_F(ShardLanes, a_task_is_refused_that_names_none_and_a_lane_stays_that_tasks_name) {
  EXPECT_EQ(ask(in_lane(1, 1, start + hours(1))).verdict, Verdict::unknown_lane);
  put("fast");
  EXPECT_EQ(ask(in_lane(1, 1, start + hours(1))).verdict, Verdict::done);
  const Reply refused = ask(command::LaneDelete{"fast"});
  EXPECT_EQ(refused.verdict, Verdict::lane_in_use);
  EXPECT_EQ(refused.count, 1U);
  EXPECT_EQ(ask(command::LaneDelete{"default"}).verdict, Verdict::lane_in_use);
  EXPECT_EQ(ask(command::Cancel{fingerprint(1)}).verdict, Verdict::done);
  EXPECT_EQ(ask(command::LaneDelete{"fast"}).verdict, Verdict::done);
  driver.shard().check_invariants();
}

TEST_F(ShardLanes, no_task_comes_to_a_lane_whose_deletion_is_under_way) {
  put("fast");
  driver.shard().submit(command::LaneDelete{"fast"}, 0);
  EXPECT_EQ(ask(in_lane(1, 1, start + hours(1))).verdict, Verdict::unknown_lane);
}

TEST_F(ShardLanes, a_task_that_is_about_to_come_keeps_its_lane) {
  put("fast");
  driver.shard().submit(in_lane(1, 1, start + hours(1)), 0);
  EXPECT_EQ(ask(command::LaneDelete{"fast"}).verdict, Verdict::lane_in_use);
}

TEST_F(ShardLanes, a_change_of_a_task_moves_it_to_another_lane) {
  put("fast");
  ask(in_lane(1, 0, start + hours(1)));
  command::Change change;
  change.task = HandDriver::add(1, start).task;
  change.task.lane = 1;
  change.expected = driver.shard().find(fingerprint(1))->number;
  change.content = "new";
  EXPECT_EQ(ask(std::move(change)).verdict, Verdict::replaced);
  EXPECT_EQ(driver.shard().find(fingerprint(1))->lane, 1);
  EXPECT_EQ(lanes()[1].share.unfinished, 1U);
  EXPECT_EQ(lanes()[0].share.unfinished, 0U);
  driver.shard().check_invariants();
}

TEST_F(ShardLanes, lanes_and_what_is_in_them_survive_a_restart_and_the_cleaning_of_the_log) {
  put("fast", 8, 300);
  put("gone");
  ask(command::LaneDelete{"gone"});
  ask(in_lane(1, 1, start + hours(1)));
  for (int round = 0; round < 2; ++round) {
    driver.restart();
    EXPECT_EQ(lanes()[1].settings, (record::LanePut{1, "fast", 8, 300}));
    EXPECT_FALSE(lanes()[2].stands());
    EXPECT_EQ(driver.shard().find(fingerprint(1))->lane, 1);
    EXPECT_EQ(ask(command::LaneDelete{"fast"}).verdict, Verdict::lane_in_use);
    driver.shard().restate(driver.log());
    driver.run();
    EXPECT_LE(driver.log().size(), 2U);
  }
  driver.shard().check_invariants();
}

TEST_F(ShardLanes, a_lane_with_reserved_slots_goes_at_once_beside_a_crowd) {
  put("critical", 1, 200);
  for (std::uint64_t id = 1; id <= 500; ++id) {
    driver.shard().submit(in_lane(id, 0, start + seconds(1)), 0);
  }
  driver.shard().submit(in_lane(1000, 1, start + seconds(2)), 0);
  driver.run_until(start + seconds(1));
  EXPECT_EQ(in_flight(0), 64U - 12U);
  driver.take();
  driver.run_until(start + seconds(2));
  const Effects effects = driver.take();
  ASSERT_EQ(effects.fired.size(), 1U);
  EXPECT_EQ(effects.fired[0].lane, 1);
  EXPECT_EQ(in_flight(1), 1U);
  driver.shard().check_invariants();
}

TEST_F(ShardLanes, a_task_that_is_to_die_late_becomes_a_dead_letter_that_says_so) {
  driver.put_target(1, 64, /*paused=*/true);
  for (std::uint64_t id = 1; id <= 2; ++id) {
    command::Add add = HandDriver::add(id, start + seconds(1));
    add.task.expire_after = seconds(10);
    add.task.dies_late = id == 2;
    ask(add);
  }
  driver.run_until(start + seconds(1));
  driver.restart();
  driver.run_until(start + seconds(20));
  driver.put_target(1);
  driver.run();
  EXPECT_EQ(driver.shard().find(fingerprint(1))->state, State::expired);
  EXPECT_EQ(driver.shard().find(fingerprint(2))->state, State::dead);
  std::string why;
  for (const Batch& batch : driver.log()) {
    for (const NoteRow& row : batch.notes) why = row.note.error;
  }
  EXPECT_EQ(why, "it was not delivered within expire_after");
}

}  // namespace
}  // namespace carillon
