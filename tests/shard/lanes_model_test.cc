// Random loads of targets, lanes and rates: the queues beside a naive scheduler that counts who has
// what, and which rates let what begin.
#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "tests/shard/lanes_fixture.h"

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

/// A token bucket without haste: a millisecond at a time, in thousandths of a token.
class NaiveRate {
 public:
  void set(const RateLimit& limit, WallTime now, std::uint64_t on_their_way) {
    advance(now);
    from_before_ = on_their_way;
    if (limit_.limit == 0) level_ = 0;
    // What is there is kept in whole tokens.
    level_ = std::min(level_ / scale_, std::int64_t{limit.burst_in_effect()}) * limit.per.count();
    scale_ = limit.per.count();
    limit_ = limit;
    at_ = now;
    starts_.clear();
  }
  void start(WallTime now) {
    const bool from_before = from_before_ > 0;
    if (from_before) --from_before_;
    if (limit_.limit == 0) return;
    advance(now);
    level_ -= scale_;
    if (!from_before) starts_.push_back(now);
  }
  [[nodiscard]] bool lets(WallTime now, std::uint64_t on_their_way) {
    advance(now);
    return limit_.limit == 0 || level_ >= static_cast<std::int64_t>(on_their_way + 1) * scale_;
  }
  /// That no window that ends with the last start has more than it may.
  [[nodiscard]] bool kept() const {
    if (starts_.empty()) return true;
    const auto first = std::ranges::upper_bound(starts_, starts_.back() - limit_.per);
    return starts_.end() - first <= std::int64_t{limit_.limit} + limit_.burst_in_effect();
  }
  [[nodiscard]] bool limits() const { return limit_.limit != 0; }

 private:
  void advance(WallTime now) {
    for (; at_ < now && limit_.limit != 0; at_ += Millis(1)) {
      level_ = std::min(level_ + limit_.limit, limit_.burst_in_effect() * scale_);
    }
    at_ = now;
  }
  RateLimit limit_;
  std::int64_t scale_ = 1;
  std::int64_t level_ = 0;
  WallTime at_{};
  std::uint64_t from_before_ = 0;  // were on their way when it was set
  std::vector<WallTime> starts_;
};

