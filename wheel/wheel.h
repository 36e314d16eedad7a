// The hierarchical timing wheel: which tasks are due, in due order, at a constant cost each.
//
// Why a wheel: a heap or a tree pays a logarithm of cache misses for each of millions of tasks,
// most of which are cancelled before they are due. Here schedule and cancel are a handful of
// stores.
//
// How it works: six levels; a slot of level k spans 256^k ms, so level 0 has one slot a millisecond
// and level 5 reaches past any date an entry can hold. A task goes to the lowest level on which its
// slot lies in the *current or the next* window of 256 slots; with two windows a level has 512
// slots. When a window ends, the slot above that covers the next one must have been emptied into
// the level below ("cascade"). The second window is what makes this punctual: a slot of ten million
// tasks can be cascaded in small steps during the half window before its time (`prepare`), rather
// than in one go at the worst moment.
//
//      level 1   | . . . . X n . . . . |         X: the current slot, always empty
//                          |                     n: the next; emptied downward during the last half
//                          of X
//      level 0   | now ........ | next window |
//
// Level 0's slots hold exactly the tasks of one millisecond. `advance` moves whole slots, by
// splicing, to the list of due tasks: nothing is due before its millisecond, whatever else goes
// wrong.
//
// Cascading timing wheels are from Varghese and Lauck, "Hashed and Hierarchical Timing Wheels"
// (1987).
//
// Example:
//   wheel.insert(ref);                       // arena[ref].due_ms is set
//   wheel.advance(now, budget);              // spends at most `budget` moves of single entries
//   while ((ref = wheel.pop_due()) != kNoEntry) fire(ref);
//   sleep_until(wheel.next_wakeup());
//
// Concurrency: none; a value without clock or thread.
#pragma once

#include <array>
#include <bit>
#include <optional>
#include <vector>

#include "wheel/arena.h"

namespace carillon {

struct WheelLevel {
  Millis slot_width{};
  std::uint32_t slots = 0;
  std::uint32_t occupied = 0;  // slots that are not empty
  std::uint64_t tasks = 0;     // on level 0 with those that are due and not yet taken
};

class Wheel {
 public:
  using Tick = std::uint64_t;  // Unix milliseconds
  static constexpr int kLevels = 6;
  static constexpr std::uint32_t kSlots = 512;
  /// List ids that the wheel uses: [0, kListCount).
  static constexpr ListId kDueList = kLevels * kSlots;
  static constexpr ListId kListCount = kDueList + 1;

  struct Slot {
    int level = 0;
    std::uint64_t index = 0;  // absolute: tick >> (8 * level)
    [[nodiscard]] Tick start() const { return index << (8 * level); }
    [[nodiscard]] ListId list() const {
      return static_cast<ListId>(level) * kSlots + static_cast<ListId>(index % kSlots);
    }
  };

  /// `arena` and `lists` (with at least kListCount lists) must outlive it. Everything due by
  /// `start` counts as due at once.
  Wheel(Arena& arena, Lists& lists, WallTime start);

  /// Sets the time of an empty wheel.
  void start_at(WallTime time);

  /// Links an entry that is on no list, by its due. Due already: goes to the due list. True where
  /// the entry is imminent: due within the two windows of level 0 (512 ms at the most).
  bool insert(EntryRef ref);

  /// Takes an entry off its slot, or off whatever list it is on, if any.
  void remove(EntryRef ref);

  /// Moves time forward to `now` and what is due by then to the due list, in due order. Spends at
  /// most about `budget` single moves on cascades that could not be prepared; false: it stopped
  /// early, time stands at what it reached, call again. A `now` in the past changes nothing.
  bool advance(WallTime now, std::uint32_t budget);

  /// Cascades ahead of time what comes next, at most `budget` entries; appends those that became
  /// imminent to `imminent`, if given.
  void prepare(std::uint32_t budget, std::vector<EntryRef>* imminent);

  /// Sets time back; what is on the due list and no longer due returns to its slot.
  void rewind(WallTime now);

  /// The first due entry, taken off its list; kNoEntry: none.
  [[nodiscard]] EntryRef pop_due();
  [[nodiscard]] bool has_due() const { return !lists_.empty(kDueList); }

  /// When to call `advance` (or `prepare`) next: not later than the first due. Empty: nothing
  /// waits.
  [[nodiscard]] std::optional<WallTime> next_wakeup() const;
  /// The earliest tick at which something may be due: exact within level 0, else the start of a
  /// slot.
  [[nodiscard]] std::optional<WallTime> next_due() const;
  [[nodiscard]] bool is_due(const Entry& entry) const { return entry.due_ms <= time_; }
  [[nodiscard]] WallTime time() const { return WallTime(Millis(static_cast<std::int64_t>(time_))); }
  [[nodiscard]] std::vector<WheelLevel> levels() const;

  /// The slot after `last` that is not empty and may hold what is due at `from_ms` or later; by
  /// start, and of the same start the higher level first, which is the order in which tasks travel:
  /// what leaves a slot downward goes to one that comes after it.
  [[nodiscard]] std::optional<Slot> occupied_after(const std::optional<Slot>& last,
                                                   std::int64_t from_ms) const;
  /// On the average of those that are not empty; 0: all are.
  [[nodiscard]] std::uint64_t tasks_per_slot(int level) const;

  /// Ends the process if an invariant is broken. Visits every entry on the wheel; for tests.
  void check_invariants() const;

 private:
  [[nodiscard]] Slot slot_for(Tick due) const;
  /// The first at or after the `distance`th slot from the current one.
  [[nodiscard]] std::optional<Slot> first_occupied(int level, std::uint64_t distance = 1) const;
  [[nodiscard]] std::optional<Slot> next_slot() const;
  [[nodiscard]] static Tick lead(int level) { return (Tick{1} << (8 * level)) / 2; }
  /// Empties `slot` downward, at most `budget` entries; what is left of the budget.
  std::uint32_t cascade(Slot slot, std::uint32_t budget, std::vector<EntryRef>* imminent);
  void mark(ListId list) { occupied_[list / 64] |= std::uint64_t{1} << (list % 64); }
  void unmark(ListId list) { occupied_[list / 64] &= ~(std::uint64_t{1} << (list % 64)); }

  Arena& arena_;
  Lists& lists_;
  Tick time_;  // everything due by this tick has been moved to the due list
  std::array<std::uint64_t, kLevels * kSlots / 64> occupied_{};
  std::array<std::uint64_t, kLevels> counts_{};
};

}  // namespace carillon
