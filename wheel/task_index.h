// The task index: fingerprint to entry, growing without a pause.
//
// A hash table that doubles would stop the server for a second at ten million tasks. This is linear
// hashing (Litwin, 1980): the table grows by one bucket at a time, splitting the next bucket in
// turn, so every insert costs the same. Chains run through the entries themselves; a bucket is one
// 32-bit head, and there are as many as entries: 4 bytes a task.
#pragma once

#include <span>
#include <vector>

#include "wheel/arena.h"

namespace carillon {

class TaskIndex {
 public:
  explicit TaskIndex(Arena& arena);

  /// An entry with this fingerprint, or kNoEntry. Several may have it: `next` walks on.
  [[nodiscard]] EntryRef find(const Fingerprint& task) const;
  /// A further entry with the same fingerprint as `ref`, or kNoEntry.
  [[nodiscard]] EntryRef next(EntryRef ref) const;
  /// Brings into the cache what `find` and `insert` will want for `tasks`, at most kPrefetched. All
  /// at once, as one look after the other would wait for memory each time.
  static constexpr std::size_t kPrefetched = 96;
  void prefetch(std::span<const std::uint64_t> lows) const;
  /// The entry's id_low and id_high are set and not in the index yet.
  void insert(EntryRef ref);
  void erase(EntryRef ref);
  /// Room for so many entries at once, where that is at least twice what there is: until then no
  /// insert has to split a bucket. Visits all that are there.
  void reserve(std::uint64_t entries);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t bytes() const {
    return chunks_.size() * sizeof(EntryRef) << kChunkBits;
  }

 private:
  static constexpr int kChunkBits = 12;
  [[nodiscard]] EntryRef match(EntryRef from, const Fingerprint& task) const;
  [[nodiscard]] std::uint64_t bucket_of(std::uint64_t hash) const {
    const std::uint64_t bucket = hash & (round_ - 1);
    return bucket < split_ ? hash & (2 * round_ - 1) : bucket;
  }
  void prefetch_split(std::uint64_t bucket, int step) const;
  [[nodiscard]] EntryRef& head(std::uint64_t bucket) {
    return chunks_[bucket >> kChunkBits][bucket & ((1U << kChunkBits) - 1)];
  }
  [[nodiscard]] const EntryRef& head(std::uint64_t bucket) const {
    return chunks_[bucket >> kChunkBits][bucket & ((1U << kChunkBits) - 1)];
  }
  void add_bucket();
  void add_chunk();
  void link(EntryRef ref);

  Arena& arena_;
  Slab memory_{sizeof(EntryRef) << kChunkBits};
  std::vector<EntryRef*> chunks_;
  std::uint64_t round_ = 1;  // buckets at the start of this round, a power of two
  std::uint64_t split_ = 0;  // buckets split in it so far
  std::uint64_t size_ = 0;
};

}  // namespace carillon
