// A driver over a log that another node may come to own: what it may still do and answer before it
// knows, how it follows, and how it hands over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/node.h"

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Millis kFiringStays{2000};

class SharedLogTest : public testing::Test {
 protected:
  SharedLogTest() { first.put_target(); }
  /// Another one owns the stream, and the first has not heard of it.
  Node& take_over(Millis firing_stays = Millis(0)) {
    second = std::make_unique<Node>(net, clock, stream, firing_stays);
    return *second;
  }
  /// The first has a push under way of task 1, added with that id.
  void fire() {
    first.add(1, seconds(1));
    first.advance(seconds(1));
    first.rest();
    ASSERT_THAT(first.consumer.pushes, SizeIs(1));
  }

  Net net;
  NodeClock clock{WallTime(Millis(1'800'000'000'000))};
  std::shared_ptr<ModelStream> stream = std::make_shared<ModelStream>();
  Node first{net, clock, stream};
  std::unique_ptr<Node> second;
};

// --- Answers.

TEST_F(SharedLogTest, the_reply_to_a_record_comes_with_its_commit) {
  const auto place = stream->next();
  Asked& added = first.add(1);
  first.rest();
  EXPECT_THAT(added.verdicts(), ElementsAre(Verdict::done));
  EXPECT_EQ(stream->next(), place + 1);
}

TEST_F(SharedLogTest, an_answer_that_wrote_nothing_waits_for_a_commit_and_many_share_it) {
  first.add(1);
  first.rest();
  const auto place = stream->next();
  Asked& one = first.cancel(7);
  Asked& two = first.add(1);
  EXPECT_FALSE(one.done || two.done);
  first.turn();
  EXPECT_FALSE(one.done || two.done);
  first.rest();
  EXPECT_THAT(one.verdicts(), ElementsAre(Verdict::not_found));
  EXPECT_THAT(two.verdicts(), ElementsAre(Verdict::task_exists));
  EXPECT_EQ(stream->next(), place + 1) << "an empty one";
}

TEST_F(SharedLogTest, it_shares_the_commit_of_what_is_written_anyway) {
  const auto place = stream->next();
  Asked& both = first.submit({first.make_add(1), command::Cancel{fingerprint(7)}});
  first.rest();
  EXPECT_THAT(both.verdicts(), ElementsAre(Verdict::done, Verdict::not_found));
  EXPECT_EQ(stream->next(), place + 1);
}

TEST_F(SharedLogTest, a_commit_that_was_under_way_before_does_not_do) {
  Asked& added = first.add(1);
  first.turn();
  ASSERT_TRUE(first.driver->committing());
  Asked& late = first.cancel(7);
  bool late_was_done = false;
  added.then = [&] { late_was_done = late.done; };
  first.rest();
  EXPECT_TRUE(added.done && late.done);
  EXPECT_FALSE(late_was_done);
}

TEST_F(SharedLogTest, what_waited_for_a_record_and_then_wrote_nothing_waits_for_one_more_commit) {
  const auto place = stream->next();
  Asked& added = first.add(1);
  Asked& again = first.add(1);
  first.rest();
  EXPECT_THAT(added.verdicts(), ElementsAre(Verdict::done));
  EXPECT_THAT(again.verdicts(), ElementsAre(Verdict::task_exists));
  EXPECT_EQ(stream->next(), place + 2);
}

TEST_F(SharedLogTest, nobody_is_answered_from_memory_once_another_one_owns_the_shard) {
  take_over().add(1);
  second->rest();
  Asked& unknown = first.cancel(1);
  Asked& question = first.confirm();
  first.rest();
  EXPECT_THAT(unknown.verdicts(), ElementsAre(Verdict::moved)) << "there is a task 1 by now";
  EXPECT_THAT(question.verdicts(), ElementsAre(Verdict::moved));
  EXPECT_EQ(first.consumer.fenced_times, 1);
  EXPECT_THAT(first.confirm().verdicts(), ElementsAre(Verdict::moved)) << "at once";
}

