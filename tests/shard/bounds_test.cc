// What a shard holds is bounded: finished tasks give way, dead letters count.
#include <gtest/gtest.h>

#include "tests/shard/shard_fixture.h"

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class ShardBounds : public ShardTest {};

TEST_F(ShardBounds, a_crowd_of_origins_leaves_room_for_named_targets) {
  constexpr std::uint64_t kOrigins = (std::uint64_t{1} << 18) - 1;  // beside the named target
  const auto by_url = [&](std::uint64_t id, std::uint64_t origin) {
    command::Add add = driver.add(id, start + hours(1), 0, 1000 + origin);
    add.task.target_is_url = true;
    return add;
  };
  for (std::uint64_t id = 1; id <= kOrigins; ++id) driver.shard().submit(by_url(id, id), 0);
  driver.run();
  driver.take();
  EXPECT_EQ(ask(by_url(kOrigins + 1, kOrigins + 1)).verdict, Verdict::too_many_targets);
  EXPECT_EQ(ask(by_url(kOrigins + 2, 1)).verdict, Verdict::done);
  record::TargetPut put;
  put.key = target_key(2);
  put.name = "t2";
  put.concurrency = 1;
  EXPECT_EQ(ask(put).verdict, Verdict::done);
  // Finished tasks that are kept give way: one origin is over the bound now, another wanted.
  EXPECT_EQ(ask(command::Cancel{fingerprint(7)}).verdict, Verdict::done);
  EXPECT_EQ(ask(by_url(kOrigins + 3, kOrigins + 3)).verdict, Verdict::too_many_targets);
  EXPECT_EQ(ask(command::Cancel{fingerprint(8)}).verdict, Verdict::done);
  EXPECT_EQ(ask(by_url(kOrigins + 3, kOrigins + 3)).verdict, Verdict::done);
  EXPECT_EQ(ask(by_url(kOrigins + 4, kOrigins + 4)).verdict, Verdict::too_many_targets);
}

/// Of retained tasks and of what is pending there may be so many.
class BoundedShard : public ShardBounds {
 protected:
  static constexpr std::uint64_t kRetained = 100;
  BoundedShard() {
    ShardOptions bounded = options();
    bounded.retained_max = kRetained;
    bounded.tasks_max = 150;
    driver.set_options(bounded);
    driver.restart();
  }
  /// Adds and cancels those ids, one after the other, each at a moment of its own.
  void finish(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t id = from; id <= to; ++id) {
      driver.set_now(driver.now() + Millis(1));
      ask(driver.add(id, start + hours(24)));
      ask(command::Cancel{fingerprint(id)});
    }
  }
  bool there(std::uint64_t id) { return driver.shard().find(fingerprint(id)).has_value(); }
};

TEST_F(BoundedShard, forgets_the_finished_tasks_that_ended_first) {
  finish(1, 250);
  EXPECT_EQ(driver.shard().tasks(), kRetained);
  EXPECT_FALSE(there(150));
  EXPECT_TRUE(there(151));
  driver.shard().check_invariants();
}

TEST_F(BoundedShard, forgets_a_cancelled_group_down_to_the_bound_and_its_rows_with_it) {
  std::vector<Command> adds;
  for (std::uint64_t id = 1; id <= 140; ++id)
    adds.emplace_back(driver.add(id, start + hours(1), 7));
  driver.shard().submit(adds, 0);
  driver.run();
  driver.shard().submit(command::GroupCancel{group_key(7)}, 0);
  driver.run();
  EXPECT_EQ(driver.shard().tasks(), kRetained);
  EXPECT_EQ(driver.shard().group(group_key(7))->users, kRetained);
  driver.shard().submit(driver.add(1000, start + hours(1)), 0);
  EXPECT_EQ(driver.shard().seal(driver.now()).forgotten.size(), 40U);
}

TEST_F(BoundedShard, gives_pending_tasks_the_room_of_finished_ones) {
  finish(1, 120);
  for (std::uint64_t id = 1001; id <= 1130; ++id) ask(driver.add(id, start + hours(1)));
  EXPECT_EQ(driver.shard().tasks(), 150U) << "130 wait, 20 are retained";
  EXPECT_TRUE(there(120)) << "of these the last";
  EXPECT_FALSE(there(100));
  driver.shard().check_invariants();
}

