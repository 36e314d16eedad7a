#include "wheel/task_index.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace carillon {

namespace {

constexpr std::uint32_t kHomesMin = 8;
constexpr std::uint32_t kSpillMin = 16;     // where there are as many homes
constexpr std::uint32_t kSpillShare = 128;  // of the homes

/// All partitions have a turn while the entries become a seventh more.
constexpr std::uint64_t kTurns = 7;
/// For so many entries, and a seventh more by the next turn: 7/9 full, then 8/9.
std::uint32_t homes_for(std::uint64_t entries) {
  const std::uint64_t homes = entries * (kTurns + 2) / kTurns;
  CARILLON_CHECK(homes < kNoEntry);
  return std::max(kHomesMin, static_cast<std::uint32_t>(homes));
}

/// Homes and spill. The last slot is always empty, so that every walk ends. The spill grows with
/// the homes, so that any number of equal tags finds room in the end.
std::uint64_t slots_of(std::uint32_t homes) {
  return std::uint64_t{homes} + std::max(std::min(homes, kSpillMin), homes / kSpillShare);
}

/// What a partition that has nothing yet looks like; never written to.
std::array<std::byte, 8> nothing = [] {
  std::array<std::byte, 8> slot;
  slot.fill(std::byte{0xff});
  return slot;
}();

}  // namespace

TaskIndex::TaskIndex(Arena& arena) : arena_(arena), partitions_(kPartitions) {
  static_assert(std::has_single_bit(kPartitions));
  for (Partition& its : partitions_) its.slots = nothing.data();
}

void TaskIndex::store(std::byte* slots, std::uint64_t at, std::uint64_t slot) {
  // Two that overlap: seven bytes in one go would pass through memory.
  const auto lower = static_cast<std::uint32_t>(slot);
  const auto upper = static_cast<std::uint32_t>(slot >> 24);
  std::memcpy(slots + at * kSlotBytes, &lower, sizeof lower);
  std::memcpy(slots + at * kSlotBytes + 3, &upper, sizeof upper);
}

/// Moves `count` slots from `from` on to `to`.
void TaskIndex::shift(std::byte* slots, std::uint64_t to, std::uint64_t from, std::uint64_t count) {
  std::memmove(slots + to * kSlotBytes, slots + from * kSlotBytes, count * kSlotBytes);
}

/// A slot is read 8 bytes at a time.
std::size_t TaskIndex::bytes_of(std::uint32_t homes) {
  return (slots_of(homes) * kSlotBytes + 1 + 7) & ~std::size_t{7};
}

Fingerprint TaskIndex::id(EntryRef ref) const {
  const Entry& entry = arena_[ref];
  const Partition& its = partitions_[partition_of(entry)];
  const std::uint64_t tag = load(its.slots, slot_of(its, ref)) >> kRefBits;
  const std::uint64_t below_tag = entry.id >> kHighInId & ((std::uint64_t{1} << kTagShift) - 1);
  const std::uint64_t high = (entry.id & ((1U << kHighInId) - 1)) | std::uint64_t{entry.id_rest}
                                                                        << kHighInId;
  return {tag << kTagShift | below_tag, static_cast<std::uint16_t>(high)};
}

/// Where the entry's slot is: in the stretch of those tags that it may have.
std::uint64_t TaskIndex::slot_of(const Partition& its, EntryRef ref) const {
  const std::uint64_t known = arena_[ref].id >> (kHighInId + kTagShift);
  const std::uint64_t end = slots_of(its.homes);
  std::uint64_t at = home(its, known << kUnknownBits);
  for (;; ++at) {
    CARILLON_CHECK(at < end);
    if (ref_of(load(its.slots, at)) == ref) return at;
  }
}

void TaskIndex::prefetch(const Fingerprint& task) const {
  const Partition& its = partitions_[partition_of(task)];
  const std::byte* const at = its.slots + home(its, tag_of(task)) * kSlotBytes;
  __builtin_prefetch(at);
  __builtin_prefetch(at + 64);
}

void TaskIndex::prefetch_entry(const Fingerprint& task) const {
  const Partition& its = partitions_[partition_of(task)];
  const std::uint64_t first = tag_of(task) << kRefBits;
  std::uint64_t at = home(its, tag_of(task));
  std::uint64_t slot = load(its.slots, at);
  while (slot < first) slot = load(its.slots, ++at);
  if (slot < (first | kRefMask)) __builtin_prefetch(&arena_[ref_of(slot)]);
}

