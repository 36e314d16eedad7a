// The timing wheel against what else programs keep their timers in: schedule, cancel, fire.
//
//   build/release/bin/wheel_bench                                  10 k, 100 k, 1 M and 10 M tasks
//   build/release/bin/wheel_bench --benchmark_filter=/1000000/     1 M alone
//
// Each run schedules N tasks with delays spread over 30 days, cancels nine of ten in random order
// and fires the rest; small runs do so again and again on the same structure, so that they show it
// in a warm cache, as the figures of public wheels do. All contenders get the same tasks, and each
// must fire the same ones in due order: a run whose checksum is not the first one's fails.
//
// Nanoseconds are processor time for each operation. Bytes are for each pending task, taken from
// the process's resident memory; where the caller keeps the handle, without that. Under 1 M they
// say little.

#include <algorithm>
#include <map>
#include <memory>
#include <random>

#include <benchmark/benchmark.h>
#include <malloc.h>

#include "bench/contenders.h"
#include "bench/measure.h"

namespace carillon::bench {
namespace {

constexpr Millis kHorizon = std::chrono::days(30);

/// Spreads the bits of a number as a hash does (SplitMix64).
constexpr Id id_of(std::uint64_t number) {
  std::uint64_t bits = number * 0x9e37'79b9'7f4a'7c15;
  bits = (bits ^ (bits >> 30)) * 0xbf58'476d'1ce4'e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d0'49bb'1331'11eb;
  return bits ^ (bits >> 31);
}

/// Of the dues in the order in which they fired, and of whose they were; tasks of the same
/// millisecond may fire in any order.
struct Checksum {
  std::uint64_t order = 0, tasks = 0, count = 0;
  void add(Id id, WallTime due) {
    order += (++count) * static_cast<std::uint64_t>((due - kStart).count());
    tasks ^= id_of(id + static_cast<std::uint64_t>((due - kStart).count()));
  }
  [[nodiscard]] std::uint64_t value() const { return order ^ tasks; }
};

/// What a run works on, made once for each size.
struct Plan {
  std::vector<Millis> delays;
  std::vector<std::uint32_t> cancels;  // nine of ten, in random order
};

const Plan& plan_of(std::size_t count) {
  static std::map<std::size_t, Plan> plans;
  Plan& plan = plans[count];
  if (!plan.delays.empty()) return plan;
  std::mt19937_64 random(42);
  std::uniform_int_distribution<std::int64_t> delay(1, kHorizon.count());
  for (std::size_t i = 0; i < count; ++i) {
    plan.delays.emplace_back(delay(random));
    if (i % 10 != 0) plan.cancels.push_back(static_cast<std::uint32_t>(i));
  }
  std::shuffle(plan.cancels.begin(), plan.cancels.end(), random);
  return plan;
}

bool all_agree = true;

/// The first run's checksum for each size; every other must be the same.
bool agrees(std::size_t count, const Checksum& checksum) {
  static std::map<std::size_t, std::uint64_t> sums;
  const bool same = sums.emplace(count, checksum.value()).first->second == checksum.value();
  all_agree = all_agree && same;
  return same;
}

/// What malloc holds without use is given back first, or it would hide what is taken next.
std::int64_t used_bytes() {
  ::malloc_trim(0);
  return resident_bytes();
}

/// Nanoseconds of one kind of operation, over all rounds.
class Stopwatch {
 public:
  template <typename Work>
  void time(std::size_t operations, const Work& work) {
    const double begin = nanos_of_thread();
    work();
    nanos_ += nanos_of_thread() - begin;
    operations_ += static_cast<double>(operations);
  }
  [[nodiscard]] double nanos_each() const { return nanos_ / operations_; }

 private:
  double nanos_ = 0, operations_ = 0;
};

template <typename Contender>
void run(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Plan& plan = plan_of(count);
  std::vector<typename Contender::Handle> handles(count);
  const std::int64_t before = used_bytes();
  const auto contender = std::make_unique<Contender>();
  Stopwatch schedule, cancel, fire;
  Checksum fired;
  std::int64_t bytes = 0;
  WallTime now = kStart;
  for (auto _ : state) {
    schedule.time(count, [&] {
      for (std::size_t i = 0; i < count; ++i)
        handles[i] = contender->schedule(id_of(i), now + plan.delays[i]);
    });
    if (bytes == 0) bytes = used_bytes() - before;
    cancel.time(plan.cancels.size(), [&] {
      for (const std::uint32_t task : plan.cancels) contender->cancel(handles[task]);
    });
    now += kHorizon;
    fire.time(count - plan.cancels.size(), [&] {
      contender->fire_until(now, [&](Id id, WallTime due) { fired.add(id, due); });
    });
  }
  if (!agrees(count, fired)) state.SkipWithError("fired other tasks, or in another order");
  state.counters["schedule_ns"] = schedule.nanos_each();
  state.counters["cancel_ns"] = cancel.nanos_each();
  state.counters["fire_ns"] = fire.nanos_each();
  state.counters["bytes"] = static_cast<double>(bytes) / static_cast<double>(count);
  state.SetLabel("checksum " + std::to_string(fired.value()));
}

/// As many rounds as make two million tasks: a large run is long, and repetitions show the spread.
template <typename Contender>
void contend(const char* name) {
  for (const std::int64_t count : {10'000, 100'000, 1'000'000, 10'000'000}) {
    benchmark::RegisterBenchmark(name, run<Contender>)
        ->Arg(count)
        ->Iterations(std::max<std::int64_t>(1, 2'000'000 / count));
  }
}

}  // namespace
}  // namespace carillon::bench

int main(int argc, char** argv) {
  using namespace carillon::bench;
  contend<WheelOnly>("wheel");
  contend<Set>("std_set");
  contend<AsioTimers>("asio");
  contend<WheelById>("wheel_by_id");
  contend<ById<Set>>("std_set_by_id");
  contend<HeapById>("heap_by_id");
  contend<ById<AsioTimers>>("asio_by_id");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  return benchmark::RunSpecifiedBenchmarks() > 0 && all_agree ? 0 : 1;
}
