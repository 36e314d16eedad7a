#include "wheel/task_index.h"

namespace carillon {

TaskIndex::TaskIndex(Arena& arena) : arena_(arena) {
  chunks_.push_back(std::make_unique<EntryRef[]>(std::size_t{1} << kChunkBits));
  head(0) = kNoEntry;
}

std::uint64_t TaskIndex::bucket_of(std::uint64_t hash) const {
  const std::uint64_t bucket = hash & (round_ - 1);
  return bucket < split_ ? hash & (2 * round_ - 1) : bucket;
}

EntryRef TaskIndex::match(EntryRef from, const Fingerprint& task) const {
  for (EntryRef ref = from; ref != kNoEntry; ref = arena_[ref].chain) {
    const Entry& entry = arena_[ref];
    if (entry.id_low == task.low && entry.id_high == task.high) return ref;
  }
  return kNoEntry;
}

EntryRef TaskIndex::find(const Fingerprint& task) const {
  return match(head(bucket_of(task.low)), task);
}

EntryRef TaskIndex::next(EntryRef ref) const {
  return match(arena_[ref].chain, arena_[ref].id());
}

void TaskIndex::insert(EntryRef ref) {
  if (++size_ > round_ + split_) add_bucket();
  EntryRef& first = head(bucket_of(arena_[ref].id_low));
  arena_[ref].chain = first;
  first = ref;
}

void TaskIndex::erase(EntryRef ref) {
  EntryRef& first = head(bucket_of(arena_[ref].id_low));
  if (first == ref) {
    first = arena_[ref].chain;
  } else {
    EntryRef before = first;
    while (arena_[before].chain != ref) {
      before = arena_[before].chain;
      CARILLON_CHECK(before != kNoEntry);
    }
    arena_[before].chain = arena_[ref].chain;
  }
  arena_[ref].chain = kNoEntry;
  --size_;
}

void TaskIndex::add_bucket() {
  const std::uint64_t fresh = round_ + split_;
  if (fresh >> kChunkBits == chunks_.size()) {
    chunks_.push_back(std::make_unique<EntryRef[]>(std::size_t{1} << kChunkBits));
  }
  EntryRef stays = kNoEntry;
  EntryRef moves = kNoEntry;
  for (EntryRef ref = head(split_); ref != kNoEntry;) {
    Entry& entry = arena_[ref];
    const EntryRef next = entry.chain;
    EntryRef& half = (entry.id_low & round_) != 0 ? moves : stays;
    entry.chain = half;
    half = ref;
    ref = next;
  }
  head(split_) = stays;
  head(fresh) = moves;
  if (++split_ == round_) {
    round_ *= 2;
    split_ = 0;
  }
}

}  // namespace carillon
