#include "wheel/task_index.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace carillon {
namespace {

EntryRef make(Arena& arena, TaskIndex& index, std::uint64_t low, std::uint16_t high) {
  const EntryRef ref = arena.allocate();
  arena[ref].id_low = low;
  arena[ref].id_high = high;
  index.insert(ref);
  return ref;
}

TEST(TaskIndex, finds_each_of_many_entries_while_it_grows_and_shrinks) {
  Arena arena;
  TaskIndex index(arena);
  std::mt19937_64 random(1);
  std::map<std::uint64_t, EntryRef> truth;
  for (int step = 0; step < 200'000; ++step) {
    if (truth.empty() || random() % 3 != 0) {
      const std::uint64_t low = random() >> (random() % 60);
      if (!truth.contains(low)) truth[low] = make(arena, index, low, 7);
    } else {
      auto it = truth.lower_bound(random());
      if (it == truth.end()) it = truth.begin();
      index.erase(it->second);
      arena.free(it->second);
      truth.erase(it);
    }
  }
  EXPECT_EQ(index.size(), truth.size());
  for (const auto& [low, ref] : truth) {
    ASSERT_EQ(index.find({low, 7}), ref);
    ASSERT_EQ(index.find({low, 8}), kNoEntry) << "the high bits count too";
  }
}

TEST(TaskIndex, entries_with_one_fingerprint_are_all_reached) {
  Arena arena;
  TaskIndex index(arena);
  for (std::uint64_t i = 0; i < 100; ++i) make(arena, index, i * 64, 1);
  const EntryRef first = make(arena, index, 640, 1);
  int seen = 0;
  bool met = false;
  for (EntryRef ref = index.find({640, 1}); ref != kNoEntry; ref = index.next(ref)) {
    ++seen;
    met = met || ref == first;
  }
  EXPECT_EQ(seen, 2);
  EXPECT_TRUE(met);
}

TEST(TaskIndex, finds_what_came_before_and_after_room_was_made) {
  Arena arena;
  TaskIndex index(arena);
  std::mt19937_64 random(3);
  std::map<std::uint64_t, EntryRef> truth;
  for (const std::uint64_t room : {1ULL, 5000ULL, 5001ULL, 300'000ULL}) {
    index.reserve(room);
    for (int i = 0; i < 20'000; ++i) {
      const std::uint64_t low = random();
      const std::vector<std::uint64_t> wanted = {low, truth.empty() ? low : truth.begin()->first};
      index.prefetch(wanted);
      truth[low] = make(arena, index, low, 7);
    }
    for (const auto& [low, ref] : truth) ASSERT_EQ(index.find({low, 7}), ref);
  }
  EXPECT_LE(index.bytes(), 300'000U * 4 + 32'768);
}

TEST(TaskIndex, costs_about_four_bytes_an_entry) {
  Arena arena;
  TaskIndex index(arena);
  std::mt19937_64 random(2);
  constexpr std::uint64_t kEntries = 1'000'000;
  for (std::uint64_t i = 0; i < kEntries; ++i) make(arena, index, random(), 0);
  EXPECT_LE(index.bytes(), kEntries * 4 + 32'768);
  EXPECT_LE(arena.bytes(), kEntries * 44 + 1'000'000);
}

}  // namespace
}  // namespace carillon
