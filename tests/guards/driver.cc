// The work whose instructions are counted: fixed tasks through the wheel, the index and the shard.
// It runs under callgrind (instructions_test.cc), which dumps its count at the end of each step
// under the step's name; what is between the steps is not counted. Prints "step operations" lines.
#include <algorithm>
#include <iostream>
#include <random>
#include <vector>

#include <valgrind/callgrind.h>

#include "shard/shard.h"

namespace carillon {
namespace {

constexpr WallTime kNow{std::chrono::hours(24 * 365 * 50)};
constexpr std::size_t kTasks = 100'000;
constexpr std::size_t kShardTasks = 20'000;
constexpr std::size_t kBatch = 50;
constexpr std::uint32_t kNoLimit = 0xffff'ffff;

template <typename Work>
void step(const char* name, std::size_t operations, const Work& work) {
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  work();
  CALLGRIND_DUMP_STATS_AT(name);
  CALLGRIND_STOP_INSTRUMENTATION;
  std::cout << name << ' ' << operations << '\n';
}

/// Delays of up to a day, most of them short, so that each of the lower levels has its share.
Millis delay_of(std::mt19937_64& random) {
  return Millis(1 + static_cast<std::int64_t>(random() >> (38 + random() % 16)));
}

struct Entries {
  Arena arena;
  Lists lists{arena, Wheel::kListCount};
  Wheel wheel{arena, lists, kNow};
  TaskIndex index{arena};
};

void fire_all(Wheel& wheel) {
  while (const auto wakeup = wheel.next_wakeup()) {
    while (!wheel.advance(*wakeup, kNoLimit)) {
    }
    wheel.prepare(kNoLimit, nullptr);
    while (wheel.pop_due() != kNoEntry) {
    }
  }
}

/// Nine of ten are cancelled in random order, the rest fire.
void count_wheel() {
  std::mt19937_64 random(42);
  Entries all;
  std::vector<EntryRef> refs;
  std::vector<Fingerprint> ids;
  for (std::size_t i = 0; i < kTasks; ++i) {
    refs.push_back(all.arena.allocate());
    Entry& entry = all.arena[refs.back()];
    entry.set_due(kNow + delay_of(random));
    ids.push_back({random(), 0});
  }
  step("index.insert", kTasks, [&] {
    for (std::size_t i = 0; i < kTasks; ++i) all.index.insert(refs[i], ids[i]);
  });
  step("index.find", kTasks, [&] {
    for (std::size_t i = 0; i < kTasks; ++i) CARILLON_CHECK(all.index.find(ids[i]) == refs[i]);
  });
  step("wheel.schedule", kTasks, [&] {
    for (const EntryRef ref : refs) all.wheel.insert(ref);
  });
  std::shuffle(refs.begin(), refs.end(), random);
  const std::size_t cancelled = kTasks / 10 * 9;
  step("wheel.cancel", cancelled, [&] {
    for (std::size_t i = 0; i < cancelled; ++i) all.wheel.remove(refs[i]);
  });
  step("wheel.fire", kTasks - cancelled, [&] { fire_all(all.wheel); });
}

class ShardWork {
 public:
  ShardWork() { shard_.start(kNow); }

  void add(std::uint64_t id) {
    command::Add add;
    add.task.task = task(id);
    add.task.due = kNow + delay_of(random_);
    add.task.target = {1, 1};
    add.task.target_is_url = true;
    add.content.assign(200, 'x');
    shard_.submit(std::move(add), id + 1);
  }
  void cancel(std::uint64_t id) { shard_.submit(command::Cancel{task(id)}, id + 1); }
  void commit() {
    Batch batch = shard_.seal(now_, std::move(spare_));
    shard_.committed(batch, now_);
    spare_ = std::move(batch);
    shard_.effects().replies.clear();
  }
  /// Every push is delivered at once; how many there were.
  std::size_t fire_all() {
    std::size_t fired = 0;
    while (const auto wakeup = shard_.next_wakeup()) {
      if (shard_.counts()[static_cast<int>(State::scheduled)] == 0) break;
      now_ = std::max(now_, *wakeup);
      shard_.tick(now_);
      while (shard_.wants_commit()) {
        commit();
        const Effects effects = std::exchange(shard_.effects(), {});
        fired += effects.fired.size();
        for (const Fired& push : effects.fired) shard_.outcome(push, State::delivered, {}, {});
      }
    }
    return fired;
  }

 private:
  static Fingerprint task(std::uint64_t id) { return {(id + 1) * 0x9e37'79b9'7f4a'7c15, 1}; }
  Shard shard_{ShardOptions{}};
  std::mt19937_64 random_{42};
  WallTime now_ = kNow;
  Batch spare_;
};

void count_shard() {
  ShardWork work;
  const auto each = [](std::size_t count, const auto& one, const auto& commit) {
    for (std::size_t i = 0; i < count; ++i) {
      one(i);
      if ((i + 1) % kBatch == 0) commit();
    }
  };
  const auto commit = [&] { work.commit(); };
  // Warm: buffers have their size.
  each(kBatch, [&](std::uint64_t id) { work.add(kShardTasks + id); }, commit);
  step("shard.add", kShardTasks,
       [&] { each(kShardTasks, [&](std::uint64_t id) { work.add(id); }, commit); });
  const std::size_t cancelled = kShardTasks / 2;
  step("shard.cancel", cancelled,
       [&] { each(cancelled, [&](std::uint64_t id) { work.cancel(id); }, commit); });
  step("shard.fire", kShardTasks + kBatch - cancelled,
       [&] { CARILLON_CHECK(work.fire_all() == kShardTasks + kBatch - cancelled); });
}

}  // namespace
}  // namespace carillon

int main() {
  carillon::count_wheel();
  carillon::count_shard();
  return 0;
}
