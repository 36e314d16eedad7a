#include "wheel/wheel.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace carillon {
namespace {

WallTime at(std::uint64_t tick) {
  return WallTime(Millis(static_cast<std::int64_t>(tick)));
}

constexpr std::uint32_t kNoLimit = 0xffff'ffff;

/// The wheel beside a sorted multimap that says what must come out of it.
class WheelModel {
 public:
  explicit WheelModel(std::uint64_t start) : now_(start), wheel_(arena_, lists_, at(start)) {}

  EntryRef add(std::uint64_t due) {
    const EntryRef ref = arena_.allocate();
    arena_[ref].set_due(at(due));
    wheel_.insert(ref);
    truth_.emplace(due, ref);
    return ref;
  }

  void remove(EntryRef ref) {
    forget(ref);
    wheel_.remove(ref);
    arena_.free(ref);
  }

  void move(EntryRef ref, std::uint64_t due) {
    forget(ref);
    wheel_.remove(ref);
    arena_[ref].set_due(at(due));
    wheel_.insert(ref);
    truth_.emplace(due, ref);
  }

  /// Moves time and checks that exactly what is due comes out, in due order.
  void advance(std::uint64_t now, std::uint32_t budget = kNoLimit) {
    now_ = std::max(now_, now);
    while (!wheel_.advance(at(now_), budget)) drain();
    drain();
    ASSERT_TRUE(truth_.empty() || truth_.begin()->first > now_) << "a due task was left behind";
  }

  void prepare(std::uint32_t budget) { wheel_.prepare(budget, nullptr); }

  void rewind(std::uint64_t now) {
    now_ = now;
    wheel_.rewind(at(now));
  }