TEST_F(BoundedShard, keeps_no_finished_task_where_there_is_no_space_for_its_content) {
  finish(1, 50);
  driver.shard().retain_none(true);
  EXPECT_TRUE(driver.shard().has_work());
  driver.run();
  EXPECT_EQ(driver.shard().tasks(), 0U);
  driver.shard().retain_none(false);
  finish(51, 60);
  EXPECT_EQ(driver.shard().tasks(), 10U);
}

TEST_F(BoundedShard, that_is_recovered_keeps_the_same_tasks) {
  finish(1, 130);
  driver.restart();
  EXPECT_EQ(driver.shard().tasks(), kRetained);
  EXPECT_FALSE(there(30));
  EXPECT_TRUE(there(31));
}

TEST_F(BoundedShard, that_is_recovered_under_a_lower_bound_deletes_the_rows_beyond_it) {
  finish(1, 100);
  ShardOptions lower = options();
  lower.retained_max = 10;
  driver.set_options(lower);
  driver.restart();
  EXPECT_EQ(driver.shard().tasks(), 10U);
  ASSERT_TRUE(driver.shard().wants_commit());
  EXPECT_EQ(driver.shard().seal(driver.now()).forgotten.size(), 90U);
}

TEST_F(BoundedShard, with_a_long_past_is_bounded_all_through_its_recovery) {
  ShardOptions bounded = options();
  bounded.retained_max = kRetained;
  Shard replayed(bounded);
  constexpr std::uint64_t kPast = 200'000;
  Batch batch;
  batch.first = 1;
  std::uint64_t most = 0;
  for (std::uint64_t id = 1; id <= kPast; ++id) {
    batch.at = start + Millis(id / 100);
    Statement task = driver.add(id, start + hours(24)).task;
    task.asked_due = task.due;
    batch.records.emplace_back(record::Put{task, 0});
    batch.records.emplace_back(record::Cancel{task.task, batch.first + batch.records.size() - 1});
    if (batch.records.size() < 1000) continue;
    replayed.replay(batch);
    most = std::max(most, replayed.tasks());
    batch.first = batch.last() + 1;
    batch.records.clear();
  }
  EXPECT_LT(most, kPast / 2);
  replayed.start(start + minutes(1));
  EXPECT_EQ(replayed.tasks(), kRetained);
  EXPECT_TRUE(replayed.find(fingerprint(kPast)).has_value());
  replayed.check_invariants();
  std::uint64_t deleted = 0;
  while (replayed.wants_commit()) {
    const Batch some = replayed.seal(start + minutes(1));
    EXPECT_LE(some.forgotten.size(), 10'000U) << "a commit stays short";
    deleted += some.forgotten.size();
    replayed.committed(some, start + minutes(1));
  }
  EXPECT_EQ(deleted, kPast - kRetained);
}

TEST_F(ShardBounds, dead_letters_count_as_pending_and_a_redrive_needs_no_further_room) {
  ShardOptions bounded = options();
  bounded.pending_max = 3;
  driver.set_options(bounded);
  driver.restart();
  for (std::uint64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(ask(driver.add(id, start + Millis(10))).verdict, Verdict::done);
  }
  driver.run_until(start + Millis(10));
  for (const Fired& fired : driver.take().fired) {
    driver.shard().outcome(fired, State::dead, {}, {});
  }
  driver.run();
  ASSERT_EQ(driver.shard().counts()[static_cast<std::size_t>(State::dead)], 3U);
  EXPECT_EQ(driver.shard().pending(), 3U);
  EXPECT_EQ(ask(driver.add(4, start + hours(1))).verdict, Verdict::full);
  command::Change redrive;
  redrive.task.task = fingerprint(1);
  redrive.task.due = start + hours(1);
  redrive.task.target = target_key(1);
  redrive.expected = driver.shard().find_dead(fingerprint(1))->number;
  redrive.due_given = redrive.redrive = true;
  EXPECT_EQ(ask(std::move(redrive)).verdict, Verdict::replaced);
  EXPECT_EQ(driver.shard().pending(), 3U);
  EXPECT_EQ(ask(driver.add(4, start + hours(1))).verdict, Verdict::full);
  EXPECT_EQ(ask(command::RemoveDead{fingerprint(2), 0}).verdict, Verdict::done);
  EXPECT_EQ(ask(driver.add(4, start + hours(1))).verdict, Verdict::done);
  driver.shard().check_invariants();
}

}  // namespace
}  // namespace carillon