/// Random loads: after each step all limits and reservations are as a naive count says, nothing
/// that may go is left, and in the end nothing is.
class LanesModel : public LanesFixture, public testing::WithParamInterface<std::uint64_t> {
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
  RateLimit any_rate() {
    constexpr Millis kPer[] = {Millis(10), Millis(100), seconds(1)};
    RateLimit rate;
    if (random() % 2 == 0) return rate;
    rate.limit = static_cast<std::uint32_t>(1 + random() % 200);
    rate.per = kPer[random() % 3];
    rate.burst = static_cast<std::uint32_t>(random() % 10);
    return rate;
  }
  void set_target(std::uint64_t target) {
    concurrency[target] = static_cast<std::uint32_t>(1 + random() % 12);
    paused[target] = random() % 5 == 0;
    const RateLimit rate = any_rate();
    rates[target].set(rate, now, on_their_way(target));
    put(target, concurrency[target], paused[target], rate);
  }
  void set_server_rate() {
    limits.pushes_per_second = random() % 3 == 0 ? 0 : static_cast<std::uint32_t>(random() % 2000);
    queues->set_limits(limits);
    rates[0].set({.limit = limits.pushes_per_second}, now, on_their_way(0));
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
  [[nodiscard]] std::uint64_t on_their_way(std::uint64_t target) {
    return static_cast<std::uint64_t>(std::ranges::count_if(
        decided, [&](EntryRef ref) { return target == 0 || tasks[ref].target == target; }));
  }
  /// Of `most` slots, as the head of target_queues.h says.
  static bool naively_leaves_room(bool answers, std::uint64_t taken, std::uint64_t most,
                                  std::uint64_t free) {
    if (answers) return taken < free;
    return taken == 0 ? most / 8 < free : 4 * taken + most / 4 < free;
  }
  bool has_room(const Task& task) {
    const bool answers = (*queues)[queues->find(key(task.target))].answers;
    const std::uint64_t most = limits.in_flight_max;
    const auto taken = [](std::map<LaneNumber, std::uint64_t> counts) {
      std::uint64_t sum = 0;
      for (const auto& [lane, count] : counts) sum += count;
      return sum;
    };
    if (naively_leaves_room(answers, taken(pushes(task.target)), most, most - under_way.size()))
      return true;
    if (wants(0).size() < 2 || reserved[task.lane] == 0) return false;
    const std::uint64_t its = naively_set_aside(wants(0), most)[task.lane];
    const std::uint64_t used = std::min(its, pushes(0)[task.lane]);
    return naively_leaves_room(answers, pushes(task.target)[task.lane], its, its - used);
  }
  bool may_begin(const Task& task) {
    return !paused[task.target] && has_room(task) &&
           rates[task.target].lets(now, on_their_way(task.target)) &&
           rates[0].lets(now, on_their_way(0)) &&
           naively_admits(wants(task.target), pushes(task.target), concurrency[task.target],
                          task.lane) &&
           naively_admits(wants(0), pushes(0), limits.in_flight_max, task.lane);
  }

  void fire() {
    for (EntryRef ref = queues->next(); ref != kNoEntry; ref = queues->next()) {
      ASSERT_TRUE(may_begin(tasks[ref])) << "what is set aside, a limit or a rate was passed";
      queues->begin(ref);
      under_way.push_back(ref);
      decided.push_back(ref);
      waiting.erase(std::ranges::find(waiting, ref));
      ++begun;
    }
    ASSERT_FALSE(queues->has_next());
    // Who waits for room is looked at when a push ends, so it may be found late.
    if (room_matters) return;
    for (const EntryRef ref : waiting) {
      if (!may_begin(tasks[ref])) continue;
      // Few that a rate lets begin wait a moment for others.
      ASSERT_TRUE(rates[tasks[ref].target].limits())
          << "target " << tasks[ref].target << " lane " << int{tasks[ref].lane};
      const auto wakeup = queues->next_wakeup();
      ASSERT_TRUE(wakeup && *wakeup <= now + Millis(10));
    }
  }
  /// What was decided is durable.
  void commit() {
    for (const EntryRef ref : decided) {
      queues->started(static_cast<std::uint32_t>(arena[ref].queue), now);
      for (const std::uint64_t at : {std::uint64_t{0}, tasks[ref].target}) {
        rates[at].start(now);
        ASSERT_TRUE(rates[at].kept()) << "more than the rate of " << at;
      }
    }
    decided.clear();
  }
  void pass_time(Millis pause) {
    now += pause;
    queues->tick(now);
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
    } else if (what < 75) {
      set_server_rate();
    } else if (what < 85) {
      pass_time(Millis(static_cast<std::int64_t>(random() % 20)));
    } else {
      commit();
      if (!under_way.empty()) end_one();
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
  std::map<std::uint64_t, NaiveRate> rates;  // 0: the server's
  std::map<EntryRef, Task> tasks;
  std::vector<EntryRef> waiting, scheduled, under_way, decided;
  std::uint64_t begun = 0;
  bool room_matters = false;
};

TEST_P(LanesModel,
       keeps_limits_rates_and_what_is_set_aside_leaves_nothing_that_may_go_nor_starves) {
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
    const RateLimit rate{.limit = 50};
    rates[target].set(rate, now, on_their_way(target));
    put(target, concurrency[target], false, rate);
  }
  fire();
  for (int i = 0; i < 2000 && (!waiting.empty() || !under_way.empty()); ++i) {
    commit();
    if (!under_way.empty()) end_one();
    pass_time(Millis(20));
    fire();
    if (HasFatalFailure()) FAIL() << "seed " << GetParam();
  }
  EXPECT_TRUE(waiting.empty());
  EXPECT_EQ(queues->queued(), 0U);
  EXPECT_GT(begun, 300U);
}

INSTANTIATE_TEST_SUITE_P(seeds, LanesModel, testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace carillon