TEST_F(SharedLogTest, a_named_operation_that_is_done_is_not_said_to_be_undone) {
  command::Add member = first.make_add(1);
  member.task.group = group_key(1);
  first.submit({member});
  first.rest();
  Asked& cancelled = first.submit({command::GroupCancel{group_key(1), {{7, 7}, 0}}});
  first.turn();
  while (first.count(State::cancelled) == 0) {
    const auto step = std::move(net.steps.front());
    net.steps.pop_front();
    step();
  }
  ASSERT_FALSE(cancelled.done) << "its answer is a record of its own, which is on its way";
  // That was carried first, so it is lost on purpose.
  net.steps.clear();
  take_over();
  first.rest();
  EXPECT_THAT(cancelled.verdicts(), ElementsAre(Verdict::outcome_unknown));
}

// --- A log that does not answer.

TEST_F(SharedLogTest, callers_wait_five_seconds_for_a_log_that_is_away) {
  Asked& sealed = first.add(1);
  first.turn();
  Asked& open = first.submit({first.make_add(2), command::Cancel{fingerprint(7)}});
  Asked& waiting = first.cancel(1);
  ASSERT_TRUE(first.alarm);
  clock.set(*first.alarm - Millis(1));
  first.driver->tick();
  EXPECT_FALSE(sealed.done || open.done || waiting.done);
  EXPECT_FALSE(first.driver->closed());
  clock.set(*first.alarm);
  first.driver->tick();
  EXPECT_THAT(sealed.verdicts(), ElementsAre(Verdict::outcome_unknown));
  EXPECT_THAT(open.verdicts(), ElementsAre(Verdict::outcome_unknown, Verdict::log_away));
  EXPECT_THAT(waiting.verdicts(), ElementsAre(Verdict::outcome_unknown)) << "it will be decided";
  EXPECT_EQ(first.driver->closed()->slug, "log_away");
  EXPECT_THAT(first.add(3).verdicts(), ElementsAre(Verdict::log_away)) << "at once";
  EXPECT_THAT(first.confirm().verdicts(), ElementsAre(Verdict::log_away));
  EXPECT_FALSE(first.alarm && *first.alarm <= clock.wall()) << "nothing is left to do";
}

TEST_F(SharedLogTest, what_was_decided_while_the_log_was_away_is_done_when_it_is_back) {
  first.add(1);
  first.turn();
  first.add(2);
  first.cancel(1);
  clock.set(clock.wall() + seconds(5));
  first.driver->tick();
  net.run();  // the commit that was under way ends, and the next begins
  Asked& late = first.add(3);
  Asked& unknown = first.cancel(7);
  first.rest();
  EXPECT_THAT(late.verdicts(), ElementsAre(Verdict::done)) << "its place was nobody's";
  EXPECT_THAT(unknown.verdicts(), ElementsAre(Verdict::not_found));
  EXPECT_EQ(first.count(State::cancelled), 1U);
  EXPECT_EQ(first.count(State::scheduled), 2U);
  EXPECT_FALSE(first.driver->closed());
}

TEST_F(SharedLogTest, a_log_may_be_away_again_and_again) {
  for (int i = 0; i < 3; ++i) {
    Asked& asked = first.submit({first.make_add(10 + i), command::Cancel{fingerprint(7)}});
    first.turn();
    clock.set(clock.wall() + seconds(6));
    first.driver->tick();
    EXPECT_THAT(asked.verdicts(), ElementsAre(Verdict::outcome_unknown, Verdict::log_away));
    first.rest();
  }
  take_over();
  first.add(1);
  first.turn();
  clock.set(clock.wall() + seconds(6));
  first.driver->tick();
  first.rest();
  EXPECT_EQ(first.consumer.fenced_times, 1) << "whom another one follows meanwhile";
}

// --- How fresh memory is.

