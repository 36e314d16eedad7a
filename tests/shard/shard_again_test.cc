// What is asked for while a task is firing, and what is sent again.

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/shard/hand_driver.h"

namespace carillon {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class ShardAgain : public testing::Test {
 protected:
  ShardAgain() {
    driver.put_target(1);
    driver.run();
    driver.take();
  }
  Reply ask(Command command) {
    driver.shard().submit(std::move(command), 9);
    driver.run();
    Effects effects = driver.take();
    for (const Fired& fired : effects.fired) fired_.push_back(fired);
    EXPECT_EQ(effects.replies.size(), 1U);
    return effects.replies.empty() ? Reply{} : std::move(effects.replies.front());
  }
  /// Adds it and lets it fire.
  Fired firing(std::uint64_t id, std::uint64_t group = 0) {
    EXPECT_EQ(ask(driver.add(id, driver.now(), group)).verdict, Verdict::done);
    EXPECT_EQ(fired_.size(), 1U);
    const Fired fired = fired_.back();
    fired_.clear();
    return fired;
  }
  void fail(const Fired& fired) {
    driver.shard().outcome(fired, State::retrying, driver.now() + seconds(1),
                           Note{driver.now(), fired.attempt, 500, "500", driver.now(), 0});
  }
  void expect_no_more_pushes() {
    driver.run_until(driver.now() + hours(1));
    EXPECT_TRUE(driver.take().fired.empty());
    driver.restart();
    driver.run_until(driver.now() + hours(1));
    EXPECT_TRUE(driver.take().fired.empty());
    driver.shard().check_invariants();
  }
  [[nodiscard]] State state(std::uint64_t id) {
    const auto task = driver.shard().find(fingerprint(id));
    return task ? task->state : State::expired;
  }
  static OperationName name(std::uint64_t key, std::uint64_t arguments = 0) {
    return {{key, 5}, arguments};
  }