void TaskIndex::insert(EntryRef ref, const Fingerprint& task) {
  Entry& entry = arena_[ref];
  entry.id = id_of(task);
  entry.id_rest = static_cast<std::uint8_t>(task.high >> kHighInId) & 3;
  Partition& its = partitions_[partition_of(task)];
  if (its.count + 1 > std::uint64_t{its.homes} * 15 / 16) grow(its, its.homes + kHomesMin);
  // By a half: for many of one tag it is the spill that must become large.
  while (!put(its, tag_of(task) << kRefBits | ref)) {
    grow(its, its.homes + std::max(kHomesMin, its.homes / 2));
  }
  ++its.count;
  ++size_;
  if (size_ < turn_at_) return;
  turn_at_ = size_ + std::max<std::uint64_t>(1, size_ / (kTurns * kPartitions));
  Partition& next = partitions_[turn_];
  if (homes_for(next.count) != next.homes) grow(next, kHomesMin);
  turn_ = (turn_ + 1) % kPartitions;
}

/// False: there is no room for it at its place.
bool TaskIndex::put(Partition& its, std::uint64_t slot) {
  std::uint64_t at = home(its, slot >> kRefBits);
  while (load(its.slots, at) < (slot | kRefMask)) ++at;
  std::uint64_t end = at;
  while (load(its.slots, end) != kEmpty) ++end;
  if (end + 1 == slots_of(its.homes)) return false;
  shift(its.slots, at + 1, at, end - at);
  store(its.slots, at, slot);
  return true;
}

void TaskIndex::erase(EntryRef ref) {
  Partition& its = partitions_[partition_of(arena_[ref])];
  const std::uint64_t at = slot_of(its, ref);
  std::uint64_t end = at + 1;
  for (;; ++end) {
    const std::uint64_t slot = load(its.slots, end);
    if (slot == kEmpty || home(its, slot >> kRefBits) == end) break;
  }
  shift(its.slots, at, at + 1, end - at - 1);
  store(its.slots, end - 1, kEmpty);
  --its.count;
  --size_;
}

/// To what its entries want, or the least at which they fit.
void TaskIndex::grow(Partition& its, std::uint32_t homes_min) {
  std::uint32_t homes = std::max(homes_min, homes_for(its.count));
  while (!fits(its, homes)) homes += std::max(kHomesMin, homes / 8);
  Partition grown{static_cast<std::byte*>(memory_.take(bytes_of(homes))), homes, its.count};
  std::memset(grown.slots, 0xff, bytes_of(homes));
  std::uint64_t to = 0;
  for_each(its, [&](std::uint64_t slot) {
    to = std::max(to, home(grown, slot >> kRefBits));
    store(grown.slots, to++, slot);
  });
  if (its.homes != 0) memory_.give_back(its.slots, bytes_of(its.homes));
  its = grown;
}

bool TaskIndex::fits(const Partition& its, std::uint32_t homes) {
  const Partition grown{nullptr, homes, its.count};
  std::uint64_t to = 0;
  for_each(its, [&](std::uint64_t slot) { to = std::max(to, home(grown, slot >> kRefBits)) + 1; });
  return to < slots_of(homes);
}

template <typename Visit>
void TaskIndex::for_each(const Partition& its, const Visit& visit) {
  std::uint64_t left = its.count;
  for (std::uint64_t at = 0; left > 0; ++at) {
    const std::uint64_t slot = load(its.slots, at);
    if (slot == kEmpty) continue;
    visit(slot);
    --left;
  }
}

void TaskIndex::reserve(std::uint64_t entries) {
  if (entries <= size_) return;
  const std::uint32_t homes = homes_for(entries / kPartitions);
  for (Partition& its : partitions_) {
    // What is expected is expected again, a little more or less; for that none is made anew.
    if (homes > its.homes + its.homes / 8) grow(its, homes);
  }
  turn_at_ = std::max(turn_at_, entries);
}

void TaskIndex::trim() {
  for (Partition& its : partitions_) {
    if (its.homes > homes_for(its.count) / 4 * 5) grow(its, kHomesMin);
  }
  turn_at_ = size_ + 1;
}

void TaskIndex::check_invariants() const {
  std::uint64_t size = 0;
  for (const Partition& its : partitions_) {
    if (its.homes == 0) continue;
    std::uint64_t count = 0;
    std::uint64_t before = 0;
    bool gap = true;
    for (std::uint64_t at = 0; at < slots_of(its.homes); ++at) {
      const std::uint64_t slot = load(its.slots, at);
      if (slot != kEmpty) {
        const std::uint64_t its_home = home(its, slot >> kRefBits);
        CARILLON_CHECK(its_home == at || (its_home < at && !gap));
        CARILLON_CHECK(slot >> kRefBits >= before);
        const Entry& entry = arena_[ref_of(slot)];
        CARILLON_CHECK(arena_.in_use(ref_of(slot)) && &partitions_[partition_of(entry)] == &its);
        CARILLON_CHECK(entry.id >> (kHighInId + kTagShift) == slot >> (kRefBits + kUnknownBits));
        before = slot >> kRefBits;
        ++count;
      }
      gap = slot == kEmpty;
    }
    CARILLON_CHECK(gap && count == its.count);
    size += count;
  }
  CARILLON_CHECK(size == size_);
}

}  // namespace carillon
