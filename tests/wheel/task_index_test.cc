#include "wheel/task_index.h"

#include <map>
#include <random>
#include <unordered_map>

#include <gtest/gtest.h>

namespace carillon {
namespace {

struct Hash {
  std::size_t operator()(const Fingerprint& task) const {
    return static_cast<std::size_t>(task.low * 31 + task.high);
  }
};

/// An index beside a multimap that says what must be in it.
class TaskIndexTest : public testing::Test {
 protected:
  EntryRef insert(const Fingerprint& task) {
    const EntryRef ref = arena.allocate();
    index.insert(ref, task);
    truth.emplace(task, ref);
    return ref;
  }
  void erase(std::unordered_multimap<Fingerprint, EntryRef, Hash>::iterator its) {
    index.erase(its->second);
    arena.free(its->second);
    truth.erase(its);
  }
  /// All that the index has for `task`, in its order.
  [[nodiscard]] std::vector<EntryRef> found(const Fingerprint& task) const {
    std::vector<EntryRef> refs;
    static_cast<void>(index.find_if(task, [&](EntryRef ref) {
      refs.push_back(ref);
      return false;
    }));
    return refs;
  }
  void expect_all() {
    index.check_invariants();
    ASSERT_EQ(index.size(), truth.size());
    for (const auto& [task, ref] : truth) {
      ASSERT_EQ(index.id(ref), task);
      const auto [begin, end] = truth.equal_range(task);
      std::vector<EntryRef> expected;
      for (auto at = begin; at != end; ++at) expected.push_back(at->second);
      std::ranges::sort(expected);
      std::vector<EntryRef> refs = found(task);
      std::ranges::sort(refs);
      ASSERT_EQ(refs, expected);
    }
  }
  /// A third are erased again; `make` makes fingerprints.
  template <typename Make>
  void churn(int steps, const Make& make) {
    for (int step = 0; step < steps; ++step) {
      if (truth.empty() || random() % 3 != 0) {
        insert(make());
      } else {
        auto its = truth.find(make());
        erase(its == truth.end() ? truth.begin() : its);
      }
    }
  }

