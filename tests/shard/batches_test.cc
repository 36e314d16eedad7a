// Targets that take several tasks in one push: slots, what joins, and what waits for more.
#include <map>
#include <vector>

#include "tests/shard/lanes_fixture.h"

namespace carillon {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class BatchesTest : public LanesFixture {
 protected:
  struct Begun {
    EntryRef ref = kNoEntry;
    PushNumber push = 0;
  };

  void put_batched(std::uint64_t target, std::uint32_t concurrency, std::uint32_t tasks,
                   Millis wait = Millis(0), const RateLimit& rate = {}) {
    record::TargetPut put{key(target), "t" + std::to_string(target), concurrency, false, "", rate};
    put.batch_tasks = tasks;
    put.batch_wait = wait;
    queues->put(put);
  }
  void enqueue_many(std::uint64_t target, LaneNumber lane, int tasks) {
    for (int i = 0; i < tasks; ++i) enqueue(target, lane);
  }
  /// All that may begin now; its pushes start.
  std::vector<Begun> begin_all(std::size_t most = SIZE_MAX) {
    std::vector<Begun> begun;
    while (begun.size() < most) {
      const EntryRef ref = queues->next();
      if (ref == kNoEntry) break;
      queues->begin(ref);
      begun.push_back({ref, 0});
    }
    for (Begun& one : begun) {
      one.push = queues->started(static_cast<std::uint32_t>(arena[one.ref].queue), now);
    }
    queues->close_push();
    queues->check_invariants();
    return begun;
  }
  TargetQueues::HoldChange end(const Begun& begun,
                               const std::optional<Trouble>& trouble = std::nullopt) {
    const auto change =
        queues->end(static_cast<std::uint32_t>(arena[begun.ref].queue), arena[begun.ref].number,
                    begun.push, /*answered=*/true, trouble);
    forget(begun.ref);
    return change;
  }
  static std::map<PushNumber, int> sizes(const std::vector<Begun>& begun) {
    std::map<PushNumber, int> sizes;
    for (const Begun& one : begun) ++sizes[one.push];
    return sizes;
  }
  void pass(Millis time) {
    now += time;
    queues->tick(now);
  }
};

TEST_F(BatchesTest, a_slot_is_that_of_a_push_and_is_free_when_all_its_tasks_are_over) {
  put_batched(1, /*concurrency=*/2, /*tasks=*/3);
  enqueue_many(1, 0, 10);
  const std::vector<Begun> begun = begin_all();
  ASSERT_EQ(begun.size(), 6U);
  for (const auto& [push, tasks] : sizes(begun)) {
    EXPECT_NE(push, 0U);
    EXPECT_EQ(tasks, 3);
  }
  EXPECT_EQ(queues->in_flight(), 2U);
  end(begun[0]);
  end(begun[1]);
  EXPECT_TRUE(begin_all().empty()) << "one of its tasks is still under way";
  end(begun[2]);
  EXPECT_EQ(begin_all().size(), 3U);
}

TEST_F(BatchesTest, fewer_are_not_waited_for_and_what_begins_in_another_commit_does_not_join) {
  put_batched(1, 2, 10);
  enqueue_many(1, 0, 3);
  EXPECT_EQ(sizes(begin_all()).size(), 1U);
  enqueue_many(1, 0, 3);
  EXPECT_EQ(begin_all().size(), 3U);
  enqueue_many(1, 0, 3);
  EXPECT_TRUE(begin_all().empty()) << "both slots are taken";
}

TEST_F(BatchesTest, tasks_of_two_lanes_or_targets_are_in_no_push_together) {
  put_lane(1, 1, 0);
  put_batched(1, 64, 100);
  put_batched(2, 64, 100);
  put(3, 64);
  for (int i = 0; i < 5; ++i) {
    enqueue(1, 0);
    enqueue(1, 1);
    enqueue(2, 0);
    enqueue(3, 0);
  }
  std::map<PushNumber, std::pair<std::uint32_t, LaneNumber>> of;
  for (const Begun& one : begin_all()) {
    const auto queue = static_cast<std::uint32_t>(arena[one.ref].queue);
    const auto its = std::pair(queues->target_of(queue), queues->lane_of(queue));
    EXPECT_EQ(one.push == 0, its.first == queues->find(key(3))) << "each of its tasks alone";
    if (one.push == 0) continue;
    EXPECT_EQ(of.try_emplace(one.push, its).first->second, its);
  }
  EXPECT_GE(of.size(), 3U);
}

TEST_F(BatchesTest, a_rate_counts_tasks) {
  put_batched(1, 64, 10, Millis(0), {.limit = 500, .burst = 4});
  pass(minutes(1));
  enqueue_many(1, 0, 20);
  EXPECT_EQ(begin_all().size(), 4U);
  pass(Millis(20));
  EXPECT_LE(begin_all().size(), 10U);
}

TEST_F(BatchesTest, the_first_waits_a_moment_for_others_unless_the_push_is_full) {
  put_batched(1, 64, 4, Millis(5));
  enqueue(1, 0);
  EXPECT_TRUE(begin_all().empty());
  EXPECT_EQ(queues->next_wakeup(), now + Millis(5));
  pass(Millis(3));
  enqueue(1, 0);
  EXPECT_TRUE(begin_all().empty());
  pass(Millis(2));
  EXPECT_EQ(sizes(begin_all()).begin()->second, 2);
  enqueue_many(1, 0, 6);
  EXPECT_EQ(begin_all().size(), 4U) << "a full one goes at once";
  const EntryRef waiting = enqueue(1, 0);
  EXPECT_EQ(queues->waiting(waiting).what, WaitsFor::batch);
  EXPECT_EQ(queues->waiting(waiting).until, now + Millis(5));
  queues->remove(waiting);  // it is cancelled
  pass(Millis(5));
  EXPECT_EQ(begin_all().size(), 2U);
  EXPECT_FALSE(queues->next_wakeup());
}

TEST_F(BatchesTest, what_is_overdue_waits_for_nobody) {
  put_batched(1, 64, 4, seconds(1));
  enqueue(1, 0, minutes(5));
  enqueue(1, 0, minutes(5));
  EXPECT_EQ(sizes(begin_all()).begin()->second, 2);
}

TEST_F(BatchesTest, a_push_that_fails_counts_once_and_what_tries_a_held_target_goes_alone) {
  put_batched(1, 64, 3);
  const Trouble failing{.at = now, .reason = HoldReason::failing, .breaker = {.failures = 2}};
  enqueue_many(1, 0, 20);
  std::vector<Begun> begun = begin_all(6);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(end(begun[i], failing), TargetQueues::HoldChange::none) << i;
  }
  EXPECT_EQ(end(begun[5], failing), TargetQueues::HoldChange::held) << "the second push";
  EXPECT_TRUE(begin_all().empty());
  pass(failing.breaker.open_for);
  begun = begin_all();
  ASSERT_EQ(begun.size(), 1U);
  EXPECT_EQ(end(begun[0]), TargetQueues::HoldChange::released);
  EXPECT_EQ(begin_all().size(), 6U) << "two pushes at once, as it ramps up";
}

TEST_F(BatchesTest, weights_count_tasks) {
  put_lane(1, 8, 0);
  put_lane(2, 1, 0);
  put_batched(1, 4, 10);
  std::array<double, kLanesMax> counts{};
  std::vector<Begun> under_way;
  for (int round = 0; round < 500; ++round) {
    for (int i = 0; i < 40; ++i) {
      enqueue(1, 1);
      enqueue(1, 2);
    }
    for (const Begun& one : under_way) end(one);
    under_way = begin_all();
    for (const Begun& one : under_way) ++counts[lane_of(one.ref)];
  }
  EXPECT_NEAR(counts[1] / counts[2], 8, 0.4);
}

TEST_F(BatchesTest, all_pushes_together_carry_no_more_than_twice_what_may_be_under_way) {
  reset(10);
  put_batched(1, 64, 1000);
  enqueue_many(1, 0, 100);
  const std::size_t begun = begin_all().size();
  EXPECT_GE(begun, 20U);
  EXPECT_LE(begun, 30U) << "what takes a slot always may";
}

}  // namespace
}  // namespace carillon
