#include "shard/shard.h"

#include <gtest/gtest.h>

#include "tests/shard/shard_fixture.h"

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(ShardTest, an_add_is_answered_only_when_its_batch_is_committed) {
  driver.shard().submit(driver.add(1, start + minutes(1)), 9);
  EXPECT_TRUE(driver.shard().effects().replies.empty());
  EXPECT_FALSE(driver.shard().find(fingerprint(1)).has_value()) << "not durable, so not there";
  driver.seal();
  EXPECT_TRUE(driver.shard().effects().replies.empty());
  driver.commit();
  EXPECT_EQ(only_reply().verdict, Verdict::done);
  EXPECT_EQ(driver.shard().find(fingerprint(1))->state, State::scheduled);
}

TEST_F(ShardTest, commands_about_one_task_are_decided_in_the_order_in_which_they_came) {
  driver.shard().submit(driver.add(1, start + minutes(1)), 1);
  driver.seal();
  driver.shard().submit(command::Cancel{fingerprint(1)}, 2);
  driver.shard().submit(command::Move{fingerprint(1), start + minutes(2)}, 3);
  driver.run();
  std::vector<std::pair<Ticket, Verdict>> answers;
  for (const Reply& reply : driver.take().replies) {
    answers.emplace_back(reply.ticket, reply.verdict);
  }
  const std::vector<std::pair<Ticket, Verdict>> in_order = {
      {1, Verdict::done}, {2, Verdict::done}, {3, Verdict::task_finished}};
  EXPECT_EQ(answers, in_order);
}

TEST_F(ShardTest, a_cancel_before_the_fire_record_wins_and_one_behind_it_waits_and_is_refused) {
  ask(driver.add(1, start + Millis(10)));
  ask(driver.add(2, start + Millis(10)));
  driver.shard().submit(command::Cancel{fingerprint(1)}, 5);
  driver.set_now(start + Millis(10));
  driver.shard().tick(driver.now());
  driver.shard().submit(command::Cancel{fingerprint(2)}, 6);
  driver.run();
  const Effects effects = driver.take();
  ASSERT_EQ(effects.fired.size(), 1U);
  EXPECT_EQ(effects.fired[0].task, fingerprint(2));
  ASSERT_EQ(effects.replies.size(), 2U);
  EXPECT_EQ(effects.replies[0].verdict, Verdict::done);
  EXPECT_EQ(effects.replies[0].task.attempt, 0U);
  EXPECT_EQ(effects.replies[1].ticket, 6U);
  EXPECT_EQ(effects.replies[1].verdict, Verdict::task_firing);
}

TEST_F(ShardTest, an_add_whose_id_is_taken_comes_back_to_be_compared_or_replaces_what_is_there) {
  const command::Add add = driver.add(1, start + minutes(1));
  const TaskNumber number = ask(add).task.number;
  command::Add other = add;
  other.content = "other";
  Reply reply = ask(other);
  EXPECT_EQ(reply.verdict, Verdict::task_exists);
  EXPECT_EQ(reply.task.number, number);
  EXPECT_EQ(reply.content, "other");
  EXPECT_TRUE(reply.same_due);
  other.if_exists = IfExists::keep;
  other.task.due = start + seconds(59);
  reply = ask(other);
  EXPECT_EQ(reply.verdict, Verdict::kept);
  EXPECT_EQ(reply.content, "other");
  EXPECT_FALSE(reply.same_due);
  other.if_exists = IfExists::latest;
  other.task.due = start + seconds(30);
  reply = ask(other);
  EXPECT_EQ(reply.verdict, Verdict::kept);
  EXPECT_EQ(reply.content, "") << "asked for by its due, whatever the content";
  other.if_exists = IfExists::earliest;
  EXPECT_EQ(ask(other).verdict, Verdict::replaced);
  EXPECT_EQ(driver.shard().find(fingerprint(1))->due, start + seconds(30));
  other.if_exists = IfExists::replace;
  other.task.due = start + hours(1);
  EXPECT_EQ(ask(other).verdict, Verdict::replaced);
  driver.run_until(start + minutes(59));
  EXPECT_TRUE(driver.take().fired.empty()) << "none of the replaced ones may fire";
}