  [[nodiscard]] EntryRef any(std::mt19937_64& random) const {
    if (truth_.empty()) return kNoEntry;
    auto it = truth_.lower_bound(now_ + random() % 100'000);
    return it == truth_.end() ? truth_.begin()->second : it->second;
  }

  [[nodiscard]] std::uint64_t now() const { return now_; }
  [[nodiscard]] std::size_t size() const { return truth_.size(); }
  [[nodiscard]] const Wheel& wheel() const { return wheel_; }
  [[nodiscard]] std::uint64_t fired() const { return fired_; }

 private:
  void forget(EntryRef ref) {
    auto [from, to] = truth_.equal_range(arena_[ref].due_ms);
    const auto found = std::find_if(from, to, [&](const auto& pair) { return pair.second == ref; });
    ASSERT_NE(found, to);
    truth_.erase(found);
  }

  void drain() {
    std::uint64_t last = 0;
    for (EntryRef ref = wheel_.pop_due(); ref != kNoEntry; ref = wheel_.pop_due()) {
      const std::uint64_t due = arena_[ref].due_ms;
      ASSERT_LE(due, now_) << "early";
      ASSERT_LE(last, due) << "out of order";
      last = due;
      ++fired_;
      forget(ref);
      arena_.free(ref);
    }
  }

  std::uint64_t now_;
  std::uint64_t fired_ = 0;
  Arena arena_;
  Lists lists_{arena_, Wheel::kListCount};
  Wheel wheel_;
  std::multimap<std::uint64_t, EntryRef> truth_;
};

TEST(Wheel, fires_at_each_side_of_every_level_boundary) {
  for (const std::uint64_t start : {std::uint64_t{0}, std::uint64_t{255}, std::uint64_t{256},
                                    std::uint64_t{65'535}, std::uint64_t{1'763'700'000'123}}) {
    for (int level = 1; level < 5; ++level) {
      const std::uint64_t span = std::uint64_t{1} << (8 * level);
      for (const std::uint64_t windows : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}}) {
        WheelModel model(start);
        const std::uint64_t edge = (start / span + windows) * span;
        for (const std::uint64_t due : {edge - 1, edge, edge + 1, edge + 255, edge + 256}) {
          if (due > start) model.add(due);
        }
        model.wheel().check_invariants();
        const std::size_t added = model.size();
        for (const std::uint64_t now : {edge - 2, edge - 1, edge, edge + 1, edge + 300}) {
          model.advance(now);
          model.wheel().check_invariants();
        }
        EXPECT_EQ(model.fired(), added);
      }
    }
  }
}

TEST(Wheel, a_due_in_the_past_or_now_fires_at_the_next_look_without_time_moving) {
  WheelModel model(1000);
  model.add(1000);
  model.add(10);
  model.add(1001);
  EXPECT_TRUE(model.wheel().has_due());
  EXPECT_EQ(model.wheel().next_wakeup(), at(1000));
  // Order is by when they became due, so look at each alone.
  Arena arena;
  Lists lists(arena, Wheel::kListCount);
  Wheel wheel(arena, lists, at(1000));
  const EntryRef ref = arena.allocate();
  arena[ref].set_due(at(10));
  wheel.insert(ref);
  EXPECT_EQ(wheel.pop_due(), ref);
  EXPECT_EQ(wheel.pop_due(), kNoEntry);
}

TEST(Wheel, one_leap_over_months_brings_everything_in_due_order) {
  std::mt19937_64 random(7);
  WheelModel model(1'763'700'000'000);
  for (int i = 0; i < 100'000; ++i) model.add(model.now() + random() % (90ULL * 86'400'000));
  model.advance(model.now() + 100ULL * 86'400'000);
  EXPECT_EQ(model.fired(), 100'000U);
}

TEST(Wheel, next_wakeup_never_lies_after_the_first_due_and_is_empty_when_nothing_waits) {
  WheelModel model(5'000'000);
  EXPECT_FALSE(model.wheel().next_wakeup().has_value());
  std::mt19937_64 random(3);
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t due = model.now() + 1 + random() % (1ULL << (random() % 33));
    model.add(due);
    ASSERT_LE(*model.wheel().next_wakeup(), at(due));
    ASSERT_LE(*model.wheel().next_due(), at(due));
    // Following the wake-ups alone reaches it, without one of them standing still.
    for (int step = 0; model.size() > 0; ++step) {
      ASSERT_LT(step, 16);
      const auto wakeup = model.wheel().next_wakeup();
      model.advance(static_cast<std::uint64_t>(wakeup->time_since_epoch().count()));
      model.prepare(kNoLimit);
    }
    ASSERT_EQ(model.now(), due);
  }
}

TEST(Wheel, a_slot_of_many_tasks_is_cascaded_in_bounded_steps_before_its_time) {
  WheelModel model(0);
  const std::uint64_t start = 3 * 65'536;
  for (std::uint64_t i = 0; i < 10'000; ++i) model.add(start + i % 60'000);
  model.advance(start - 30'000);
  int steps = 0;
  while (model.wheel().levels()[2].tasks > 0) {
    model.prepare(100);
    ASSERT_LE(++steps, 101);
  }
  EXPECT_GE(steps, 100);
  model.wheel().check_invariants();
  model.advance(start + 65'536);
  EXPECT_EQ(model.fired(), 10'000U);
}

class WheelRandom : public testing::TestWithParam<std::uint64_t> {};

TEST_P(WheelRandom, behaves_like_a_sorted_map_over_a_million_steps) {
  std::mt19937_64 random(GetParam());
  // Ticks from zero for one seed, from a date for the others; 2^40 ms lies in 2004 and must be
  // crossable.
  const std::uint64_t starts[] = {0, (1ULL << 40) - 50'000, 1'763'700'000'000};
  WheelModel model(starts[GetParam() % 3]);
  for (int step = 0; step < 1'000'000; ++step) {
    const std::uint64_t what = random() % 1000;
    const std::uint64_t reach = 1ULL << (random() % 38);
    if (what < 450) {
      model.add(model.now() + random() % reach);
    } else if (what < 650) {
      if (const EntryRef ref = model.any(random); ref != kNoEntry) model.remove(ref);
    } else if (what < 750) {
      if (const EntryRef ref = model.any(random); ref != kNoEntry) {
        model.move(ref, model.now() + random() % reach);
      }
    } else if (what < 970) {
      model.advance(model.now() + random() % (1ULL << (random() % 12)));
    } else if (what < 980) {
      model.advance(model.now(), 1 + static_cast<std::uint32_t>(random() % 7));
    } else if (what < 990) {
      model.prepare(static_cast<std::uint32_t>(random() % 50));
    } else if (what < 996) {
      const std::uint64_t back = random() % (1ULL << (random() % 24));
      model.rewind(model.now() - std::min(model.now(), back));
    } else if (what == 999 && step % 7 == 0) {
      model.advance(model.now() + random() % reach, 1 + static_cast<std::uint32_t>(random() % 100));
    }
    if (HasFatalFailure()) FAIL() << "seed " << GetParam() << " step " << step;
    if (step % 20'000 == 0) model.wheel().check_invariants();
  }
  model.wheel().check_invariants();
}

INSTANTIATE_TEST_SUITE_P(seeds, WheelRandom, testing::Range<std::uint64_t>(0, 6));

}  // namespace
}  // namespace carillon