  Arena arena;
  TaskIndex index{arena};
  std::mt19937_64 random{1};
  std::unordered_multimap<Fingerprint, EntryRef, Hash> truth;
};

TEST_F(TaskIndexTest, finds_each_of_many_while_it_grows_and_shrinks) {
  churn(300'000, [&] { return Fingerprint{random(), static_cast<std::uint16_t>(random())}; });
  expect_all();
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(index.find({random(), 7}), kNoEntry);
  while (!truth.empty()) erase(truth.begin());
  expect_all();
}

TEST_F(TaskIndexTest, one_partition_grows_and_keeps_its_order) {
  churn(100'000, [&] { return Fingerprint{random() & ~std::uint64_t{4095}, 1}; });
  expect_all();
}

TEST_F(TaskIndexTest, few_tags_and_few_ids_meet_and_are_told_apart) {
  // Two partitions, tags of 3 bits at either end, and some that only `high` or the middle tell
  // apart.
  churn(6'000, [&] {
    const std::uint64_t bits = random();
    const std::uint64_t end = (bits & 8) != 0 ? ~std::uint64_t{0} << 42 : 0;
    return Fingerprint{end | (bits >> 10 & 7) << 39 | (bits >> 20 & 1) << 20 | (bits >> 21 & 1),
                       static_cast<std::uint16_t>((bits >> 30 & 1) << 15)};
  });
  expect_all();
  while (!truth.empty()) erase(truth.begin());
  index.check_invariants();
}

TEST_F(TaskIndexTest, each_of_the_80_bits_counts) {
  const Fingerprint task{0x0123'4567'89ab'cdef, 0x1357};
  insert(task);
  for (int bit = 0; bit < 80; ++bit) {
    Fingerprint other = task;
    if (bit < 64) {
      other.low ^= std::uint64_t{1} << bit;
    } else {
      other.high = static_cast<std::uint16_t>(other.high ^ (1 << (bit - 64)));
    }
    EXPECT_EQ(index.find(other), kNoEntry) << bit;
    insert(other);
  }
  expect_all();
}

TEST_F(TaskIndexTest, more_of_one_fingerprint_than_a_spill_holds_find_room_oldest_first) {
  const Fingerprint last{~std::uint64_t{0}, 1};
  std::vector<EntryRef> expected;
  for (int i = 0; i < 500; ++i) expected.push_back(insert(last));
  EXPECT_EQ(found(last), expected);
  index.erase(expected[200]);
  expected.erase(expected.begin() + 200);
  EXPECT_EQ(found(last), expected);
  index.check_invariants();
}

TEST_F(TaskIndexTest, thousands_of_one_fingerprint_cost_memory_in_proportion) {
  for (int i = 0; i < 100'000; ++i) insert({random(), 0});
  const Fingerprint late{~std::uint64_t{0} - (std::uint64_t{1} << 55), 1};
  for (int i = 0; i < 3000; ++i) {
    insert(late);
    if (i % 30 == 0) insert({random(), 0});
  }
  EXPECT_LE(index.bytes(), std::uint64_t{16} << 20);
  EXPECT_EQ(found(late).size(), 3000U);
  expect_all();
}

TEST_F(TaskIndexTest, room_that_was_made_in_vain_is_given_back) {
  for (int i = 0; i < 50'000; ++i) insert({random(), 0});
  index.trim();
  const std::uint64_t bytes = index.bytes();
  index.reserve(4'000'000);
  EXPECT_GT(index.bytes(), 4'000'000 * 7U);
  for (int i = 0; i < 50'000; ++i) insert({random(), 0});
  index.trim();
  EXPECT_LE(index.bytes(), 3 * bytes);
  churn(100'000, [&] { return Fingerprint{random(), 0}; });
  expect_all();
}

TEST_F(TaskIndexTest, finds_what_came_before_and_after_room_was_made) {
  for (const std::uint64_t room : {1ULL, 50'000ULL, 50'001ULL, 400'000ULL}) {
    index.reserve(room);
    for (int i = 0; i < 20'000; ++i) {
      const Fingerprint fresh{random(), 7};
      index.prefetch(fresh);
      index.prefetch_entry(truth.empty() ? fresh : truth.begin()->first);
      insert(fresh);
    }
    expect_all();
  }
  const std::uint64_t bytes = index.bytes();
  for (int i = 0; i < 250'000; ++i) insert({random(), 7});
  EXPECT_LE(index.bytes(), bytes + bytes / 4) << "hardly any partition had to grow";
  expect_all();
}

TEST_F(TaskIndexTest, is_small_when_idle_and_costs_about_eight_bytes_an_entry_when_it_is_not) {
  EXPECT_LE(index.bytes(), 65'536U);
  constexpr std::uint64_t kEntries = 2'000'000;
  for (std::uint64_t i = 0; i < kEntries; ++i) index.insert(arena.allocate(), {random(), 0});
  EXPECT_LE(index.bytes(), kEntries * 11);
  EXPECT_LE(arena.bytes(), kEntries * 32 + 1'000'000);
}

TEST(Entry, is_half_a_cache_line_and_never_straddles_two) {
  Arena arena;
  for (int i = 0; i < 100'000; ++i) {
    const EntryRef ref = arena.allocate();
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(&arena[ref]) % 32, 0U);
  }
}

TEST(Entry, that_is_finished_has_its_time_where_links_were_and_is_on_no_list) {
  Arena arena;
  Lists lists(arena, 1);
  const EntryRef before = arena.allocate();
  const EntryRef ref = arena.allocate();
  lists.push_back(0, before, Place::queue);
  lists.push_back(0, ref, Place::queue);
  lists.unlink(ref);
  for (const std::int64_t ms :
       {std::int64_t{0}, std::int64_t{1'763'700'000'123}, std::int64_t{1}, std::int64_t{1} << 41}) {
    arena[ref].set_finished(WallTime(Millis(ms)), {});
    EXPECT_EQ(arena[ref].finished_at(), WallTime(Millis(ms)));
    EXPECT_FALSE(lists.unlink(ref));
    EXPECT_EQ(lists.first(0), before);
    EXPECT_EQ(lists.after(before), kNoEntry);
  }
  arena.free(ref);
  EXPECT_FALSE(arena.in_use(ref));
  EXPECT_TRUE(arena.in_use(before));
}

}  // namespace
}  // namespace carillon