TEST_F(SharedLogTest, memory_is_fresh_for_a_second_from_the_sending_of_a_commit) {
  EXPECT_TRUE(first.driver->is_fresh());
  first.add(1);
  first.turn();
  ASSERT_TRUE(first.driver->committing());
  clock.set(clock.wall() + seconds(1));
  EXPECT_TRUE(first.driver->is_fresh()) << "the target's commit was a second ago";
  clock.set(clock.wall() + Millis(1));
  EXPECT_FALSE(first.driver->is_fresh());
  first.rest();
  EXPECT_FALSE(first.driver->is_fresh()) << "what was sent that long ago proves nothing";
  const auto place = stream->next();
  const int settled = first.consumer.settled_times;
  first.driver->refresh();
  first.driver->refresh();
  first.rest();
  EXPECT_TRUE(first.driver->is_fresh());
  EXPECT_EQ(stream->next(), place + 1);
  EXPECT_EQ(first.consumer.settled_times, settled + 1);
}

TEST_F(SharedLogTest, who_is_fenced_is_not_fresh) {
  take_over();
  first.driver->refresh();
  first.rest();
  EXPECT_EQ(first.consumer.fenced_times, 1);
  EXPECT_FALSE(first.driver->is_fresh());
}

// --- What a new owner finds firing.

TEST_F(SharedLogTest, what_is_found_firing_stays_so_for_a_while_and_is_pushed_again_then) {
  fire();
  take_over(kFiringStays);
  second->advance(kFiringStays - Millis(1));
  EXPECT_EQ(second->count(State::firing), 1U);
  Asked& cancelled = second->cancel(1);
  second->rest();
  EXPECT_THAT(cancelled.verdicts(), ElementsAre(Verdict::task_firing));
  EXPECT_THAT(second->consumer.pushes, IsEmpty());
  second->advance(Millis(1));
  second->rest();
  ASSERT_THAT(second->consumer.pushes, SizeIs(1));
  EXPECT_EQ(second->consumer.pushes[0].attempt, 2U);
}

TEST_F(SharedLogTest, meanwhile_the_others_are_fired_in_time) {
  fire();
  first.add(2, Millis(500));
  first.rest();
  take_over(kFiringStays);
  second->advance(Millis(500));
  second->rest();
  ASSERT_THAT(second->consumer.pushes, SizeIs(1));
  EXPECT_EQ(second->consumer.pushes[0].task, fingerprint(2));
}

TEST_F(SharedLogTest, a_cancel_of_retries_meanwhile_makes_the_old_push_the_last) {
  fire();
  take_over(kFiringStays);
  Asked& cancelled = second->cancel(1, /*retries=*/true);
  second->rest();
  EXPECT_THAT(cancelled.verdicts(), ElementsAre(Verdict::done));
  second->advance(kFiringStays);
  second->rest();
  EXPECT_EQ(second->count(State::cancelled), 1U);
  EXPECT_THAT(second->consumer.pushes, IsEmpty());
}

TEST_F(SharedLogTest, a_cancel_of_the_group_meanwhile_does_so_too) {
  command::Add member = first.make_add(1, seconds(1));
  member.task.group = group_key(1);
  first.submit({member});
  first.advance(seconds(1));
  first.rest();
  ASSERT_THAT(first.consumer.pushes, SizeIs(1));
  take_over(kFiringStays);
  second->submit({command::GroupCancel{group_key(1), {}}});
  second->rest();
  second->advance(kFiringStays);
  second->rest();
  EXPECT_EQ(second->count(State::cancelled), 1U);
}

TEST_F(SharedLogTest, a_clock_that_is_set_forward_does_not_end_it) {
  fire();
  take_over(kFiringStays);
  clock.step(hours(1));
  second->driver->tick();
  second->advance(kFiringStays - Millis(1));
  EXPECT_EQ(second->count(State::firing), 1U);
  second->advance(Millis(1));
  second->rest();
  EXPECT_THAT(second->consumer.pushes, SizeIs(1));
}

// --- Following.

