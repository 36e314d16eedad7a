// Slots shared between lanes.
#include <array>
#include <vector>

#include "tests/shard/lanes_fixture.h"

namespace carillon {
namespace {

using LanesTest = LanesFixture;

TEST_F(LanesTest, weights_divide_what_begins) {
  put(1, 64);
  put_lane(1, 8, 0);
  put_lane(2, 1, 0);
  const auto counts = saturate({1, 2}, 9000);
  EXPECT_NEAR(static_cast<double>(counts[1]), 8000, 10);
  EXPECT_NEAR(static_cast<double>(counts[2]), 1000, 10);
}

TEST_F(LanesTest, weights_divide_a_limit_of_one_and_of_two) {
  for (const std::uint32_t concurrency : {1U, 2U}) {
    reset(1000);
    put(1, concurrency);
    put_lane(1, 8, 0);
    put_lane(2, 1, 0);
    const auto counts = saturate({0, 1, 2}, 10'000);
    EXPECT_NEAR(static_cast<double>(counts[1]), 8000, 10) << concurrency;
    EXPECT_NEAR(static_cast<double>(counts[2]), 1000, 10) << concurrency;
    EXPECT_NEAR(static_cast<double>(counts[0]), 1000, 10) << concurrency;
  }
}

TEST_F(LanesTest, of_a_limit_of_one_a_lane_gets_what_it_reserved_and_its_share_of_the_rest) {
  put(1, 1);
  put_lane(1, 1, 300);
  put_lane(2, 6, 0);
  const auto counts = saturate({1, 2}, 10'000);
  EXPECT_NEAR(static_cast<double>(counts[1]), 3000 + 1000, 20);
  EXPECT_NEAR(static_cast<double>(counts[2]), 6000, 20);
}

TEST_F(LanesTest, the_servers_slots_are_divided_as_well) {
  reset(10);
  put_lane(1, 4, 0);
  put_lane(2, 1, 0);
  for (std::uint64_t target = 1; target <= 40; ++target) put(target, 1);
  for (std::uint64_t target = 1; target <= 40; ++target) {
    for (int i = 0; i < 400; ++i) enqueue(target, target % 2 == 0 ? 1 : 2);
  }
  const auto counts = begin_pushes(5000, [](LaneNumber) {});
  EXPECT_NEAR(static_cast<double>(counts[1]), 4000, 200);
}

TEST_F(LanesTest, reserved_slots_are_kept_while_the_lane_has_unfinished_tasks_and_no_longer) {
  put(1, 10);
  put_lane(1, 1, 300);
  const EntryRef later = make(1, 1);  // due some day
  for (int i = 0; i < 20; ++i) enqueue(1, 0);
  int begun = 0;
  while (fire_one() != kNoEntry) ++begun;
  EXPECT_EQ(begun, 7);
  for (int i = 0; i < 5; ++i) enqueue(1, 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(lane_of(fire_one()), 1) << "its own";
  EXPECT_EQ(fire_one(), kNoEntry);
  queues->remove_user(arena[later].queue, /*unfinished=*/true);
  queues->check_invariants();
}

TEST_F(LanesTest, the_last_unfinished_task_of_a_lane_gives_back_what_was_set_aside) {
  put(1, 10);
  put_lane(1, 1, 900);
  const EntryRef later = make(1, 1);
  for (int i = 0; i < 20; ++i) enqueue(1, 0);
  EXPECT_NE(fire_one(), kNoEntry);
  EXPECT_EQ(fire_one(), kNoEntry);
  queues->finish_user(arena[later].queue);
  int begun = 1;
  while (fire_one() != kNoEntry) ++begun;
  EXPECT_EQ(begun, 10);
}

TEST_F(LanesTest, slots_of_the_server_are_set_aside_as_well) {
  reset(10);
  put_lane(1, 1, 200);
  for (std::uint64_t target = 1; target <= 20; ++target) {
    put(target, 1000);
    enqueue(target, 0);
    end(fire_one());  // it answers
  }
  const EntryRef first = make(1, 1);
  for (std::uint64_t target = 1; target <= 20; ++target) enqueue(target, 0);
  int begun = 0;
  while (fire_one() != kNoEntry) ++begun;
  EXPECT_EQ(begun, 8);
  arena[first].set_due(now);
  queues->enqueue(first);
  EXPECT_EQ(fire_one(), first);
  queues->check_invariants();
}

TEST_F(LanesTest, a_changed_weight_counts_from_then_on) {
  put(1, 4);
  put_lane(1, 1, 0);
  put_lane(2, 1, 0);
  const auto counts = saturate({1, 2}, 2000);
  EXPECT_NEAR(static_cast<double>(counts[1]), 1000, 10);
  put_lane(1, 4, 0);
  std::array<std::uint64_t, kLanesMax> after{};
  put(1, 4000);  // all that is under way stays so
  for (int i = 0; i < 1000; ++i) {
    const EntryRef ref = fire_one();
    ASSERT_NE(ref, kNoEntry);
    ++after[lane_of(ref)];
    enqueue(1, lane_of(ref));
    if (queues->in_flight() > 400) end(ref);
  }
  EXPECT_NEAR(static_cast<double>(after[1]), 800, 20);
}

TEST_F(LanesTest, who_was_away_saves_up_no_turns) {
  put(1, 1);
  put_lane(1, 1, 0);
  put_lane(2, 1, 0);
  saturate({1}, 1000);
  // From now on lane 2 has tasks, too.
  for (int i = 0; i < 2000; ++i) enqueue(1, 2);
  for (int i = 0; i < 2000; ++i) enqueue(1, 1);
  std::array<std::uint64_t, kLanesMax> counts{};
  put(1, 900);
  for (int i = 0; i < 400; ++i) {
    const EntryRef ref = fire_one();
    ASSERT_NE(ref, kNoEntry);
    ++counts[lane_of(ref)];
  }
  EXPECT_NEAR(static_cast<double>(counts[1]), 200, 3);
}

TEST_F(LanesTest, a_queue_goes_with_its_last_task_and_a_target_without_tasks_has_one) {
  put(1, 10);
  EXPECT_EQ(queues->size(), 1U);
  const EntryRef first = make(1, 5);
  EXPECT_EQ(queues->size(), 1U) << "a queue without tasks can be any lane's";
  const EntryRef second = make(1, 0);
  EXPECT_EQ(queues->size(), 2U);
  EXPECT_FALSE(queues->needs_queue(key(1), 5));
  EXPECT_TRUE(queues->needs_queue(key(1), 6));
  for (const EntryRef ref : {first, second}) {
    queues->remove_user(arena[ref].queue, /*unfinished=*/true);
  }
  EXPECT_EQ(queues->size(), 1U);
  EXPECT_FALSE(queues->needs_queue(key(1), 6));
  queues->check_invariants();
}

}  // namespace
}  // namespace carillon
