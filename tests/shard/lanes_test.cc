// Slots shared between lanes: the queues beside a naive count of who has what.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "tests/shard/queues_fixture.h"

namespace carillon {
namespace {

using std::chrono::seconds;

/// How many slots of `limit` are set aside for each lane that has tasks, said once more and
/// without haste.
std::map<LaneNumber, std::uint64_t> naively_set_aside(
    const std::map<LaneNumber, std::uint32_t>& reserved, std::uint64_t limit) {
  std::map<LaneNumber, std::uint64_t> slots;
  if (limit < 2) return slots;
  std::vector<std::pair<std::uint32_t, LaneNumber>> by_size;
  for (const auto& [lane, thousandths] : reserved) {
    if (thousandths > 0) by_size.emplace_back(thousandths, lane);
  }
  std::ranges::sort(by_size, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::uint64_t left = limit - 1;
  for (const auto& [thousandths, lane] : by_size) {
    slots[lane] = std::min(std::max<std::uint64_t>(limit * thousandths / 1000, 1), left);
    left -= slots[lane];
  }
  return slots;
}

/// What must leave slots to others under a limit of which each lane has so many under way.
bool naively_admits(const std::map<LaneNumber, std::uint32_t>& reserved,
                    const std::map<LaneNumber, std::uint64_t>& in_flight, std::uint64_t limit,
                    LaneNumber lane) {
  auto slots = naively_set_aside(reserved, limit);
  std::uint64_t all = 0;
  std::uint64_t missing = 0;
  const auto of = [&](LaneNumber its) {
    const auto found = in_flight.find(its);
    return found == in_flight.end() ? 0 : found->second;
  };
  for (const auto& [its, count] : in_flight) all += count;
  if (all >= limit) return false;
  if (of(lane) < slots[lane]) return true;
  for (const auto& [its, count] : slots) {
    if (its != lane && of(its) < count) missing += count - of(its);
  }
  return limit - all > missing;
}

class LanesTest : public QueuesFixture {
 protected:
  LanesTest() { reset(1000); }

  void reset(std::uint64_t in_flight_max) {
    limits.in_flight_max = in_flight_max;
    limits.catch_up_per_second = 0;
    QueuesFixture::reset();
  }
  void put_lane(LaneNumber lane, std::uint32_t weight, std::uint32_t reserved) {
    queues->put(record::LanePut{lane, "lane" + std::to_string(lane), weight, reserved});
  }
  EntryRef enqueue(std::uint64_t target, LaneNumber lane, Millis late = Millis(0)) {
    return QueuesFixture::enqueue(target, lane, late);
  }
  [[nodiscard]] LaneNumber lane_of(EntryRef ref) { return queues->lane_of(arena[ref].queue); }
  /// The next one; its push begins.
  EntryRef fire_one() {
    const EntryRef ref = queues->next();
    if (ref != kNoEntry) queues->begin(ref);
    return ref;
  }
  void end(EntryRef ref) {
    static_cast<void>(queues->end(static_cast<std::uint32_t>(arena[ref].queue), arena[ref].number,
                                  true, std::nullopt));
    forget(ref);
  }
  /// Has so many pushes begin, the oldest ending whenever none may; calls `begun` with the lane of
  /// each. How many began of each lane.
  template <typename Begun>
  std::array<std::uint64_t, kLanesMax> begin_pushes(std::uint64_t pushes, const Begun& begun) {
    std::array<std::uint64_t, kLanesMax> counts{};
    std::vector<EntryRef> under_way;
    std::size_t oldest = 0;
    while (under_way.size() < pushes) {
      const EntryRef ref = fire_one();
      if (ref == kNoEntry) {
        end(under_way[oldest++]);
        continue;
      }
      ++counts[lane_of(ref)];
      begun(lane_of(ref));
      under_way.push_back(ref);
    }
    return counts;
  }
  /// The same, while three tasks are due in each of these lanes of target 1 all the time.
  std::array<std::uint64_t, kLanesMax> saturate(const std::vector<LaneNumber>& lanes,
                                                std::uint64_t pushes) {
    for (const LaneNumber lane : lanes) {
      for (int i = 0; i < 3; ++i) enqueue(1, lane);
    }
    const auto counts = begin_pushes(pushes, [this](LaneNumber lane) { enqueue(1, lane); });
    queues->check_invariants();
    return counts;
  }
};

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

/// Random loads: after each step all limits and reservations are as a naive count says, nothing
/// that may go is left, and in the end nothing is.
class LanesModel : public LanesTest, public testing::WithParamInterface<std::uint64_t> {
 protected:
  static constexpr std::uint64_t kTargets = 5;
  static constexpr LaneNumber kLanes = 5;

  struct Task {
    std::uint64_t target = 0;
    LaneNumber lane = 0;
    std::uint64_t waited = 0;  // pushes of its target and lane that began since it came
  };

  void set_lane(LaneNumber lane) {
    std::uint32_t others = 0;
    for (const auto& [its, thousandths] : reserved) others += its == lane ? 0 : thousandths;
    const auto most = std::min<std::uint64_t>(400, kLanesReservedMax - others);
    reserved[lane] = random() % 2 == 0 ? 0 : static_cast<std::uint32_t>(random() % (most + 1));
    put_lane(lane, static_cast<std::uint32_t>(1 + random() % 9), reserved[lane]);
  }
  void set_target(std::uint64_t target) {
    concurrency[target] = static_cast<std::uint32_t>(1 + random() % 12);
    paused[target] = random() % 5 == 0;
    put(target, concurrency[target], paused[target]);
  }

  /// The lanes with unfinished tasks and what they have reserved; `target` 0: of all targets.
  std::map<LaneNumber, std::uint32_t> wants(std::uint64_t target) {
    std::map<LaneNumber, std::uint32_t> found;
    for (const auto& [ref, task] : tasks) {
      if (target == 0 || task.target == target) found[task.lane] = reserved[task.lane];
    }
    return found;
  }
  std::map<LaneNumber, std::uint64_t> pushes(std::uint64_t target) {
    std::map<LaneNumber, std::uint64_t> found;
    for (const EntryRef ref : under_way) {
      if (target == 0 || tasks[ref].target == target) ++found[tasks[ref].lane];
    }
    return found;
  }
  bool may_begin(const Task& task) {
    const TargetState& target = (*queues)[queues->find(key(task.target))];
    const std::uint64_t free = limits.in_flight_max - under_way.size();
    const bool has_room = target.answers ? target.in_flight < free
                          : target.in_flight == 0
                              ? limits.in_flight_max / 8 < free
                              : 4 * target.in_flight + limits.in_flight_max / 4 < free;
    return !paused[task.target] && has_room &&
           naively_admits(wants(task.target), pushes(task.target), concurrency[task.target],
                          task.lane) &&
           naively_admits(wants(0), pushes(0), limits.in_flight_max, task.lane);
  }

  void fire() {
    for (EntryRef ref = queues->next(); ref != kNoEntry; ref = queues->next()) {
      ASSERT_TRUE(may_begin(tasks[ref])) << "what is set aside, or a limit, was passed";
      queues->begin(ref);
      under_way.push_back(ref);
      waiting.erase(std::ranges::find(waiting, ref));
      ++begun;
    }
    ASSERT_FALSE(queues->has_next());
    // Who waits for room is looked at when a push ends, so it may be found late.
    if (room_matters) return;
    for (const EntryRef ref : waiting) {
      ASSERT_FALSE(may_begin(tasks[ref]))
          << "target " << tasks[ref].target << " lane " << int{tasks[ref].lane};
    }
  }

  void end_one() {
    std::swap(under_way[random() % under_way.size()], under_way.back());
    const EntryRef ref = under_way.back();
    under_way.pop_back();
    tasks.erase(ref);
    end(ref);
  }

  void step() {
    const std::uint64_t what = random() % 100;
    const std::uint64_t target = 1 + random() % kTargets;
    const auto lane = static_cast<LaneNumber>(random() % kLanes);
    if (what < 40 && tasks.size() < 60) {
      const EntryRef ref = enqueue(target, lane, random() % 4 == 0 ? seconds(5) : Millis(0));
      tasks[ref] = {target, lane};
      waiting.push_back(ref);
    } else if (what < 50 && tasks.size() < 60) {
      const EntryRef ref = make(target, lane);
      tasks[ref] = {target, lane};
      scheduled.push_back(ref);
    } else if (what < 60 && !scheduled.empty()) {
      const EntryRef ref = scheduled.back();
      scheduled.pop_back();
      arena[ref].set_due(now);
      queues->enqueue(ref);
      waiting.push_back(ref);
    } else if (what < 65 && !scheduled.empty()) {
      forget(scheduled.back());
      scheduled.pop_back();
    } else if (what < 68 && !waiting.empty()) {
      queues->remove(waiting.front());
      forget(waiting.front());
      waiting.erase(waiting.begin());
    } else if (what < 71) {
      set_target(target);
    } else if (what < 74) {
      set_lane(lane);
    } else if (!under_way.empty()) {
      end_one();
    }
  }
  void forget(EntryRef ref) {
    tasks.erase(ref);
    queues->remove_user(arena[ref].queue, /*unfinished=*/true);
    arena.free(ref);
  }

  std::mt19937_64 random{GetParam()};
  std::map<LaneNumber, std::uint32_t> reserved;
  std::map<std::uint64_t, std::uint32_t> concurrency;
  std::map<std::uint64_t, bool> paused;
  std::map<EntryRef, Task> tasks;
  std::vector<EntryRef> waiting, scheduled, under_way;
  std::uint64_t begun = 0;
  bool room_matters = false;
};

TEST_P(LanesModel, keeps_what_is_set_aside_leaves_nothing_that_may_go_and_starves_nobody) {
  room_matters = GetParam() % 2 == 0;
  reset(room_matters ? 2 + GetParam() : 200);
  for (LaneNumber lane = 0; lane < kLanes; ++lane) set_lane(lane);
  for (std::uint64_t target = 1; target <= kTargets; ++target) set_target(target);
  for (int i = 0; i < 6000; ++i) {
    step();
    fire();
    if (HasFatalFailure()) FAIL() << "seed " << GetParam() << " step " << i;
    if (i % 50 == 0) queues->check_invariants();
  }
  // No further tasks come: all that are due go.
  for (const EntryRef ref : scheduled) forget(ref);
  scheduled.clear();
  for (std::uint64_t target = 1; target <= kTargets; ++target) {
    paused[target] = false;
    put(target, concurrency[target]);
  }
  fire();
  while (!under_way.empty()) {
    end_one();
    fire();
    if (HasFatalFailure()) FAIL() << "seed " << GetParam();
  }
  EXPECT_TRUE(waiting.empty());
  EXPECT_EQ(queues->queued(), 0U);
  EXPECT_GT(begun, 500U);
}

INSTANTIATE_TEST_SUITE_P(seeds, LanesModel, testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace carillon