TEST_F(SharedLogTest, a_follower_knows_what_the_owner_commits_and_takes_over_at_once) {
  Node follower(net, clock, stream, Node::Follows());
  EXPECT_EQ(follower.driver->not_ready_because(), "following");
  EXPECT_EQ(follower.driver->closed()->slug, "moved");
  const std::size_t targets = follower.consumer.targets;
  first.add(1);
  first.add(2);
  first.rest();
  first.cancel(2);
  first.put_target();
  const Sequence next = follower.driver->shard().last_sequence() + 1;
  std::vector<Batch> batches;
  follower.log.follow(next, 1 << 20, [&](Result<std::vector<Batch>> some) {
    for (Batch& batch : *some) batches.push_back(std::move(batch));
  });
  net.run();
  ASSERT_THAT(batches, testing::Not(IsEmpty()));
  for (const Batch& batch : batches) follower.driver->follow(batch);
  EXPECT_EQ(follower.driver->shard().last_sequence(), first.driver->shard().last_sequence());
  EXPECT_EQ(follower.count(State::scheduled), 1U);
  EXPECT_EQ(follower.count(State::cancelled), 1U);
  EXPECT_EQ(follower.consumer.targets, targets + 1);
  EXPECT_EQ(follower.turns, 0);
  EXPECT_THAT(follower.add(9).verdicts(), ElementsAre(Verdict::moved));
  EXPECT_THAT(follower.confirm().verdicts(), ElementsAre(Verdict::moved));
  follower.take_over();
  Asked& known = follower.add(1);
  follower.rest();
  EXPECT_THAT(known.verdicts(), ElementsAre(Verdict::task_exists));
  follower.advance(hours(1));
  follower.rest();
  EXPECT_THAT(follower.consumer.pushes, SizeIs(1));
}

// --- Handing over.

TEST_F(SharedLogTest, who_hands_over_answers_what_is_open_and_takes_nothing_more) {
  Asked& open = first.add(1);
  first.driver->hand_over();
  EXPECT_EQ(first.driver->not_ready_because(), "handing over");
  EXPECT_EQ(first.driver->closed()->slug, "moved");
  EXPECT_THAT(first.add(2).verdicts(), ElementsAre(Verdict::moved));
  EXPECT_FALSE(first.driver->drained());
  first.rest();
  EXPECT_THAT(open.verdicts(), ElementsAre(Verdict::done));
  EXPECT_TRUE(first.driver->drained());
  first.advance(hours(2));
  EXPECT_THAT(first.consumer.pushes, IsEmpty()) << "it fires nothing";
}

TEST_F(SharedLogTest, it_waits_for_pushes_under_way_and_makes_their_outcomes_durable) {
  fire();
  first.driver->hand_over();
  first.rest();
  EXPECT_FALSE(first.driver->drained());
  first.driver->outcome(first.consumer.pushes[0], State::delivered, {}, {});
  EXPECT_FALSE(first.driver->drained());
  first.rest();
  EXPECT_TRUE(first.driver->drained());
  EXPECT_EQ(take_over(kFiringStays).count(State::delivered), 1U);
}

TEST_F(SharedLogTest, once_it_has_let_go_late_outcomes_are_the_next_owner_s_business) {
  fire();
  first.add(2);
  first.driver->hand_over();
  first.driver->let_go();
  EXPECT_FALSE(first.driver->drained()) << "something is open";
  first.rest();
  EXPECT_TRUE(first.driver->drained());
  const auto place = stream->next();
  first.driver->outcome(first.consumer.pushes[0], State::delivered, {}, {});
  first.driver->refresh();
  first.driver->tick();
  first.rest();
  EXPECT_EQ(stream->next(), place);
  EXPECT_FALSE(first.driver->is_fresh());
  take_over(kFiringStays);
  EXPECT_EQ(second->count(State::firing), 1U);
  EXPECT_EQ(second->count(State::scheduled), 1U);
}

TEST_F(SharedLogTest, what_it_found_firing_itself_is_left_to_the_next_owner) {
  fire();
  take_over(kFiringStays);
  second->driver->hand_over();
  second->advance(hours(1));
  EXPECT_TRUE(second->driver->drained());
  EXPECT_EQ(second->count(State::firing), 1U);
}

}  // namespace
}  // namespace carillon
