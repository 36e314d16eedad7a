// Merges: which tasks are pushed together before their due, and that each stays a task of its own.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/shard/shard_fixture.h"

namespace carillon {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::UnorderedElementsAre;

std::uint64_t id_of(const Fingerprint& task) {
  // The inverse of what `fingerprint` multiplies by.
  constexpr std::uint64_t kInverse = 0xf1de83e19937733dULL;
  static_assert(kInverse * 0x9e3779b97f4a7c15ULL == 1);
  return task.low * kInverse;
}

class MergesTest : public ShardTest {
 protected:
  static command::Add merging(std::uint64_t id, WallTime due, Millis within = seconds(60),
                              std::uint64_t part = 1, std::uint64_t group = 0,
                              std::uint64_t target = 1) {
    command::Add add = HandDriver::add(id, due, group, target);
    add.task.merge = {part, within};
    return add;
  }
  void add(command::Add add) {
    driver.shard().submit(std::move(add), 0);
    driver.run();
    driver.take();
  }
  /// What has fired by then: the ids of each push.
  std::vector<std::set<std::uint64_t>> fired_by(WallTime now) {
    driver.run_until(now);
    std::map<PushNumber, std::set<std::uint64_t>> pushes;
    std::vector<std::set<std::uint64_t>> alone;
    for (const Fired& fired : driver.take().fired) {
      fired_[id_of(fired.task)] = fired;
      if (fired.push == 0) {
        alone.push_back({id_of(fired.task)});
      } else {
        pushes[fired.push].insert(id_of(fired.task));
      }
    }
    for (auto& [number, ids] : pushes) alone.push_back(std::move(ids));
    driver.shard().check_invariants();
    return alone;
  }
  void end(std::uint64_t id, State state, WallTime retry_at = {}) {
    Note note;
    if (state != State::delivered) note.error = "failed";
    driver.shard().outcome(fired_.at(id), state, retry_at, note);
    driver.run();
    driver.take();
  }
  State state_of(std::uint64_t id) { return driver.shard().find(fingerprint(id))->state; }

