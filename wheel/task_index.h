// The task index: fingerprint to entry, in 9 bytes a task and without a pause.
//
// A hundred million entries are in no cache, and each look at one that is not costs a hundred
// nanoseconds or two; chains through the entries cost two or three such looks to find that an id is
// free. Here most of what decides stands in the table itself: an add looks at the one place in it
// where its id would be, and at an entry only where the id is there.
//
// Operation. 12 bits of the fingerprint choose one of 4096 partitions, 25 others are its *tag*
// there. A partition is an array of 7-byte slots, sorted by tag, with gaps: a slot's home is
// tag * homes / 2^25, it stands there or behind, and nothing stands in between empty.
//
//     home     0    1    2    3    4    5    6    7   ...          | spill, last one empty
//           +----+----+----+----+----+----+----+----+----+----+----+----+----+
//     tag   | .  | 1a | 1d | 22 | .  | 51 | .  | 70 |                        |
//           +----+----+----+----+----+----+----+----+----+----+----+----+----+
//
//     slot    | tag 25 | reference 31 |
//
// A search goes from the home to the first empty slot or greater tag, so it ends as soon for an id
// that is not there. Deletion moves what follows back: there are no tombstones. Growth is one pass
// that keeps the order.
//
// Who knows which of the 80 bits: an entry has 66, all but the lower 14 of its tag. So two entries
// are the same task only where all 80 bits are; and from an entry alone it is known in which
// 2048th of its partition its slot must be, where it is found by its reference (`id`, `erase`).
//
//     low   63       53 52      39 38          12 11       0        high 15..0
//          |  tag  11  |  tag  14 |      27      | partition |     |    16     |
//     entry     yes         no          yes           yes              yes
//     slot      yes         yes
//
// Growth. While the entries become a seventh more, each partition has a turn in which it is made
// anew, 7/9 full; it is 8/9 full at its next, so 7/0.83 bytes an entry on average. At 100 M that is
// one turn each 3500 inserts, which takes it 50 us. One that is 15/16 full by chance, or whose
// spill is full, grows out of turn, but has its turn nonetheless: so arrays go in the order in
// which they came, and the blocks they are cut from (base/slab.h) become empty whole. `reserve`
// gives all partitions their size at once.
//
// Concurrency: none. Limitations: fingerprints must be spread evenly, as keyed hashes are; a
// partition becomes smaller only at its turn, or by `trim`; thousands of entries of one fingerprint
// are walked one by one, and make their partition large.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/slab.h"
#include "wheel/arena.h"

namespace carillon {

class TaskIndex {
 public:
  explicit TaskIndex(Arena& arena);

  /// The first entry with this fingerprint for which `wanted(EntryRef)` is true, or kNoEntry.
  /// Several may have it, dead letters beside what came after them: oldest first. Before `wanted`
  /// answers true it may erase its entry, before false it must not change the index.
  template <typename Wanted>
  [[nodiscard]] EntryRef find_if(const Fingerprint& task, const Wanted& wanted) const;
  [[nodiscard]] EntryRef find(const Fingerprint& task) const {
    return find_if(task, [](EntryRef) { return true; });
  }
  /// The fingerprint of an entry that is in the index.
  [[nodiscard]] Fingerprint id(EntryRef ref) const;
  /// Asks for the stretch of the table that `find` and `insert` will look at, without waiting for
  /// it.
  void prefetch(const Fingerprint& task) const;
  /// The same for the entry of that task, if there is one: looks at what `prefetch` has brought.
  void prefetch_entry(const Fingerprint& task) const;
  /// The entry, which is not in the index yet, is of this task.
  void insert(EntryRef ref, const Fingerprint& task);
  void erase(EntryRef ref);
  /// Room for so many entries at once: until then hardly an insert has to wait for a partition to
  /// grow.
  void reserve(std::uint64_t entries);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t bytes() const {
    return memory_.bytes() + partitions_.size() * sizeof(Partition);
  }
  /// Gives back most of what `reserve` made room for and nothing came.
  void trim();
  /// Ends the process if the order is broken. For tests.
  void check_invariants() const;

