// Slots: what targets that hang, or want very many, leave to the others.
#include <deque>
#include <map>

#include <gtest/gtest.h>

#include "tests/shard/hand_driver.h"

namespace carillon {
namespace {

/// Targets whose pushes end, if at all, as a test says.
class SharesTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kSlots = 1'000;
  static constexpr std::uint64_t kGood = 1'000;

  SharesTest() {
    ShardOptions options;
    options.in_flight_max = kSlots;
    driver = std::make_unique<HandDriver>(options, start);
  }
  void put_target(std::uint64_t target, std::uint32_t concurrency) {
    driver->put_target(target, concurrency);
    run();
  }
  void add(std::uint64_t target, int tasks) {
    for (int i = 0; i < tasks; ++i) {
      driver->shard().submit(driver->add(++last_id, driver->now(), 0, target), 0);
    }
    run();
  }
  void run() {
    driver->run();
    for (const Fired& fired : driver->take().fired) pushes[fired.target.low].push_back(fired);
  }
  [[nodiscard]] std::size_t under_way(std::uint64_t target) { return pushes[target].size(); }
  void end_one(std::uint64_t target, std::uint32_t http_status) {
    const Fired fired = pushes[target].front();
    pushes[target].pop_front();
    const bool delivered = http_status == 200;
    driver->shard().outcome(fired, delivered ? State::delivered : State::dead, {},
                            Note{driver->now(), 1, http_status, delivered ? "" : "why"});
    run();
  }

  const WallTime start{Millis(1'763'700'000'000)};
  std::unique_ptr<HandDriver> driver;
  std::uint64_t last_id = 0;
  std::map<std::uint64_t, std::deque<Fired>> pushes;
};

TEST_F(SharesTest, one_greedy_target_leaves_half_of_the_slots) {
  put_target(1, 10'000);
  add(1, 2'000);
  EXPECT_EQ(under_way(1), (kSlots - kSlots / 4) / 5);
  end_one(1, 200);
  EXPECT_EQ(under_way(1), kSlots / 2) << "it answers";
}

TEST_F(SharesTest, targets_that_hang_leave_slots_to_one_that_comes_later) {
  constexpr std::uint64_t kHanging = 100;
  for (std::uint64_t target = 1; target <= kHanging; ++target) {
    put_target(target, 64);
    add(target, 64);
    ASSERT_GE(under_way(target), 1U) << target;
  }
  put_target(kGood, 64);
  add(kGood, 65);
  EXPECT_EQ(under_way(kGood), 1U);
  end_one(kGood, 200);
  EXPECT_EQ(under_way(kGood), 64U);
}

TEST_F(SharesTest, a_target_that_leaves_pushes_unanswered_shrinks_until_one_is_answered) {
  put_target(1, 64);
  add(1, 300);
  EXPECT_EQ(under_way(1), 64U);
  for (int ended = 0; ended < 3; ++ended) end_one(1, 0);
  EXPECT_EQ(under_way(1), 64U) << "a few in a row happen to anybody";
  for (int ended = 0; ended < 70; ++ended) end_one(1, 0);
  EXPECT_EQ(under_way(1), 8U);
  end_one(1, 503);
  EXPECT_EQ(under_way(1), 64U) << "503 is an answer";
}

TEST_F(SharesTest, who_waits_for_room_goes_when_slots_are_free_again) {
  for (std::uint64_t target = 1; target <= 2 * kSlots; ++target) {
    put_target(target, 1);
    add(target, 1);
  }
  EXPECT_EQ(driver->shard().in_flight(), kSlots - kSlots / 8);
  std::size_t ended = 0;
  for (bool more = true; more;) {
    more = false;
    for (std::uint64_t target = 1; target <= 2 * kSlots; ++target) {
      if (under_way(target) == 0) continue;
      end_one(target, 0);
      ++ended;
      more = true;
    }
  }
  EXPECT_EQ(ended, 2 * kSlots);
  driver->shard().check_invariants();
}

TEST_F(SharesTest, who_waits_for_room_is_not_forgotten_when_those_before_it_are_cancelled) {
  for (std::uint64_t target = 1; target <= 2 * kSlots; ++target) {
    put_target(target, 1);
    const auto group = target <= kSlots ? 0 : 7;
    driver->shard().submit(driver->add(++last_id, start, group, target), 0);
  }
  run();
  driver->shard().submit(driver->add(++last_id, start, 0, 2 * kSlots), 0);
  driver->shard().submit(command::GroupCancel{group_key(7)}, 0);
  run();
  for (std::uint64_t target = 1; target <= kSlots; ++target) {
    while (under_way(target) > 0) end_one(target, 0);
  }
  EXPECT_EQ(under_way(2 * kSlots), 1U);
}

/// What others hold of a target leaves a lane what is set aside for it, of the target's slots and
/// of the server's.
TEST_F(SharesTest, a_crowd_for_a_target_leaves_a_lane_its_slots_of_the_server) {
  driver->shard().submit(command::LanePut{"critical", 1, 100}, 0);
  put_target(1, 10'000);
  const auto add_critical = [this](std::uint64_t target, WallTime due) {
    command::Add add = HandDriver::add(++last_id, due, 0, target);
    add.task.lane = 1;
    driver->shard().submit(std::move(add), 0);
    run();
  };
  add_critical(2, start + std::chrono::hours(1));
  add(1, 1);
  end_one(1, 200);
  add(1, 2'000);
  EXPECT_EQ(under_way(1), kSlots / 2) << "it answers";
  add_critical(1, start);
  EXPECT_EQ(under_way(1), kSlots / 2 + 1) << "and goes at once, though the target holds very much";
  for (int i = 0; i < 200; ++i) add_critical(1, start);
  EXPECT_EQ(under_way(1), kSlots / 2 + kSlots / 10 / 2)
      << "of the lane's slots one target has half, as of all";
  driver->shard().check_invariants();
}

}  // namespace
}  // namespace carillon
