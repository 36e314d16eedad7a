#include "wheel/wheel.h"

#include <algorithm>

namespace carillon {

Wheel::Wheel(Arena& arena, Lists& lists, WallTime start)
    : arena_(arena),
      lists_(lists),
      time_(static_cast<Tick>(std::max<std::int64_t>(start.time_since_epoch().count(), 0))) {}

Wheel::Slot Wheel::slot_for(Tick due) const {
  int level = 0;
  while ((due >> (8 * (level + 1))) - (time_ >> (8 * (level + 1))) > 1) ++level;
  return {level, due >> (8 * level)};
}

bool Wheel::insert(EntryRef ref) {
  const Tick due = arena_[ref].due_ms;
  if (due <= time_) {
    lists_.push_back(kDueList, ref, Place::level0);
    ++counts_[0];
    return true;
  }
  const Slot slot = slot_for(due);
  lists_.push_back(slot.list(), ref, static_cast<Place>(slot.level));
  mark(slot.list());
  ++counts_[static_cast<std::size_t>(slot.level)];
  return slot.level == 0;
}

void Wheel::remove(EntryRef ref) {
  const Place place = arena_[ref].where();
  if (place < Place::queue) --counts_[static_cast<std::size_t>(place)];
  ListId emptied = kDueList;
  if (lists_.unlink(ref, &emptied) && emptied < kDueList) unmark(emptied);
}

std::optional<Wheel::Slot> Wheel::first_occupied(int level, std::uint64_t distance) const {
  if (counts_[static_cast<std::size_t>(level)] == 0) return std::nullopt;
  const std::uint64_t current = time_ >> (8 * level);
  const std::size_t base = static_cast<std::size_t>(level) * kSlots / 64;
  // From the slot after the current one, around the circle, a word of the bitmap at a time.
  while (distance < kSlots) {
    const std::uint32_t slot = static_cast<std::uint32_t>((current + distance) % kSlots);
    const std::uint64_t word = occupied_[base + slot / 64] >> (slot % 64);
    if (word != 0) {
      distance += static_cast<std::uint64_t>(std::countr_zero(word));
      if (distance >= kSlots) break;
      return Slot{level, current + distance};
    }
    distance += 64 - slot % 64;
  }
  return std::nullopt;
}

std::optional<Wheel::Slot> Wheel::next_slot() const {
  std::optional<Slot> next;
  for (int level = 0; level < kLevels; ++level) {
    // The first slot that this level, or one above, can have anything in begins only then.
    if (next && next->start() < ((time_ >> (8 * level)) + 1) << (8 * level)) break;
    const std::optional<Slot> slot = first_occupied(level);
    // On a tie the higher level goes first: it may hold tasks of the lower one's slot.
    if (slot && (!next || slot->start() <= next->start())) next = slot;
  }
  return next;
}

std::optional<Wheel::Slot> Wheel::occupied_after(const std::optional<Slot>& last,
                                                 std::int64_t from_ms) const {
  const auto from = static_cast<Tick>(std::max<std::int64_t>(from_ms, 0));
  std::optional<Slot> next;
  for (int level = 0; level < kLevels; ++level) {
    const int shift = 8 * level;
    const std::uint64_t current = time_ >> shift;
    std::uint64_t index = std::max(current + 1, from >> shift);
    if (last) {
      const std::uint64_t at = last->start() >> shift;
      const bool is_next = at << shift == last->start() && level < last->level;
      index = std::max(index, is_next ? at : at + 1);
    }
    const std::optional<Slot> slot = first_occupied(level, index - current);
    if (slot && (!next || slot->start() <= next->start())) next = slot;
  }
  return next;
}

std::uint64_t Wheel::tasks_per_slot(int level) const {
  const auto at = static_cast<std::size_t>(level);
  std::uint64_t occupied = 0;
  for (std::size_t word = 0; word < kSlots / 64; ++word) {
    occupied += static_cast<std::uint64_t>(std::popcount(occupied_[at * kSlots / 64 + word]));
  }
  return occupied == 0 ? 0 : counts_[at] / occupied;
}

std::uint32_t Wheel::cascade(Slot slot, std::uint32_t budget, std::vector<EntryRef>* imminent) {
  while (budget > 0) {
    const EntryRef ref = lists_.first(slot.list());
    if (ref == kNoEntry) break;
    remove(ref);
    if (insert(ref) && imminent != nullptr) imminent->push_back(ref);
    --budget;
  }
  return budget;
}

bool Wheel::advance(WallTime now, std::uint32_t budget) {
  const auto until = static_cast<Tick>(std::max<std::int64_t>(now.time_since_epoch().count(), 0));
  while (time_ < until) {
    const std::optional<Slot> slot = next_slot();
    if (!slot || slot->start() > until) {
      time_ = until;
      break;
    }
    if (slot->level > 0) {
      time_ = std::max(time_, slot->start() - 1);
      budget = cascade(*slot, budget, nullptr);
      if (budget == 0) return false;
      continue;
    }
    time_ = slot->start();
    lists_.splice(kDueList, slot->list());
    unmark(slot->list());
  }
  return true;
}

void Wheel::prepare(std::uint32_t budget, std::vector<EntryRef>* imminent) {
  for (int level = 1; level < kLevels && budget > 0; ++level) {
    const Slot next{level, (time_ >> (8 * level)) + 1};
    if (time_ + lead(level) >= next.start()) budget = cascade(next, budget, imminent);
  }
}

void Wheel::rewind(WallTime now) {
  const auto to = static_cast<Tick>(std::max<std::int64_t>(now.time_since_epoch().count(), 0));
  if (to >= time_) return;
  std::vector<EntryRef> displaced;
  for (EntryRef ref = pop_due(); ref != kNoEntry; ref = pop_due()) displaced.push_back(ref);
  // A level whose window is the same before and after keeps every entry where it is.
  for (int level = 0; level < kLevels; ++level) {
    const int window = 8 * (level + 1);
    if (time_ >> window == to >> window) break;
    for (ListId list = static_cast<ListId>(level) * kSlots;
         list < static_cast<ListId>(level + 1) * kSlots; ++list) {
      for (EntryRef ref = lists_.first(list); ref != kNoEntry; ref = lists_.first(list)) {
        remove(ref);
        displaced.push_back(ref);
      }
    }
  }
  time_ = to;
  for (const EntryRef ref : displaced) insert(ref);
}

EntryRef Wheel::pop_due() {
  const EntryRef ref = lists_.first(kDueList);
  if (ref != kNoEntry) remove(ref);
  return ref;
}

std::optional<WallTime> Wheel::next_wakeup() const {
  if (has_due()) return time();
  std::optional<Tick> wakeup;
  for (int level = 0; level < kLevels; ++level) {
    const std::optional<Slot> slot = first_occupied(level);
    if (!slot) continue;
    const Tick ahead = level == 0 ? 0 : std::min(lead(level), slot->start());
    const Tick at = std::max(time_, slot->start() - ahead);
    wakeup = std::min(wakeup.value_or(at), at);
  }
  if (!wakeup) return std::nullopt;
  return WallTime(Millis(static_cast<std::int64_t>(*wakeup)));
}

void Wheel::start_at(WallTime time) {
  for (const std::uint64_t count : counts_) CARILLON_CHECK(count == 0);
  time_ = static_cast<Tick>(std::max<std::int64_t>(time.time_since_epoch().count(), 0));
}

std::optional<WallTime> Wheel::next_due() const {
  if (has_due()) return time();
  const std::optional<Slot> slot = next_slot();
  if (!slot) return std::nullopt;
  return WallTime(Millis(static_cast<std::int64_t>(slot->start())));
}

std::vector<WheelLevel> Wheel::levels() const {
  std::vector<WheelLevel> levels(kLevels);
  for (std::size_t level = 0; level < kLevels; ++level) {
    levels[level].slot_width = Millis(std::int64_t{1} << (8 * level));
    levels[level].slots = kSlots;
    for (std::size_t word = 0; word < kSlots / 64; ++word) {
      levels[level].occupied +=
          static_cast<std::uint32_t>(std::popcount(occupied_[level * kSlots / 64 + word]));
    }
    levels[level].tasks = counts_[level];
  }
  return levels;
}

void Wheel::check_invariants() const {
  std::uint64_t due_now = 0;
  for (EntryRef ref = lists_.first(kDueList); ref != kNoEntry; ref = lists_.after(ref)) {
    CARILLON_CHECK(arena_[ref].due_ms <= time_ && arena_[ref].where() == Place::level0);
    ++due_now;
  }
  for (int level = 0; level < kLevels; ++level) {
    std::uint64_t count = level == 0 ? due_now : 0;
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      const ListId list = static_cast<ListId>(level) * kSlots + slot;
      const bool marked = ((occupied_[list / 64] >> (list % 64)) & 1) != 0;
      CARILLON_CHECK(marked == !lists_.empty(list));
      for (EntryRef ref = lists_.first(list); ref != kNoEntry; ref = lists_.after(ref)) {
        const Tick due = arena_[ref].due_ms;
        const std::uint64_t index = due >> (8 * level);
        CARILLON_CHECK(due > time_);
        CARILLON_CHECK(arena_[ref].where() == static_cast<Place>(level));
        CARILLON_CHECK(index % kSlots == slot);
        CARILLON_CHECK(index > time_ >> (8 * level));
        CARILLON_CHECK(index - (time_ >> (8 * level)) < kSlots);
        ++count;
      }
    }
    CARILLON_CHECK(count == counts_[static_cast<std::size_t>(level)]);
  }
}

}  // namespace carillon