 private:
  static constexpr std::size_t kPartitions = 4096;
  static constexpr int kTagBits = 25;
  static constexpr int kTagShift = 64 - kTagBits;
  static constexpr int kUnknownBits = 14;  // of the tag, which entries have not
  static constexpr int kHighInId = 14;
  static constexpr int kRefBits = 31;
  static constexpr std::uint64_t kRefMask = (std::uint64_t{1} << kRefBits) - 1;
  static constexpr std::size_t kSlotBytes = 7;
  static constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << (8 * kSlotBytes)) - 1;
  static constexpr std::uint64_t kEmpty = kSlotMask;  // greater than any slot in use
  struct Partition {
    std::byte* slots = nullptr;
    std::uint32_t homes = 0;
    std::uint32_t count = 0;
  };
  [[nodiscard]] static std::uint64_t load(const std::byte* slots, std::uint64_t at) {
    std::uint64_t slot;
    std::memcpy(&slot, slots + at * kSlotBytes, sizeof slot);
    return slot & kSlotMask;
  }
  [[nodiscard]] static EntryRef ref_of(std::uint64_t slot) {
    return static_cast<EntryRef>(slot & kRefMask);
  }
  [[nodiscard]] static std::uint64_t tag_of(const Fingerprint& task) {
    return task.low >> kTagShift;
  }
  [[nodiscard]] static std::uint64_t id_of(const Fingerprint& task) {
    constexpr std::uint64_t kBelowTag = (std::uint64_t{1} << kTagShift) - 1;
    const std::uint64_t known = task.low >> (kTagShift + kUnknownBits) << kTagShift;
    return (known | (task.low & kBelowTag)) << kHighInId | (task.high & ((1U << kHighInId) - 1));
  }
  [[nodiscard]] static std::uint64_t home(const Partition& its, std::uint64_t tag) {
    return tag * its.homes >> kTagBits;
  }
  static void store(std::byte* slots, std::uint64_t at, std::uint64_t slot);
  static void shift(std::byte* slots, std::uint64_t to, std::uint64_t from, std::uint64_t count);
  [[nodiscard]] static std::size_t bytes_of(std::uint32_t homes);
  [[nodiscard]] static std::size_t partition_of(const Fingerprint& task) {
    return task.low & (kPartitions - 1);
  }
  [[nodiscard]] static std::size_t partition_of(const Entry& entry) {
    return entry.id >> kHighInId & (kPartitions - 1);
  }
  [[nodiscard]] std::uint64_t slot_of(const Partition& its, EntryRef ref) const;
  [[nodiscard]] static bool put(Partition& its, std::uint64_t slot);
  void grow(Partition& its, std::uint32_t homes_min);
  [[nodiscard]] static bool fits(const Partition& its, std::uint32_t homes);
  template <typename Visit>
  static void for_each(const Partition& its, const Visit& visit);

  Arena& arena_;
  Space memory_;
  std::vector<Partition> partitions_;
  std::uint64_t size_ = 0;
  std::uint64_t turn_at_ = 1;  // how many entries there are when the next partition grows
  std::size_t turn_ = 0;       // which that is
};

template <typename Wanted>
EntryRef TaskIndex::find_if(const Fingerprint& task, const Wanted& wanted) const {
  static_assert(std::endian::native == std::endian::little);
  const Partition& its = partitions_[partition_of(task)];
  const std::uint64_t first = tag_of(task) << kRefBits;
  for (std::uint64_t at = home(its, tag_of(task));; ++at) {
    const std::uint64_t slot = load(its.slots, at);
    if (slot >= (first | kRefMask)) return kNoEntry;
    if (slot < first) continue;
    const Entry& entry = arena_[ref_of(slot)];
    if (entry.id == id_of(task) && entry.id_rest == task.high >> kHighInId &&
        wanted(ref_of(slot))) {
      return ref_of(slot);
    }
  }
}

}  // namespace carillon