TEST_F(ShardTest, two_adds_of_one_id_in_one_batch_are_decided_one_after_the_other) {
  driver.shard().submit(driver.add(1, start + minutes(1)), 1);
  driver.shard().submit(driver.add(1, start + minutes(2)), 2);
  driver.run();
  const Effects effects = driver.take();
  ASSERT_EQ(effects.replies.size(), 2U);
  EXPECT_EQ(effects.replies[0].verdict, Verdict::done);
  EXPECT_EQ(effects.replies[1].verdict, Verdict::task_exists);
}

TEST_F(ShardTest, subscribe_cancel_subscribe_again_always_works) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(ask(driver.add(1, start + minutes(1))).verdict, Verdict::done);
    EXPECT_EQ(ask(command::Cancel{fingerprint(1)}).verdict, Verdict::done);
    EXPECT_EQ(ask(command::Cancel{fingerprint(1)}).verdict, Verdict::task_finished);
  }
  driver.run_until(start + minutes(2));
  EXPECT_TRUE(driver.take().fired.empty());
}

TEST_F(ShardTest, a_group_cancel_of_many_is_one_record_and_counts_at_once) {
  for (std::uint64_t id = 1; id <= 20'000; ++id)
    driver.shard().submit(driver.add(id, start + minutes(1), 7), 0);
  driver.run();
  const Sequence before = driver.shard().last_sequence();
  driver.shard().submit(command::GroupCancel{group_key(7)}, 3);
  driver.seal();
  driver.commit();
  EXPECT_EQ(only_reply().count, 20'000U);
  EXPECT_EQ(driver.shard().last_sequence(), before + 1);
  EXPECT_EQ(driver.shard().counts()[static_cast<int>(State::cancelled)], 20'000U);
  EXPECT_EQ(driver.shard().find(fingerprint(1))->state, State::cancelled) << "before any sweep";
  EXPECT_EQ(ask(driver.add(5, start + minutes(1), 7)).verdict, Verdict::done);
  driver.run_until(start + minutes(1));
  EXPECT_EQ(driver.take().fired.size(), 1U);
  driver.shard().check_invariants();
}

TEST_F(ShardTest, a_group_shift_moves_all_and_what_would_be_past_is_due_now) {
  for (std::uint64_t id = 1; id <= 1000; ++id) {
    driver.shard().submit(driver.add(id, start + seconds(static_cast<std::int64_t>(id)), 7), 0);
  }
  driver.run();
  EXPECT_EQ(ask(command::GroupShift{group_key(7), hours(1)}).count, 1000U);
  driver.run_until(start + minutes(59));
  EXPECT_TRUE(driver.take().fired.empty());
  EXPECT_EQ(ask(command::GroupShift{group_key(7), -hours(1) - minutes(50)}).count, 1000U);
  driver.run();
  EXPECT_EQ(driver.shard().find(fingerprint(1))->due, driver.now());
  EXPECT_EQ(driver.shard().in_flight(), 64U);
}

TEST_F(ShardTest, a_dead_letter_stays_beside_a_new_task_of_the_same_id) {
  ask(driver.add(1, start + Millis(10)));
  driver.run_until(start + Millis(10));
  const Fired fired = driver.take().fired.at(0);
  driver.shard().outcome(fired, State::dead, {}, {});
  driver.run();
  EXPECT_EQ(ask(driver.add(1, start + hours(1))).verdict, Verdict::done);
  EXPECT_EQ(driver.shard().find(fingerprint(1))->state, State::scheduled);
  ASSERT_TRUE(driver.shard().find_dead(fingerprint(1)).has_value());
  driver.restart();
  EXPECT_EQ(driver.shard().find(fingerprint(1))->state, State::scheduled);
  EXPECT_TRUE(driver.shard().find_dead(fingerprint(1)).has_value());
  EXPECT_EQ(ask(command::RemoveDead{fingerprint(1), 0}).verdict, Verdict::done);
  EXPECT_FALSE(driver.shard().find_dead(fingerprint(1)).has_value());
  EXPECT_TRUE(driver.shard().find(fingerprint(1)).has_value());
}

TEST_F(ShardTest,
       deleting_a_target_in_use_needs_force_and_its_tasks_go_to_the_dead_letters_when_due) {
  ask(driver.add(1, start + seconds(1)));
  EXPECT_EQ(ask(command::TargetDelete{target_key(1), false}).verdict, Verdict::target_in_use);
  EXPECT_EQ(ask(command::TargetDelete{target_key(1), true}).verdict, Verdict::done);
  EXPECT_EQ(ask(driver.add(2, start + seconds(1))).verdict, Verdict::unknown_target);
  EXPECT_EQ(driver.shard().find(fingerprint(1))->state, State::scheduled);
  driver.run_until(start + seconds(1));
  EXPECT_EQ(driver.shard().find(fingerprint(1))->state, State::dead);
}

TEST_F(ShardTest, a_target_takes_no_task_from_the_decision_to_delete_it_on) {
  driver.shard().restate(driver.log());
  driver.seal();  // its settings are restated
  driver.shard().submit(command::TargetDelete{target_key(1), false}, 0);
  driver.commit();
  EXPECT_EQ(ask(driver.add(1, start + minutes(1))).verdict, Verdict::unknown_target);
  driver.put_target(1);
  driver.run();
  driver.take();
  EXPECT_EQ(ask(driver.add(1, start + minutes(1))).verdict, Verdict::done) << "made again";
}

TEST_F(ShardTest, a_target_that_a_task_is_about_to_name_is_in_use) {
  driver.put_target(2);
  driver.run();
  driver.take();
  ask(driver.add(1, start + minutes(1)));
  command::Add replacing = driver.add(1, start + minutes(2), 0, 2);
  replacing.if_exists = IfExists::replace;
  driver.shard().submit(replacing, 1);
  driver.shard().submit(command::TargetDelete{target_key(2), false}, 2);
  driver.run();
  const Effects effects = driver.take();
  ASSERT_EQ(effects.replies.size(), 2U);
  EXPECT_EQ(effects.replies[0].verdict, Verdict::target_in_use);
  EXPECT_EQ(effects.replies[1].verdict, Verdict::replaced);
  EXPECT_EQ(driver.shard().target(target_key(2))->unfinished, 1U);
  ask(command::Cancel{fingerprint(1)});
  EXPECT_EQ(ask(command::TargetDelete{target_key(2), false}).verdict, Verdict::done);
}

TEST_F(ShardTest, finished_tasks_are_forgotten_after_their_retention_with_their_rows) {
  ask(driver.add(1, start + hours(2)));
  const TaskNumber number = driver.shard().find(fingerprint(1))->number;
  ask(command::Cancel{fingerprint(1)});
  driver.run_until(start + minutes(59));
  EXPECT_TRUE(driver.shard().find(fingerprint(1)).has_value());
  driver.run_until(start + minutes(60) + seconds(1));
  EXPECT_FALSE(driver.shard().find(fingerprint(1)).has_value());
  driver.shard().submit(driver.add(2, start + hours(2)), 0);
  const Batch batch = driver.shard().seal(driver.now());
  ASSERT_EQ(batch.forgotten.size(), 1U);
  EXPECT_EQ(batch.forgotten[0], number);
}

TEST_F(ShardTest, an_id_added_again_is_retained_from_its_own_end_on) {
  ask(driver.add(1, start + hours(24)));
  ask(command::Cancel{fingerprint(1)});
  driver.run_until(start + minutes(30));
  ask(driver.add(1, start + hours(24)));
  ask(command::Cancel{fingerprint(1)});
  driver.run_until(start + minutes(62));
  EXPECT_TRUE(driver.shard().find(fingerprint(1)).has_value());
  driver.restart();
  driver.run_until(start + minutes(89));
  EXPECT_TRUE(driver.shard().find(fingerprint(1)).has_value());
  driver.run_until(start + minutes(92));
  EXPECT_FALSE(driver.shard().find(fingerprint(1)).has_value());
  driver.shard().check_invariants();
}

TEST_F(ShardTest, few_ids_used_again_and_again_take_no_more_memory) {
  const auto use = [&](int rounds) {
    for (int round = 0; round < rounds; ++round) {
      for (std::uint64_t id = 1; id <= 50; ++id)
        driver.shard().submit(driver.add(id, start + hours(24)), 0);
      driver.run();
      for (std::uint64_t id = 1; id <= 50; ++id)
        driver.shard().submit(command::Cancel{fingerprint(id)}, 0);
      driver.run();
      driver.take();
    }
  };
  use(200);
  const std::uint64_t bytes = driver.shard().bytes();
  use(1000);
  EXPECT_LE(driver.shard().bytes(), bytes + 40'000) << "of 50,000 that finished meanwhile";
  driver.shard().check_invariants();
}

TEST_F(ShardTest, a_start_that_retains_nothing_forgets_some_at_a_time) {
  for (std::uint64_t id = 1; id <= 5000; ++id) {
    driver.shard().submit(driver.add(id, start + hours(24)), 0);
  }
  driver.run();
  for (std::uint64_t id = 1; id <= 5000; ++id) {
    driver.shard().submit(command::Cancel{fingerprint(id)}, 0);
  }
  driver.run();
  ShardOptions forgetful = options();
  forgetful.retain_finished = Millis(0);
  driver.set_options(forgetful);
  driver.restart();
  driver.shard().tick(driver.now());
  EXPECT_GT(driver.shard().tasks(), 2500U);
  for (int i = 1; i <= 5; ++i) driver.run_until(start + Millis(i));
  EXPECT_EQ(driver.shard().tasks(), 0U);
  driver.shard().check_invariants();
}

TEST_F(ShardTest, restating_lets_the_log_be_trimmed_and_loses_nothing) {
  for (std::uint64_t id = 1; id <= 100; ++id) {
    ask(driver.add(id, start + minutes(1), 7));
    if (id % 2 == 0) ask(command::Cancel{fingerprint(id)});
  }
  ask(command::GroupShift{group_key(7), hours(1)});
  const std::vector<Batch> oldest(driver.log().begin(), driver.log().begin() + 100);
  driver.shard().restate(oldest);
  driver.run();
  EXPECT_EQ(driver.log().front().first, oldest.back().last() + 1);
  driver.restart();
  for (std::uint64_t id = 1; id <= 100; ++id) {
    const auto task = driver.shard().find(fingerprint(id));
    ASSERT_TRUE(task.has_value()) << id;
    ASSERT_EQ(task->state, id % 2 == 0 ? State::cancelled : State::scheduled);
    if (id % 2 != 0) {
      ASSERT_EQ(task->due, start + minutes(61));
    }
  }
  EXPECT_EQ(driver.shard().named_targets().size(), 1U);
  driver.shard().check_invariants();
}

TEST_F(ShardTest, a_group_that_is_swept_by_its_eighth_operation_is_freed_once) {
  ShardOptions forgetful;
  forgetful.retain_finished = Millis(0);
  HandDriver other(forgetful, start);
  other.put_target(1);
  other.run();
  other.shard().submit(other.add(1, start + hours(1), 7), 0);
  other.run();
  const auto operate = [&](Command command) {
    other.shard().submit(std::move(command), 0);
    other.seal();
    other.commit();
  };
  for (int i = 0; i < 6; ++i) operate(command::GroupShift{group_key(7), seconds(1)});
  operate(command::GroupCancel{group_key(7)});
  operate(command::GroupShift{group_key(7), seconds(1)});
  other.run();
  other.shard().submit(other.add(8, start + hours(1), 8), 0);
  other.shard().submit(other.add(9, start + hours(1), 9), 0);
  other.run();
  EXPECT_NE(other.shard().group(group_key(8)), other.shard().group(group_key(9)));
  operate(command::GroupCancel{group_key(8)});
  other.run();
  EXPECT_FALSE(other.shard().find(fingerprint(8)).has_value());
  EXPECT_TRUE(other.shard().find(fingerprint(9)).has_value());
  other.shard().check_invariants();
}

TEST_F(ShardTest, a_due_shifted_past_all_dates_stays_there) {
  ask(driver.add(1, start + hours(1), 7));
  for (int i = 0; i < 1500; ++i) ask(command::GroupShift{group_key(7), hours(24 * 30)});
  driver.run();
  EXPECT_TRUE(driver.take().fired.empty());
  EXPECT_GT(driver.shard().find(fingerprint(1))->due, start + hours(24 * 365 * 50));
}

TEST_F(ShardTest, batches_handed_back_twice_are_restated_once) {
  for (std::uint64_t id = 1; id <= 10; ++id) ask(driver.add(id, start + hours(1)));
  const std::vector<Batch> oldest(driver.log().begin(), driver.log().end() - 1);
  driver.shard().restate(oldest);
  driver.shard().restate(oldest);
  driver.run();
  std::size_t keeps = 0;
  for (const Batch& batch : driver.log()) {
    for (const Record& record : batch.records)
      keeps += std::holds_alternative<record::Keep>(record);
  }
  EXPECT_EQ(keeps, 9U);
}

}  // namespace
}  // namespace carillon
