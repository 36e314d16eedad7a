#include "wheel/merges.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace carillon {
namespace {

/// Merges beside a map that says what must be in it.
class MergesTest : public testing::Test {
 protected:
  EntryRef join(std::uint64_t part, Millis within = Millis(1000)) {
    const EntryRef ref = arena.allocate();
    const MergeRule rule{part, within};
    merges.join(ref, rule);
    rules[ref] = rule;
    parts[part].insert(ref);
    return ref;
  }
  void leave(EntryRef ref) {
    merges.leave(ref);
    arena.free(ref);
    parts[rules.at(ref).part].erase(ref);
    rules.erase(ref);
  }
  [[nodiscard]] std::set<EntryRef> found(EntryRef ref) {
    std::vector<EntryRef> others;
    merges.find(ref, others);
    std::set<EntryRef> once(others.begin(), others.end());
    EXPECT_EQ(once.size(), others.size());
    return once;
  }
  void expect_all() {
    ASSERT_EQ(merges.size(), rules.size());
    for (const auto& [ref, rule] : rules) {
      ASSERT_EQ(merges.of(ref), rule);
      std::set<EntryRef> others = parts[rule.part];
      others.erase(ref);
      ASSERT_EQ(found(ref), others);
    }
  }

  Arena arena;
  Merges merges;
  std::map<EntryRef, MergeRule> rules;
  std::map<std::uint64_t, std::set<EntryRef>> parts;
  std::mt19937_64 random{5};
};

TEST_F(MergesTest, others_of_the_same_part_are_found_and_no_others) {
  const EntryRef a = join(7);
  const EntryRef b = join(7);
  const EntryRef c = join(8);
  EXPECT_EQ(found(a), std::set<EntryRef>{b});
  EXPECT_EQ(found(c), std::set<EntryRef>{});
  leave(b);
  EXPECT_EQ(found(a), std::set<EntryRef>{});
}

TEST_F(MergesTest, an_entry_without_a_rule_has_none) {
  const EntryRef plain = arena.allocate();
  EXPECT_FALSE(merges.has(plain));
  merges.leave(plain);
  join(7);
  EXPECT_FALSE(merges.has(plain));
  EXPECT_FALSE(merges.of(plain).given());
  EXPECT_FALSE(merges.has(1'000'000));
}

TEST_F(MergesTest, all_bits_of_a_part_tell_it_from_others) {
  const EntryRef one = join(5);
  for (int bit = 0; bit < MergeRule::kPartBits; ++bit) join(5 ^ std::uint64_t{1} << bit);
  EXPECT_TRUE(found(one).empty());
  expect_all();
}

TEST_F(MergesTest, however_tasks_come_and_go_the_same_are_found_as_by_a_naive_look) {
  std::vector<EntryRef> refs;
  for (int step = 0; step < 20'000; ++step) {
    if (!refs.empty() && random() % 5 < 2) {
      const std::size_t at = random() % refs.size();
      leave(refs[at]);
      refs[at] = refs.back();
      refs.pop_back();
    } else {
      const std::uint64_t part = (random() % 800) << (random() % 40);
      if (parts[part].size() >= Merges::kLinkedMax) continue;
      refs.push_back(join(part, Millis(1 + static_cast<int>(random() % 3'600'000))));
    }
    if (step % 2000 == 0) expect_all();
  }
  expect_all();
}

TEST_F(MergesTest, those_beyond_the_bound_of_a_part_find_the_others_and_are_found_by_none) {
  for (std::uint32_t i = 0; i < Merges::kLinkedMax; ++i) join(7);
  const EntryRef beyond = join(7, Millis(9));
  EXPECT_EQ(found(beyond).size(), Merges::kLinkedMax);
  EXPECT_EQ(found(*parts[7].begin()).size(), Merges::kLinkedMax - 1);
  EXPECT_EQ(merges.of(beyond).within, Millis(9));
  leave(beyond);
  leave(*parts[7].begin());
  const EntryRef next = join(7);
  const EntryRef other = *parts[7].rbegin();
  ASSERT_NE(other, next);
  EXPECT_TRUE(found(other).contains(next)) << "there is room again";
}

TEST_F(MergesTest, a_task_takes_sixteen_bytes_at_most) {
  constexpr std::uint64_t kTasks = 16'384ULL * 40;
  for (std::uint64_t i = 0; i < kTasks; ++i) {
    merges.join(arena.allocate(), {random() >> (64 - MergeRule::kPartBits), Millis(1)});
  }
  EXPECT_LE(merges.bytes(), 16 * kTasks);
}

}  // namespace
}  // namespace carillon
