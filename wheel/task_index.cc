#include "wheel/task_index.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace carillon {

namespace {

constexpr int kSteps = 3;
constexpr std::uint64_t kSplitsAhead = 8;

}  // namespace

TaskIndex::TaskIndex(Arena& arena) : arena_(arena) {
  add_chunk();
  head(0) = kNoEntry;
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
  link(ref);
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

void TaskIndex::reserve(std::uint64_t entries) {
  const std::uint64_t before = round_ + split_;
  if (entries < 2 * before) return;
  std::vector<EntryRef> all;
  all.reserve(size_);
  for (std::uint64_t bucket = 0; bucket < before; ++bucket) {
    for (EntryRef ref = head(bucket); ref != kNoEntry; ref = arena_[ref].chain) all.push_back(ref);
  }
  round_ = std::bit_floor(entries);
  split_ = entries - round_;
  while (chunks_.size() << kChunkBits < entries) add_chunk();
  for (EntryRef* chunk : chunks_) std::fill_n(chunk, std::size_t{1} << kChunkBits, kNoEntry);
  for (const EntryRef ref : all) link(ref);
}

void TaskIndex::add_chunk() {
  chunks_.push_back(static_cast<EntryRef*>(memory_.take()));
}

void TaskIndex::link(EntryRef ref) {
  Entry& entry = arena_[ref];
  EntryRef& first = head(bucket_of(entry.id_low));
  entry.chain = first;
  first = ref;
}

void TaskIndex::prefetch(std::span<const std::uint64_t> lows) const {
  std::array<const EntryRef*, kPrefetched> heads;
  for (std::size_t i = 0; i < lows.size(); ++i) {
    heads[i] = &head(bucket_of(lows[i]));
    __builtin_prefetch(heads[i]);
  }
  // Whether a chain goes on cannot be foretold, so there is no branch on it: the processor would
  // wait for one entry before it looks at the next.
  std::array<EntryRef, kPrefetched> refs;
  std::size_t count = 0;
  for (std::size_t i = 0; i < lows.size(); ++i) {
    refs[count] = *heads[i];
    count += refs[count] != kNoEntry ? 1 : 0;
  }
  for (int step = 0; step < kSteps; ++step) {
    const std::array<EntryRef, kPrefetched> met = refs;
    const std::size_t met_count = std::exchange(count, 0);
    for (std::size_t i = 0; i < met_count; ++i) {
      const Entry& entry = arena_[met[i]];
      __builtin_prefetch(&entry.id_low);
      const EntryRef next = entry.chain;
      refs[count] = next;
      count += next != kNoEntry ? 1 : 0;
    }
  }
}

/// The `step`-th entry of a bucket; the one before it has been asked for some splits ago.
void TaskIndex::prefetch_split(std::uint64_t bucket, int step) const {
  EntryRef ref = head(bucket);
  for (; step > 1 && ref != kNoEntry; --step) ref = arena_[ref].chain;
  if (ref == kNoEntry) return;
  __builtin_prefetch(&arena_[ref].id_low);
  __builtin_prefetch(&arena_[ref].chain);
}

void TaskIndex::add_bucket() {
  // The buckets to be split next lie side by side; their entries do not.
  for (int step = 1; step <= kSteps; ++step) {
    const std::uint64_t bucket = split_ + (kSteps + 1 - step) * kSplitsAhead;
    if (bucket < round_) prefetch_split(bucket, step);
  }
  const std::uint64_t fresh = round_ + split_;
  if (fresh >> kChunkBits == chunks_.size()) add_chunk();
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