  HandDriver driver{};
  WallTime start = driver.now();
  std::vector<Fired> fired_;
};

TEST_F(ShardAgain, a_cancel_of_retries_makes_the_attempt_under_way_the_last) {
  const Fired fired = firing(1);
  EXPECT_EQ(ask(command::Cancel{fingerprint(1), false}).verdict, Verdict::task_firing);
  const Reply reply = ask(command::Cancel{fingerprint(1), true});
  EXPECT_EQ(reply.verdict, Verdict::done);
  EXPECT_EQ(reply.task.state, State::firing);
  EXPECT_EQ(reply.task.attempt, 1U);
  const std::size_t batches = driver.log().size();
  EXPECT_EQ(ask(command::Cancel{fingerprint(1), true}).verdict, Verdict::done);
  EXPECT_EQ(driver.log().size(), batches) << "said again it is no record";
  fail(fired);
  driver.run();
  EXPECT_EQ(state(1), State::cancelled);
  expect_no_more_pushes();
}

TEST_F(ShardAgain, a_last_attempt_that_succeeds_is_delivered) {
  const Fired fired = firing(1);
  ask(command::Cancel{fingerprint(1), true});
  driver.shard().outcome(fired, State::delivered, {}, {});
  driver.run();
  EXPECT_EQ(state(1), State::delivered);
}

TEST_F(ShardAgain, a_cancel_of_retries_cancels_what_waits) {
  ask(driver.add(1, start + minutes(1)));
  const Reply reply = ask(command::Cancel{fingerprint(1), true});
  EXPECT_EQ(reply.verdict, Verdict::done);
  EXPECT_EQ(reply.task.state, State::scheduled) << "as it stood before";
  EXPECT_EQ(state(1), State::cancelled);
}

TEST_F(ShardAgain, a_failure_that_comes_while_the_cancel_is_under_way_is_the_last) {
  const Fired fired = firing(1);
  driver.shard().submit(command::Cancel{fingerprint(1), true}, 9);
  driver.seal();
  fail(fired);
  driver.run();
  EXPECT_EQ(driver.take().replies.at(0).task.state, State::firing);
  EXPECT_EQ(state(1), State::cancelled);
  expect_no_more_pushes();
}

TEST_F(ShardAgain, a_cancel_that_comes_while_the_failure_is_under_way_cancels_the_retry) {
  const Fired fired = firing(1);
  fail(fired);
  driver.seal();
  driver.shard().submit(command::Cancel{fingerprint(1), true}, 9);
  driver.run();
  EXPECT_EQ(driver.take().replies.at(0).task.state, State::retrying);
  EXPECT_EQ(state(1), State::cancelled);
  expect_no_more_pushes();
}

TEST_F(ShardAgain, after_a_crash_a_last_attempt_is_not_pushed_again) {
  firing(1);
  ask(command::Cancel{fingerprint(1), true});
  driver.restart();
  driver.run();
  EXPECT_EQ(state(1), State::cancelled);
  expect_no_more_pushes();
}

TEST_F(ShardAgain, a_group_cancel_makes_attempts_under_way_the_last) {
  const Fired first = firing(1, 7);
  const Fired second = firing(2, 7);
  firing(3, 7);
  ask(driver.add(4, start + minutes(1), 7));
  const Reply reply = ask(command::GroupCancel{group_key(7)});
  EXPECT_EQ(reply.count, 1U);
  EXPECT_EQ(reply.firing, 3U);
  driver.shard().check_invariants();
  fail(first);
  driver.shard().outcome(second, State::delivered, {}, {});
  driver.run();
  EXPECT_EQ(state(1), State::cancelled);
  EXPECT_EQ(state(2), State::delivered);
  EXPECT_EQ(state(3), State::firing);
  expect_no_more_pushes();
  EXPECT_EQ(state(3), State::cancelled) << "found firing by the restart";
}

TEST_F(ShardAgain, a_failure_that_comes_while_the_group_cancel_is_under_way_is_the_last) {
  const Fired fired = firing(1, 7);
  driver.shard().submit(command::GroupCancel{group_key(7)}, 9);
  driver.seal();
  fail(fired);
  driver.run();
  EXPECT_EQ(driver.take().replies.at(0).firing, 1U);
  EXPECT_EQ(state(1), State::cancelled);
  expect_no_more_pushes();
}

TEST_F(ShardAgain, a_restated_task_keeps_that_its_retries_were_cancelled) {
  firing(1, 7);
  ask(command::GroupCancel{group_key(7)});
  driver.shard().restate(driver.log());
  driver.run();
  driver.restart();
  driver.run();
  EXPECT_EQ(state(1), State::cancelled);
}

TEST_F(ShardAgain, a_named_shift_is_done_once_also_after_a_restart_and_cleaning) {
  ask(driver.add(1, start + hours(1), 7));
  ask(driver.add(2, start + hours(1), 7));
  command::GroupShift shift{group_key(7), minutes(10), name(1, 600'000)};
  EXPECT_EQ(ask(shift).verdict, Verdict::done);
  const auto expect_repeated = [&] {
    const Reply again = ask(shift);
    EXPECT_EQ(again.verdict, Verdict::repeated);
    EXPECT_EQ(again.count, 2U);
    EXPECT_EQ(driver.shard().find(fingerprint(1))->due, start + hours(1) + minutes(10));
  };
  expect_repeated();
  driver.restart();
  expect_repeated();
  driver.shard().restate(driver.log());
  driver.run();
  EXPECT_EQ(driver.log().size(), 1U);
  driver.restart();
  expect_repeated();
  command::GroupShift other = shift;
  other.operation = name(1, 700'000);
  EXPECT_EQ(ask(other).verdict, Verdict::operation_reused);
  driver.run_until(start + days(1) + minutes(1));
  driver.take();
  EXPECT_EQ(driver.shard().operations(), 0U) << "a day is over";
}

TEST_F(ShardAgain, a_named_cancel_answers_alike_when_its_group_is_long_gone) {
  firing(1, 7);
  ask(driver.add(2, start + hours(1), 7));
  command::GroupCancel cancel{group_key(7), name(2)};
  EXPECT_EQ(ask(cancel).firing, 1U);
  driver.restart();
  driver.run();
  driver.run_until(start + hours(3));
  driver.take();
  EXPECT_EQ(driver.shard().group(group_key(7)), nullptr);
  const Reply again = ask(cancel);
  EXPECT_EQ(again.verdict, Verdict::repeated);
  EXPECT_EQ(again.count, 1U);
  EXPECT_EQ(again.firing, 1U);
  cancel.operation = name(3);
  EXPECT_EQ(ask(cancel).verdict, Verdict::not_found);
}

TEST_F(ShardAgain, a_named_cancel_whose_answer_a_crash_took_away_is_answered_alike_later) {
  ask(driver.add(1, start + hours(1), 7));
  const command::GroupCancel cancel{group_key(7), name(2)};
  driver.shard().submit(cancel, 9);
  driver.seal();
  driver.commit();
  driver.restart();
  driver.run();
  // The log is cleaned up to the cancel, which stays: a replay finds no group there.
  const auto holds_cancel = [](const Batch& batch) {
    return std::holds_alternative<record::GroupCancel>(batch.records.front());
  };
  const auto place = std::ranges::find_if(driver.log(), holds_cancel);
  ASSERT_NE(place, driver.log().end());
  driver.shard().restate({driver.log().begin(), place});
  driver.run();
  ASSERT_TRUE(holds_cancel(driver.log().front()));
  driver.restart();
  driver.run();
  driver.take();
  const Reply again = ask(cancel);
  EXPECT_EQ(again.verdict, Verdict::repeated);
  EXPECT_EQ(again.count, 1U);
}

TEST_F(ShardAgain, the_same_operation_while_the_first_is_under_way_waits_for_its_answer) {
  ask(driver.add(1, start + hours(1), 7));
  const command::GroupShift shift{group_key(7), minutes(10), name(1)};
  driver.shard().submit(shift, 1);
  driver.shard().submit(shift, 2);
  driver.run();
  const Effects effects = driver.take();
  ASSERT_EQ(effects.replies.size(), 2U);
  for (const Reply& reply : effects.replies) EXPECT_EQ(reply.count, 1U);
  EXPECT_EQ(driver.shard().find(fingerprint(1))->due, start + hours(1) + minutes(10));
}

TEST_F(ShardAgain, a_shift_past_the_latest_moves_nothing) {
  const WallTime latest = start + days(30);
  ask(driver.add(1, start + days(1), 7));
  ask(driver.add(2, start + days(10), 7));
  EXPECT_EQ(ask(command::GroupShift{group_key(7), days(20) + Millis(1), {}, latest}).verdict,
            Verdict::beyond_horizon);
  EXPECT_EQ(driver.shard().find(fingerprint(1))->due, start + days(1));
  EXPECT_EQ(ask(command::GroupShift{group_key(7), days(20), {}, latest}).verdict, Verdict::done);
  EXPECT_EQ(driver.shard().find(fingerprint(2))->due, latest);
  EXPECT_EQ(ask(command::GroupShift{group_key(7), Millis(1), {}, latest}).verdict,
            Verdict::beyond_horizon);
  // The latest one goes, moves or leaves: what is left may be shifted further.
  EXPECT_EQ(ask(command::Cancel{fingerprint(2), false}).verdict, Verdict::done);
  EXPECT_EQ(ask(command::GroupShift{group_key(7), days(9), {}, latest}).verdict, Verdict::done);
  EXPECT_EQ(ask(command::GroupShift{group_key(7), Millis(1), {}, latest}).verdict,
            Verdict::beyond_horizon);
  EXPECT_EQ(ask(command::Move{fingerprint(1), start + days(1)}).verdict, Verdict::done);
  EXPECT_EQ(ask(command::GroupShift{group_key(7), days(29), {}, latest}).verdict, Verdict::done);
}

TEST_F(ShardAgain, a_shift_counts_what_is_added_just_before_it) {
  const WallTime latest = start + days(30);
  ask(driver.add(1, start + days(1), 7));
  driver.shard().submit(driver.add(2, start + days(29), 7), 1);
  driver.seal();
  driver.shard().submit(driver.add(3, start + days(28), 7), 2);
  driver.shard().submit(command::GroupShift{group_key(7), days(2), {}, latest}, 3);
  driver.run();
  for (const Reply& reply : driver.take().replies) {
    EXPECT_EQ(reply.verdict, reply.ticket == 3 ? Verdict::beyond_horizon : Verdict::done);
  }
}

TEST_F(ShardAgain, an_add_once_finds_a_finished_task_that_is_still_there) {
  const Fired fired = firing(1);
  driver.shard().outcome(fired, State::delivered, {}, {});
  driver.run();
  command::Add once = driver.add(1, start + hours(5));
  once.if_exists = IfExists::once;
  const Reply kept = ask(once);
  EXPECT_EQ(kept.verdict, Verdict::kept);
  EXPECT_EQ(kept.task.state, State::delivered);
  EXPECT_FALSE(kept.content.empty()) << "to be compared";
  driver.run_until(start + hours(2));
  driver.take();
  EXPECT_EQ(ask(once).verdict, Verdict::done) << "it was forgotten";
  EXPECT_EQ(ask(once).verdict, Verdict::kept) << "one that waits counts as well";
}

TEST_F(ShardAgain, a_redriven_task_keeps_its_due_and_expires_from_the_redrive_on) {
  command::Add add = driver.add(1, start);
  add.task.expire_after = minutes(1);
  ask(add);
  const Fired first = fired_.at(0);
  driver.shard().outcome(first, State::dead, {}, {});
  driver.run();
  driver.put_target(1, 64, /*paused=*/true);
  driver.run_until(start + minutes(30));
  driver.take();

  command::Change redrive;
  redrive.task.task = fingerprint(1);
  redrive.task.target = target_key(1);
  redrive.task.expire_after = minutes(1);
  redrive.task.due = driver.now();
  redrive.expected = first.number;
  redrive.redrive = true;
  redrive.content = "again";
  redrive.operation = name(4);
  EXPECT_EQ(ask(redrive).verdict, Verdict::replaced);
  driver.restart();
  const auto task = driver.shard().find(fingerprint(1));
  EXPECT_EQ(task->asked_due, start);
  EXPECT_EQ(task->due, start + minutes(30));
  EXPECT_EQ(task->redriven_at, start + minutes(30));
  EXPECT_EQ(ask(redrive).verdict, Verdict::repeated);
  driver.run_until(start + minutes(31));
  driver.put_target(1);
  driver.run();
  const Effects effects = driver.take();
  ASSERT_EQ(effects.fired.size(), 1U) << "not expired yet";
  EXPECT_EQ(effects.fired[0].asked_due, start);
  EXPECT_EQ(effects.fired[0].attempt, 2U);
  fail(effects.fired[0]);
  driver.run_until(start + minutes(32));
  EXPECT_EQ(state(1), State::expired);
}

TEST_F(ShardAgain, a_named_operation_that_was_many_commands_is_remembered) {
  EXPECT_EQ(ask(command::Operation{name(6, 1), start, 41, 0}).count, 41U);
  driver.restart();
  ASSERT_NE(driver.shard().operation(name(6).key), nullptr);
  EXPECT_EQ(driver.shard().operation(name(6).key)->count, 41U);
  EXPECT_EQ(ask(command::Operation{name(6, 1), start, 7, 0}).count, 41U);
}

}  // namespace
}  // namespace carillon