  using Ids = std::set<std::uint64_t>;
  std::map<std::uint64_t, Fired> fired_;
};

TEST_F(MergesTest, what_is_near_is_pushed_when_the_first_of_them_is_due) {
  add(merging(1, start + seconds(10)));
  add(merging(2, start + seconds(50)));
  EXPECT_TRUE(fired_by(start + seconds(9)).empty());
  EXPECT_THAT(fired_by(start + seconds(10)), UnorderedElementsAre(Ids{1, 2}));
  EXPECT_TRUE(fired_[1].is_merged && fired_[2].is_merged);
  EXPECT_EQ(fired_[2].asked_due, start + seconds(50)) << "and its due stays what it was";
  EXPECT_EQ(driver.shard().in_flight(), 1U) << "one push takes one slot";
  end(1, State::delivered);
  end(2, State::delivered);
  EXPECT_TRUE(fired_by(start + minutes(5)).empty());
}

TEST_F(MergesTest, one_alone_is_pushed_in_the_same_form) {
  add(merging(1, start + seconds(10)));
  EXPECT_EQ(fired_by(start + seconds(10)).size(), 1U);
  EXPECT_NE(fired_[1].push, 0U);
  EXPECT_TRUE(fired_[1].is_merged);
}

TEST_F(MergesTest, only_what_both_allow_is_near) {
  add(merging(1, start + seconds(10), seconds(60)));
  add(merging(2, start + seconds(70), seconds(60)));
  add(merging(3, start + seconds(70), seconds(59)));
  add(merging(4, start + seconds(70) + Millis(1), seconds(90)));
  EXPECT_THAT(fired_by(start + seconds(10)), UnorderedElementsAre(Ids{1, 2}));
  EXPECT_THAT(fired_by(start + seconds(70)), UnorderedElementsAre(Ids{3, 4}));
}

TEST_F(MergesTest, another_part_target_or_lane_and_a_task_without_a_rule_are_by_themselves) {
  driver.put_target(2);
  driver.shard().submit(command::LanePut{"fast"}, 0);
  driver.run();
  driver.take();
  add(merging(1, start + seconds(10)));
  add(merging(2, start + seconds(20), seconds(60), /*part=*/2));
  add(merging(3, start + seconds(20), seconds(60), 1, 0, /*target=*/2));
  command::Add in_lane = merging(4, start + seconds(20));
  in_lane.task.lane = 1;
  add(std::move(in_lane));
  add(HandDriver::add(5, start + seconds(10)));
  EXPECT_THAT(fired_by(start + seconds(10)), UnorderedElementsAre(Ids{1}, Ids{5}));
  EXPECT_EQ(fired_[5].push, 0U);
  EXPECT_THAT(fired_by(start + seconds(20)), UnorderedElementsAre(Ids{2}, Ids{3}, Ids{4}));
}

TEST_F(MergesTest, each_is_cancelled_and_moved_alone_until_then) {
  add(merging(1, start + seconds(10)));
  for (std::uint64_t id = 2; id <= 5; ++id) add(merging(id, start + seconds(40)));
  EXPECT_EQ(ask(command::Cancel{fingerprint(2)}).verdict, Verdict::done);
  EXPECT_EQ(ask(command::Move{fingerprint(3), start + minutes(9)}).verdict, Verdict::done);
  // A cancel that is on its way to the log when the first is fired.
  driver.set_now(start + seconds(10));
  driver.shard().submit(command::Cancel{fingerprint(4)}, 9);
  EXPECT_THAT(fired_by(start + seconds(10)), UnorderedElementsAre(Ids{1, 5}));
  EXPECT_EQ(state_of(4), State::cancelled);
  EXPECT_EQ(ask(command::Cancel{fingerprint(5)}).verdict, Verdict::task_firing);
  EXPECT_THAT(fired_by(start + minutes(9)), UnorderedElementsAre(Ids{3}));
}

TEST_F(MergesTest, a_group_is_followed_first) {
  add(merging(1, start + seconds(10)));
  add(merging(2, start + seconds(40), seconds(60), 1, /*group=*/7));
  add(merging(3, start + seconds(40), seconds(60), 1, /*group=*/8));
  add(merging(4, start + seconds(80), seconds(60), 1, /*group=*/9));
  // Nobody has met the members yet when the first is fired.
  driver.shard().submit(command::GroupCancel{group_key(7)}, 0);
  driver.shard().submit(command::GroupShift{group_key(8), minutes(5)}, 0);
  driver.shard().submit(command::GroupShift{group_key(9), -seconds(20)}, 0);
  driver.seal();
  driver.set_now(start + seconds(10));
  driver.commit();
  EXPECT_THAT(fired_by(start + seconds(10)), UnorderedElementsAre(Ids{1, 4}));
  EXPECT_EQ(state_of(2), State::cancelled);
  EXPECT_EQ(state_of(3), State::scheduled);
}

TEST_F(MergesTest, a_group_operation_on_its_way_to_the_log_decides_about_its_members) {
  add(merging(1, start + seconds(10)));
  add(merging(2, start + seconds(40), seconds(60), 1, /*group=*/7));
  driver.set_now(start + seconds(10));
  driver.shard().submit(command::GroupCancel{group_key(7)}, 9);
  EXPECT_THAT(fired_by(start + seconds(10)), UnorderedElementsAre(Ids{1}));
  EXPECT_EQ(state_of(2), State::cancelled);
}

TEST_F(MergesTest, a_retry_is_near_by_when_it_is_due_and_none_comes_before_its_due) {
  add(merging(1, start + seconds(10)));
  add(merging(2, start + seconds(40)));
  fired_by(start + seconds(10));
  end(1, State::retrying, start + seconds(15));
  end(2, State::retrying, start + seconds(15));
  EXPECT_EQ(driver.shard().find(fingerprint(2))->due, start + seconds(40));
  EXPECT_THAT(fired_by(start + seconds(15)), UnorderedElementsAre(Ids{1, 2})) << "they meet again";
  end(1, State::delivered);
  end(2, State::retrying, start + seconds(20));
  EXPECT_TRUE(fired_by(start + seconds(39)).empty());
  EXPECT_THAT(fired_by(start + seconds(40)), UnorderedElementsAre(Ids{2}));
}

TEST_F(MergesTest, a_pause_after_a_failure_is_kept_whoever_else_falls_due) {
  add(merging(1, start + seconds(10)));
  fired_by(start + seconds(10));
  end(1, State::retrying, start + seconds(50));
  add(merging(2, start + seconds(20)));
  add(merging(3, start + seconds(30)));
  EXPECT_EQ(driver.shard().waiting(fingerprint(1))->what, WaitsFor::retry);
  EXPECT_THAT(fired_by(start + seconds(20)), UnorderedElementsAre(Ids{2, 3}));
  add(merging(4, start + seconds(50)));
  EXPECT_THAT(fired_by(start + seconds(50)), UnorderedElementsAre(Ids{1, 4})) << "it is over";
}

TEST_F(MergesTest, what_is_overdue_is_paced_also_where_it_is_taken_along) {
  for (std::uint64_t id = 1; id <= 2'000; ++id) {
    add(merging(id, start + seconds(10), seconds(60), /*part=*/1 + id % 20));
  }
  driver.set_now(start + minutes(10));
  driver.shard().tick(driver.now());
  driver.run();
  const std::size_t fired = driver.take().fired.size();
  EXPECT_GT(fired, 0U);
  EXPECT_LE(fired, options().catch_up_per_second / 10);
}

TEST_F(MergesTest, what_is_not_due_takes_no_token_that_another_lane_waits_for) {
  record::TargetPut rated = HandDriver::target(1);
  rated.rate = {.limit = 1, .per = minutes(10), .burst = 2};
  driver.shard().submit(rated, 0);
  driver.shard().submit(command::LanePut{"fast"}, 0);
  driver.run();
  driver.take();
  command::Add in_lane = HandDriver::add(3, start + minutes(31));
  in_lane.task.lane = 1;
  add(std::move(in_lane));
  add(merging(1, start + minutes(31)));
  add(merging(2, start + minutes(31) + seconds(40)));
  EXPECT_THAT(fired_by(start + minutes(31)), UnorderedElementsAre(Ids{1}, Ids{3}));
}

TEST_F(MergesTest, after_a_crash_what_was_firing_meets_again) {
  add(merging(1, start + seconds(10)));
  add(merging(2, start + seconds(40)));
  fired_by(start + seconds(10));
  driver.restart();
  EXPECT_THAT(fired_by(start + seconds(11)), UnorderedElementsAre(Ids{1, 2}));
  EXPECT_EQ(fired_[2].attempt, 2U);
}

TEST_F(MergesTest, a_push_that_was_decided_and_is_not_durable_leaves_all_waiting) {
  add(merging(1, start + seconds(10)));
  add(merging(2, start + seconds(40)));
  driver.set_now(start + seconds(10));
  driver.shard().tick(driver.now());
  driver.seal();
  driver.restart();  // the batch is lost
  EXPECT_EQ(state_of(2), State::scheduled);
  driver.shard().submit(command::Cancel{fingerprint(2)}, 0);
  EXPECT_THAT(fired_by(start + seconds(10)), UnorderedElementsAre(Ids{1}));
  EXPECT_EQ(state_of(2), State::cancelled);
}

TEST_F(MergesTest, what_has_expired_does_not_come_along) {
  command::Add late = merging(1, start + seconds(10));
  late.task.expire_after = seconds(5);
  driver.put_target(1, 64, /*paused=*/true);
  add(std::move(late));
  add(merging(2, start + seconds(12)));
  fired_by(start + seconds(20));
  driver.put_target(1);
  EXPECT_THAT(fired_by(start + seconds(20)), UnorderedElementsAre(Ids{2}));
  EXPECT_EQ(state_of(1), State::expired);
}

TEST_F(MergesTest, a_push_carries_a_hundred_and_the_next_the_rest) {
  for (std::uint64_t id = 1; id <= 150; ++id) add(merging(id, start + seconds(10)));
  const auto pushes = fired_by(start + seconds(10));
  ASSERT_EQ(pushes.size(), 2U);
  EXPECT_EQ(pushes[0].size(), 100U);
  EXPECT_EQ(pushes[1].size(), 50U);
}

TEST_F(MergesTest, where_a_target_is_batched_they_are_in_its_pushes) {
  record::TargetPut batched = HandDriver::target(1);
  batched.batch_tasks = 3;
  driver.shard().submit(batched, 0);
  add(merging(1, start + seconds(10)));
  add(merging(2, start + seconds(40)));
  add(HandDriver::add(3, start + seconds(10)));
  add(HandDriver::add(4, start + seconds(10)));
  EXPECT_THAT(fired_by(start + seconds(10)), UnorderedElementsAre(Ids{1, 2, 3}, Ids{4}));
}

TEST_F(MergesTest, a_rate_counts_each_and_what_it_leaves_out_comes_when_it_is_due) {
  record::TargetPut rated = HandDriver::target(1);
  rated.rate = {.limit = 1, .per = minutes(10), .burst = 2};
  driver.shard().submit(rated, 0);
  driver.run();
  for (std::uint64_t id = 1; id <= 3; ++id) add(merging(id, start + minutes(31)));
  const auto pushes = fired_by(start + minutes(31));
  ASSERT_EQ(pushes.size(), 1U);
  EXPECT_EQ(pushes[0].size(), 2U);
}

TEST_F(MergesTest, what_tries_a_held_target_goes_alone) {
  add(merging(1, start + seconds(10)));
  add(merging(2, start + seconds(20)));
  add(HandDriver::add(3, start + seconds(1)));
  fired_by(start + seconds(1));
  driver.shard().outcome(fired_.at(3), State::retrying, start + minutes(30), Note{},
                         Trouble{.at = driver.now(), .asked = seconds(30)});
  driver.run();
  EXPECT_TRUE(fired_by(start + seconds(30)).empty());
  EXPECT_THAT(fired_by(start + seconds(31)), UnorderedElementsAre(Ids{1}));
}

TEST_F(MergesTest, a_target_that_takes_each_by_itself_has_none_merged) {
  add(merging(1, start + seconds(10)));
  add(merging(2, start + seconds(40)));
  record::TargetPut single = HandDriver::target(1);
  single.takes_one = true;
  driver.shard().submit(single, 0);
  driver.run();
  EXPECT_THAT(fired_by(start + seconds(10)), UnorderedElementsAre(Ids{1}));
  EXPECT_FALSE(fired_[1].is_merged);
  EXPECT_EQ(ask(merging(3, start + seconds(50))).verdict, Verdict::unmergeable);
  // What had it before can be changed nevertheless, and a dead letter be sent again.
  command::Change other;
  other.task = merging(2, start + seconds(40)).task;
  other.expected = driver.shard().find(fingerprint(2))->number;
  EXPECT_EQ(ask(std::move(other)).verdict, Verdict::replaced);
  command::Change further;
  further.task = merging(2, start + seconds(40), seconds(30)).task;
  further.expected = driver.shard().find(fingerprint(2))->number;
  EXPECT_EQ(ask(std::move(further)).verdict, Verdict::unmergeable);
  end(1, State::dead);
  command::Change again;
  again.redrive = true;
  again.task = merging(1, start + seconds(20)).task;
  again.expected = driver.shard().find_dead(fingerprint(1))->number;
  EXPECT_EQ(ask(std::move(again)).verdict, Verdict::replaced);
}

TEST_F(MergesTest, it_is_said_with_whom_a_task_will_be_pushed) {
  add(merging(1, start + seconds(100)));
  add(merging(2, start + seconds(130)));
  EXPECT_EQ(driver.shard().waiting(fingerprint(1))->what, WaitsFor::due);
  EXPECT_EQ(driver.shard().waiting(fingerprint(2))->what, WaitsFor::merge);
  EXPECT_EQ(driver.shard().waiting(fingerprint(2))->until, start + seconds(100));
  // Another takes the first along, which the second is too far from.
  add(merging(3, start + seconds(50)));
  EXPECT_EQ(driver.shard().waiting(fingerprint(1))->what, WaitsFor::merge);
  EXPECT_EQ(driver.shard().waiting(fingerprint(2))->what, WaitsFor::due);
}

TEST_F(MergesTest, rules_are_as_they_were_after_a_restart_and_after_cleaning) {
  add(merging(1, start + seconds(10), seconds(30), 9));
  add(merging(2, start + seconds(40), Millis(31'234), 9));
  driver.shard().restate({driver.log().begin(), driver.log().end()});
  driver.run();
  add(HandDriver::add(3, start + minutes(9)));
  driver.restart();
  EXPECT_EQ(driver.shard().find(fingerprint(2))->merge, (MergeRule{9, Millis(31'234)}));
  EXPECT_THAT(fired_by(start + seconds(10)), UnorderedElementsAre(Ids{1, 2}));
}

/// Random tasks, moves, cancels and outcomes against what a naive look says of each push.
class MergesModel : public MergesTest {
 protected:
  struct Its {
    WallTime due{};
    MergeRule rule;
    bool waits = true;
    bool pauses = false;  // after a failure
  };

  void begin(std::uint64_t seed) {
    random.seed(seed);
    driver = HandDriver(options(), start);
    driver.put_target(1, static_cast<std::uint32_t>(1 + seed % 5));
    driver.run();
    driver.take();
    tasks.clear();
    under_way.clear();
  }
  Millis any(std::uint64_t bound) { return Millis(static_cast<std::int64_t>(random() % bound)); }
  void commit() {
    driver.seal();
    driver.commit();
  }
  void add_one() {
    const std::uint64_t id = tasks.size() + 1;
    const Its its{driver.now() + any(60'000), {1 + random() % 3, Millis(1) + any(20'000)}};
    driver.shard().submit(merging(id, its.due, its.rule.within, its.rule.part), 0);
    commit();
    tasks[id] = its;
  }
  void move_or_cancel_one() {
    if (tasks.empty()) return;
    const std::uint64_t id = 1 + random() % tasks.size();
    const bool moves = random() % 2 == 0;
    const WallTime due = driver.now() + any(60'000);
    driver.shard().submit(moves ? Command(command::Move{fingerprint(id), due})
                                : Command(command::Cancel{fingerprint(id)}),
                          9);
    commit();
    if (driver.shard().effects().replies.at(0).verdict != Verdict::done) return;
    ASSERT_TRUE(tasks.at(id).waits);
    tasks.at(id).waits = moves;
    tasks.at(id).due = due;
    tasks.at(id).pauses = false;
  }
  void end_one() {
    if (under_way.empty()) return;
    const Fired fired = under_way.back();
    under_way.pop_back();
    const bool again = random() % 3 == 0;
    const WallTime retry_at = driver.now() + any(10'000);
    driver.shard().outcome(fired, again ? State::retrying : State::delivered, retry_at, {});
    commit();
    if (!again) return;
    Its& its = tasks.at(id_of(fired.task));
    its.waits = true;
    its.due = std::max(retry_at, fired.asked_due);
    its.pauses = its.due != fired.asked_due;
  }
  /// Those of one push come one after the other.
  std::vector<std::vector<Fired>> pushes() {
    std::vector<std::vector<Fired>> pushes;
    for (const Fired& fired : driver.take().fired) {
      EXPECT_NE(fired.push, 0U);
      if (pushes.empty() || pushes.back().front().push != fired.push) pushes.emplace_back();
      pushes.back().push_back(fired);
    }
    return pushes;
  }
  /// All that is near the first is in it, and nothing else.
  void expect_right(const std::vector<Fired>& push) {
    const Its first = tasks.at(id_of(push.front().task));
    ASSERT_LE(first.due, driver.now());
    Ids near, got;
    for (const auto& [id, its] : tasks) {
      const Millis apart = std::chrono::abs(its.due - first.due);
      const Millis within = std::min(its.rule.within, first.rule.within);
      if (!its.waits || its.rule.part != first.rule.part || apart > within) continue;
      if (!its.pauses || its.due <= std::max(first.due, driver.now())) near.insert(id);
    }
    for (const Fired& member : push) got.insert(id_of(member.task));
    ASSERT_EQ(got, near);
    for (const std::uint64_t id : got) tasks.at(id).waits = false;
    merged += got.size() - 1;
    under_way.insert(under_way.end(), push.begin(), push.end());
  }

  std::mt19937_64 random;
  std::map<std::uint64_t, Its> tasks;
  std::vector<Fired> under_way;
  std::uint64_t merged = 0;
};

TEST_F(MergesModel, whatever_happens_only_what_is_near_is_early) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    begin(seed);
    for (int step = 0; step < 600; ++step) {
      const std::uint64_t what = random() % 10;
      if (what < 4) {
        add_one();
      } else if (what < 6) {
        move_or_cancel_one();
      } else if (what < 8) {
        end_one();
      } else {
        driver.set_now(driver.now() + any(8'000));
      }
      driver.run();
      for (const std::vector<Fired>& push : pushes()) ASSERT_NO_FATAL_FAILURE(expect_right(push));
      driver.shard().check_invariants();
    }
  }
  EXPECT_GT(merged, 1000U);
}

}  // namespace
}  // namespace carillon
