// Merges: the tasks of one user, found from any of them, so that they can be pushed together.
//
// A task may name how long before its due it may be pushed with another one of the same part (of
// ids: `{user:42}` in `{user:42}:coupon7`). When one is about to be pushed, the shard asks here for
// the others of its part and takes along those that are near (shard/shard_merge.cc).
//
// Few tasks have that, so an entry has no bit for it. What there is to know of those lies beside
// the arena, as with groups: 14 bytes for each reference of a stretch of 256 in which there ever
// was one. 58 bits of the part's hash: among ten million parts the chance that any two are mistaken
// for each other is 2e-4.
//
//     words | part 42 | within 22 |    next | 32 |    more | part 16 |
//
//     buckets [ first | first | first | ... ]     first ──▶ next ──▶ next
//
// Buckets are chains of about three, found by the part. Linear hashing (Litwin, 1980): whoever
// joins may have one bucket split, and nothing is ever moved as a whole. With the buckets a task
// takes 15.4 bytes.
//
// All tasks of a part are in one chain, and whoever joins, leaves or looks walks it. So at most 256
// of a part are linked; those beyond find others, but are never found.
//
// Concurrency: none.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/slab.h"
#include "wheel/arena.h"

namespace carillon {

class Merges {
 public:
  static constexpr std::uint32_t kLinkedMax = 256;  // of one part

  /// `rule`, of the entry from now on; it had none.
  void join(EntryRef ref, const MergeRule& rule);
  /// No-op where it has none.
  void leave(EntryRef ref) {
    if (stretch_of(ref) != nullptr) unlink(ref);
  }
  /// The rule of an entry that may have none.
  [[nodiscard]] MergeRule of(EntryRef ref) const {
    const Stretch* const stretch = stretch_of(ref);
    if (stretch == nullptr) return {};
    return {part_of(ref), Millis(stretch->words[ref & kStretchMask] & kWithinMask)};
  }
  [[nodiscard]] bool has(EntryRef ref) const {
    const Stretch* const stretch = stretch_of(ref);
    return stretch != nullptr && stretch->words[ref & kStretchMask] != 0;
  }
  /// Puts the others of the same part into `others`, in no order.
  void find(EntryRef ref, std::vector<EntryRef>& others) const;

  /// Tasks that have a rule.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  static constexpr int kStretchBits = 8;
  static constexpr EntryRef kStretchMask = (1U << kStretchBits) - 1;
  static constexpr int kWithinBits = 22;
  static constexpr std::uint64_t kWithinMask = (std::uint64_t{1} << kWithinBits) - 1;
  static constexpr int kLowBits = 64 - kWithinBits;  // of the part, in a word
  static constexpr EntryRef kNotLinked = 0x8000'0000;
  static constexpr std::size_t kChain = 3;  // tasks for each bucket
  static_assert(MergeRule::kWithinMax.count() <= static_cast<std::int64_t>(kWithinMask));
  static_assert(MergeRule::kPartBits == kLowBits + 16);

  struct Stretch {
    std::array<std::uint64_t, std::size_t{1} << kStretchBits> words;  // 0: it has no rule
    std::array<EntryRef, std::size_t{1} << kStretchBits> next;
    std::array<std::uint16_t, std::size_t{1} << kStretchBits> more;
  };
  [[nodiscard]] Stretch* stretch_of(EntryRef ref) const {
    const std::size_t stretch = ref >> kStretchBits;
    return stretch < stretches_.size() ? stretches_[stretch] : nullptr;
  }
  [[nodiscard]] EntryRef& next_of(EntryRef ref) const {
    return stretches_[ref >> kStretchBits]->next[ref & kStretchMask];
  }
  [[nodiscard]] std::uint64_t low_of(EntryRef ref) const {
    return stretches_[ref >> kStretchBits]->words[ref & kStretchMask] >> kWithinBits;
  }
  [[nodiscard]] std::uint64_t part_of(EntryRef ref) const {
    const std::uint64_t more = stretches_[ref >> kStretchBits]->more[ref & kStretchMask];
    return more << kLowBits | low_of(ref);
  }
  [[nodiscard]] std::size_t bucket_of(std::uint64_t part) const;
  void unlink(EntryRef ref);
  void split_one();

  Slab memory_{sizeof(Stretch)};
  std::vector<Stretch*> stretches_;  // null: no entry of it ever had a rule
  std::deque<EntryRef> buckets_;     // the first of each chain
  std::uint64_t size_ = 0;
};

}  // namespace carillon
