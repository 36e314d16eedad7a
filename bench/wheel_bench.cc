// The timing wheel against an ordered tree and a binary heap: schedule, cancel, fire.
//
//   build/release/bin/wheel_bench --benchmark_filter=1000000/
//
// Each run schedules N tasks with delays spread over 30 days, cancels nine of ten in random order
// and fires the rest. All contenders get the same tasks; each must fire the same ones in the same
// order of dues, which the checksum beside the figures shows, and a run whose checksum differs from
// the first one's fails.

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <vector>

#include <benchmark/benchmark.h>

#include "wheel/wheel.h"

namespace carillon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr WallTime kStart{std::chrono::hours(24 * 365 * 50)};
constexpr Millis kHorizon = std::chrono::days(30);
constexpr std::uint32_t kNoLimit = 0xffff'ffff;

/// Of the dues in the order in which they fired; tasks of the same millisecond may fire in any.
struct Checksum {
  std::uint64_t sum = 0, count = 0;
  void add(WallTime due) { sum += (++count) * static_cast<std::uint64_t>((due - kStart).count()); }
};

class WheelContender {
 public:
  using Handle = EntryRef;
  Handle schedule(WallTime due) {
    const EntryRef ref = arena_.allocate();
    arena_[ref].set_due(due);
    wheel_.insert(ref);
    return ref;
  }
  void cancel(Handle ref) {
    wheel_.remove(ref);
    arena_.free(ref);
  }
  void fire_all(Checksum& fired) {
    while (const auto wakeup = wheel_.next_wakeup()) {
      while (!wheel_.advance(*wakeup, kNoLimit)) {
      }
      for (EntryRef ref = wheel_.pop_due(); ref != kNoEntry; ref = wheel_.pop_due()) {
        fired.add(arena_[ref].due());
        arena_.free(ref);
      }
    }
  }

 private:
  Arena arena_;
  Lists lists_{arena_, Wheel::kListCount};
  Wheel wheel_{arena_, lists_, kStart};
};

class SetContender {
 public:
  using Handle = std::set<std::pair<WallTime, std::uint32_t>>::iterator;
  Handle schedule(WallTime due) { return tasks_.emplace(due, next_++).first; }
  void cancel(Handle handle) { tasks_.erase(handle); }
  void fire_all(Checksum& fired) {
    while (!tasks_.empty()) {
      fired.add(tasks_.begin()->first);
      tasks_.erase(tasks_.begin());
    }
  }

 private:
  std::set<std::pair<WallTime, std::uint32_t>> tasks_;
  std::uint32_t next_ = 0;
};

/// A cancelled task stays in the heap, marked, until it comes to the top: the usual way, since a
/// heap cannot find it.
class HeapContender {
 public:
  using Handle = std::uint32_t;
  Handle schedule(WallTime due) {
    cancelled_.push_back(false);
    heap_.emplace(due, next_);
    return next_++;
  }
  void cancel(Handle handle) { cancelled_[handle] = true; }
  void fire_all(Checksum& fired) {
    for (; !heap_.empty(); heap_.pop()) {
      if (!cancelled_[heap_.top().second]) fired.add(heap_.top().first);
    }
  }

 private:
  using Item = std::pair<WallTime, std::uint32_t>;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> heap_;
  std::vector<bool> cancelled_;
  std::uint32_t next_ = 0;
};

/// What a run works on, made once for each size.
struct Plan {
  std::vector<WallTime> dues;
  std::vector<std::uint32_t> cancels;  // nine of ten, in random order
};

const Plan& plan_of(std::size_t count) {
  static std::map<std::size_t, Plan> plans;
  Plan& plan = plans[count];
  if (!plan.dues.empty()) return plan;
  std::mt19937_64 random(42);
  std::uniform_int_distribution<std::int64_t> delay(1, kHorizon.count());
  for (std::size_t i = 0; i < count; ++i) {
    plan.dues.push_back(kStart + Millis(delay(random)));
    if (i % 10 != 0) plan.cancels.push_back(static_cast<std::uint32_t>(i));
  }
  std::shuffle(plan.cancels.begin(), plan.cancels.end(), random);
  return plan;
}

/// The first run's checksum for each size; every other must be the same.
bool agrees(std::size_t count, const Checksum& checksum) {
  static std::map<std::size_t, std::uint64_t> sums;
  return sums.emplace(count, checksum.sum).first->second == checksum.sum;
}

template <typename Work>
double nanos_each(std::size_t operations, const Work& work) {
  const auto begin = Clock::now();
  work();
  const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
  return took.count() / static_cast<double>(operations);
}

template <typename Contender>
void run(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Plan& plan = plan_of(count);
  for (auto _ : state) {
    const auto contender = std::make_unique<Contender>();
    std::vector<typename Contender::Handle> handles(count);
    Checksum fired;
    state.counters["schedule_ns"] = nanos_each(count, [&] {
      for (std::size_t i = 0; i < count; ++i) handles[i] = contender->schedule(plan.dues[i]);
    });
    state.counters["cancel_ns"] = nanos_each(plan.cancels.size(), [&] {
      for (const std::uint32_t task : plan.cancels) contender->cancel(handles[task]);
    });
    state.counters["fire_ns"] =
        nanos_each(count - plan.cancels.size(), [&] { contender->fire_all(fired); });
    if (!agrees(count, fired)) state.SkipWithError("fired other tasks, or in another order");
    state.SetLabel("checksum " + std::to_string(fired.sum));
  }
}

// One iteration of each: a run is long, and repetitions show the spread.
BENCHMARK(run<WheelContender>)->Name("wheel")->Arg(1'000'000)->Arg(10'000'000)->Iterations(1);
BENCHMARK(run<SetContender>)->Name("std_set")->Arg(1'000'000)->Arg(10'000'000)->Iterations(1);
BENCHMARK(run<HeapContender>)->Name("heap")->Arg(1'000'000)->Arg(10'000'000)->Iterations(1);

}  // namespace
}  // namespace carillon
