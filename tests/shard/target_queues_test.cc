
#include <optional>
#include <random>
#include <vector>

#include "tests/shard/queues_fixture.h"

namespace carillon {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class TargetQueuesTest : public QueuesFixture {
 protected:
  static constexpr std::uint64_t kSlots = 100;

  explicit TargetQueuesTest(std::uint32_t catch_up_per_second = 0) {
    limits.in_flight_max = kSlots;
    limits.url_concurrency = 10;
    limits.catch_up_per_second = catch_up_per_second;
    reset();
  }

  std::uint32_t index(std::uint64_t target) { return queues->find(key(target)); }
  const TargetState& state(std::uint64_t target) { return (*queues)[index(target)]; }
  EntryRef make(std::uint64_t target, bool is_url = false) {
    return QueuesFixture::make(target, kDefaultLane, is_url);
  }
  EntryRef enqueue(std::uint64_t target, Millis late = Millis(0), bool is_url = false) {
    return QueuesFixture::enqueue(target, kDefaultLane, late, is_url);
  }
  /// All that may be fired now; their pushes begin.
  std::vector<EntryRef> fire() {
    std::vector<EntryRef> fired;
    for (EntryRef ref = queues->next(); ref != kNoEntry; ref = queues->next()) {
      queues->begin(ref);
      fired.push_back(ref);
    }
    EXPECT_FALSE(queues->has_next());
    queues->check_invariants();
    return fired;
  }
  TargetQueues::HoldChange end(EntryRef ref, bool answered = true,
                               const std::optional<Trouble>& trouble = std::nullopt) {
    return queues->end(static_cast<std::uint32_t>(arena[ref].queue), arena[ref].number, /*push=*/0,
                       answered, trouble);
  }
  void tick(Millis later) { queues->tick(now += later); }
  Trouble not_now(Millis asked) {
    return {now, HoldReason::too_many_requests, asked, std::chrono::minutes(5), {}};
  }
};

TEST_F(TargetQueuesTest, what_is_due_goes_in_the_order_in_which_it_came) {
  put(1, 10);
  const std::vector<EntryRef> due = {enqueue(1), enqueue(1), enqueue(1)};
  EXPECT_EQ(queues->queued(), 3U);
  EXPECT_TRUE(queues->has_next());
  EXPECT_EQ(fire(), due);
  EXPECT_EQ(queues->queued(), 0U);
  EXPECT_EQ(queues->in_flight(), 3U);
}

TEST_F(TargetQueuesTest, a_target_takes_as_many_as_its_concurrency_and_each_end_lets_another_go) {
  put(1, 2);
  for (int i = 0; i < 5; ++i) enqueue(1);
  const std::vector<EntryRef> first = fire();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(end(first[0]), TargetQueues::HoldChange::none);
  EXPECT_EQ(fire().size(), 1U);
  EXPECT_EQ(state(1).in_flight, 2U);
  put(1, 4);
  EXPECT_EQ(fire().size(), 2U) << "more, once it takes more";
}

TEST_F(TargetQueuesTest, a_paused_target_takes_nothing_until_it_goes_on) {
  put(1, 10, /*paused=*/true);
  enqueue(1);
  EXPECT_TRUE(fire().empty());
  put(1, 10);
  EXPECT_EQ(fire().size(), 1U);
}

TEST_F(TargetQueuesTest, what_leaves_its_queue_is_not_fired) {
  put(1, 10);
  const EntryRef first = enqueue(1);
  const EntryRef second = enqueue(1);
  queues->remove(first);
  EXPECT_EQ(fire(), std::vector<EntryRef>{second});
  queues->remove(enqueue(1));
  EXPECT_FALSE(queues->has_next());
}

TEST_F(TargetQueuesTest, queues_take_turns) {
  limits.in_flight_max = 100'000;
  queues.emplace(arena, lists, limits);
  put(1, 10'000);
  put(2, 10'000);
  for (int i = 0; i < 600; ++i) enqueue(1);
  for (int i = 0; i < 100; ++i) enqueue(2);
  std::vector<std::uint64_t> turns;
  for (const EntryRef ref : fire()) {
    const std::uint64_t target = (*queues)[queues->target_of(arena[ref].queue)].settings.key.low;
    if (turns.empty() || turns.back() != target) turns.push_back(target);
  }
  EXPECT_EQ(turns, (std::vector<std::uint64_t>{1, 2, 1}));
}

TEST_F(TargetQueuesTest, pushes_are_bounded_over_all_targets) {
  for (std::uint64_t target = 1; target <= 200; ++target) {
    put(target, 10);
    enqueue(target);
    end(fire().front());
  }
  for (std::uint64_t target = 1; target <= 200; ++target) enqueue(target);
  const std::vector<EntryRef> fired = fire();
  EXPECT_EQ(fired.size(), kSlots) << "each of them answers and wants one";
  for (const EntryRef ref : fired) end(ref);
  EXPECT_EQ(fire().size(), 100U) << "who had to wait";
}

TEST_F(TargetQueuesTest, who_waits_for_room_goes_though_none_is_left_whose_end_would_tell_it) {
  std::vector<EntryRef> due;
  for (std::uint64_t target = 1; target <= 200; ++target) {
    put(target, 1);
    due.push_back(enqueue(target));
  }
  const std::vector<EntryRef> fired = fire();
  ASSERT_LT(fired.size(), kSlots);
  for (std::size_t i = fired.size(); i < 199; ++i) queues->remove(due[i]);
  for (const EntryRef ref : fired) end(ref, /*answered=*/false);
  EXPECT_EQ(fire(), std::vector<EntryRef>{due[199]});
}

TEST_F(TargetQueuesTest, a_held_target_takes_nothing_until_then_and_one_probe_after) {
  put(1, 10);
  enqueue(1);
  EXPECT_EQ(end(fire()[0], true, not_now(seconds(10))), TargetQueues::HoldChange::held);
  enqueue(1);
  enqueue(1);
  EXPECT_TRUE(fire().empty());
  EXPECT_EQ(queues->next_wakeup(), now + seconds(10));
  tick(seconds(10));
  const std::vector<EntryRef> probe = fire();
  ASSERT_EQ(probe.size(), 1U);
  EXPECT_EQ(end(probe[0]), TargetQueues::HoldChange::released);
  EXPECT_EQ(fire().size(), 1U);
}

TEST_F(TargetQueuesTest, a_hold_that_is_released_lets_go_at_once) {
  put(1, 10);
  enqueue(1);
  end(fire()[0], true, not_now(seconds(10)));
  enqueue(1);
  queues->release_hold(index(1));
  EXPECT_EQ(fire().size(), 1U);
}

TEST_F(TargetQueuesTest, what_is_for_a_deleted_target_goes_whatever_the_limits) {
  put(1, 1, /*paused=*/true);
  for (int i = 0; i < 5; ++i) enqueue(1);
  queues->remove(key(1));
  EXPECT_TRUE(state(1).deleted);
  int out = 0;
  for (; queues->next() != kNoEntry; ++out) {
  }
  EXPECT_EQ(out, 5) << "to become dead letters";
}

TEST_F(TargetQueuesTest, what_is_for_a_target_that_is_about_to_be_deleted_goes_at_once_too) {
  put(1, 1, /*paused=*/true);
  for (int i = 0; i < 5; ++i) enqueue(1);
  queues->mark_deleted(index(1));
  EXPECT_EQ(fire().size(), 5U);
}

TEST_F(TargetQueuesTest, an_origin_goes_with_its_last_task_and_gives_its_place_to_another) {
  const EntryRef first = make(1, /*is_url=*/true);
  const EntryRef second = make(1, /*is_url=*/true);
  EXPECT_EQ(state(1).settings.concurrency, limits.url_concurrency);
  const std::uint32_t place = index(1);
  forget(first);
  EXPECT_EQ(queues->size(), 1U);
  forget(second);
  EXPECT_EQ(queues->size(), 0U);
  EXPECT_EQ(index(1), kTargetsMax);
  const EntryRef other = make(2, /*is_url=*/true);
  EXPECT_EQ(index(2), place);
  EXPECT_EQ(state(2).users, 1U);
  forget(other);
}

TEST_F(TargetQueuesTest, a_named_target_stays_without_tasks_and_goes_with_the_last_once_deleted) {
  EXPECT_FALSE(queues->put({key(1), "one", 1, false, ""}));
  EXPECT_TRUE(queues->put({key(1), "one", 2, false, ""}));
  const EntryRef ref = make(1);
  queues->remove(key(1));
  EXPECT_EQ(queues->size(), 1U) << "a task names it";
  EXPECT_TRUE(queues->named().empty());
  forget(ref);
  EXPECT_EQ(queues->size(), 0U);
  put(2, 1);
  put(3, 1);
  ASSERT_EQ(queues->named().size(), 2U);
  EXPECT_EQ(queues->named()[0]->settings.name, "t2");
}

TEST_F(TargetQueuesTest, the_end_of_a_hold_leaves_a_target_alone_that_is_gone) {
  put(1, 10);
  const EntryRef ref = enqueue(1);
  fire();
  end(ref, true, not_now(seconds(10)));
  forget(ref);
  const std::uint32_t place = index(1);
  queues->remove(key(1));
  EXPECT_EQ(queues->size(), 0U);
  tick(seconds(20));
  queues->check_invariants();
  const EntryRef other = make(2, /*is_url=*/true);
  EXPECT_EQ(index(2), place) << "it can be used again";
  forget(other);
}

TEST_F(TargetQueuesTest, one_that_is_about_to_be_deleted_stays_so_though_its_last_task_goes) {
  put(1, 10);
  const EntryRef ref = make(1);
  queues->mark_deleted(index(1));
  forget(ref);
  put(1, 5);  // the record of a change that was under way
  EXPECT_TRUE(state(1).deleted);
  queues->remove(key(1));
  EXPECT_EQ(queues->size(), 0U);
}

TEST_F(TargetQueuesTest, what_is_due_no_longer_leaves_when_the_clock_is_set_back) {
  put(1, 10, /*paused=*/true);
  const EntryRef old = enqueue(1, seconds(60));
  const EntryRef fresh = enqueue(1);
  EXPECT_EQ(queues->oldest(), now - seconds(60));
  now -= seconds(30);
  EXPECT_EQ(queues->set_back(now), std::vector<EntryRef>{fresh});
  EXPECT_EQ(arena[fresh].where(), Place::nowhere);
  put(1, 10);
  EXPECT_EQ(fire(), std::vector<EntryRef>{old});
}

class PacedQueues : public TargetQueuesTest {
 protected:
  PacedQueues() : TargetQueuesTest(1000) {
    limits.in_flight_max = 100'000;
    queues.emplace(arena, lists, limits);
    queues->start(now);
    put(1, 10'000);
  }
};

TEST_F(PacedQueues, overdue_goes_behind_what_is_punctual_and_paced) {
  for (int i = 0; i < 500; ++i) enqueue(1, seconds(60));
  EXPECT_EQ(fire().size(), 100U) << "a tenth of a second's worth";
  EXPECT_EQ(queues->next_wakeup(), now + Millis(10));
  const EntryRef punctual = enqueue(1);
  tick(Millis(10));
  const std::vector<EntryRef> fired = fire();
  ASSERT_EQ(fired.size(), 11U);
  EXPECT_EQ(fired[0], punctual);
}

TEST_F(PacedQueues, a_clock_set_back_does_not_stop_the_pace) {
  for (int i = 0; i < 500; ++i) enqueue(1, hours(2));
  fire();
  now -= hours(1);
  EXPECT_TRUE(queues->set_back(now).empty());
  tick(Millis(20));
  EXPECT_EQ(fire().size(), 20U);
}

/// Whatever happens, no limit is passed and nothing that may go is left (`check_invariants`).
TEST_F(PacedQueues, keep_all_limits_over_random_steps) {
  limits.in_flight_max = 40;
  queues.emplace(arena, lists, limits);
  queues->start(now);
  std::mt19937_64 random(7);
  std::vector<EntryRef> under_way;
  for (std::uint64_t target = 1; target <= 12; ++target) put(target, 8);
  for (int step = 0; step < 100'000; ++step) {
    const std::uint64_t target = 1 + random() % 12;
    const std::uint64_t what = random() % 100;
    if (what < 45) {
      enqueue(target, random() % 4 == 0 ? seconds(5) : Millis(0));
    } else if (what < 50) {
      put(target, static_cast<std::uint32_t>(1 + random() % 20), random() % 4 == 0);
    } else if (what < 85 && !under_way.empty()) {
      std::swap(under_way[random() % under_way.size()], under_way.back());
      std::optional<Trouble> trouble;
      if (random() % 20 == 0) trouble = not_now(Millis(100));
      end(under_way.back(), random() % 2 == 0, trouble);
      forget(under_way.back());
      under_way.pop_back();
    } else if (what < 90) {
      tick(Millis(static_cast<std::int64_t>(random() % 20)));
    }
    for (const EntryRef ref : fire()) under_way.push_back(ref);
    ASSERT_EQ(queues->in_flight(), under_way.size());
    ASSERT_LE(queues->in_flight(), limits.in_flight_max);
    for (const TargetState* its : queues->named()) ASSERT_LE(its->in_flight, 20U);
  }
  EXPECT_GT(last_number, 10'000U);
}

}  // namespace
}  // namespace carillon
