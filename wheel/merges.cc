#include "wheel/merges.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "base/check.h"

namespace carillon {

/// Of those that stand, the one whose number the part's lowest bits are: of as many bits as the
/// highest bucket has, or one fewer where there is no such bucket yet.
std::size_t Merges::bucket_of(std::uint64_t part) const {
  const std::size_t round = std::bit_floor(buckets_.size());
  const std::size_t wide = part & (2 * round - 1);
  return wide < buckets_.size() ? wide : part & (round - 1);
}

void Merges::join(EntryRef ref, const MergeRule& rule) {
  CARILLON_CHECK(rule.given() && rule.within <= MergeRule::kWithinMax && !has(ref));
  const std::size_t stretch = ref >> kStretchBits;
  if (stretch >= stretches_.size()) stretches_.resize(stretch + 1);
  if (stretches_[stretch] == nullptr) stretches_[stretch] = new (memory_.take()) Stretch{};
  if (size_ >= kChain * buckets_.size()) split_one();
  ++size_;
  Stretch& its = *stretches_[stretch];
  const std::uint64_t low = rule.part & ((std::uint64_t{1} << kLowBits) - 1);
  its.words[ref & kStretchMask] =
      low << kWithinBits | static_cast<std::uint64_t>(rule.within.count());
  its.more[ref & kStretchMask] = static_cast<std::uint16_t>(rule.part >> kLowBits);
  EntryRef& first = buckets_[bucket_of(rule.part)];
  std::uint32_t of_part = 0;
  for (EntryRef other = first; other != kNoEntry; other = next_of(other)) {
    if (part_of(other) == part_of(ref)) ++of_part;
  }
  its.next[ref & kStretchMask] = of_part < kLinkedMax ? std::exchange(first, ref) : kNotLinked;
}

void Merges::unlink(EntryRef ref) {
  if (!has(ref)) return;
  if (next_of(ref) != kNotLinked) {
    EntryRef* link = &buckets_[bucket_of(low_of(ref))];
    while (*link != ref) link = &next_of(*link);
    *link = next_of(ref);
  }
  stretch_of(ref)->words[ref & kStretchMask] = 0;
  --size_;
}

/// One bucket more, with what is its of the one that had it.
void Merges::split_one() {
  const std::size_t fresh = buckets_.size();
  buckets_.push_back(kNoEntry);
  if (fresh == 0) return;
  EntryRef* link = &buckets_[fresh - std::bit_floor(fresh)];
  while (*link != kNoEntry) {
    const EntryRef ref = *link;
    if (bucket_of(low_of(ref)) != fresh) {
      link = &next_of(ref);
      continue;
    }
    *link = next_of(ref);
    next_of(ref) = std::exchange(buckets_[fresh], ref);
  }
}

void Merges::find(EntryRef ref, std::vector<EntryRef>& others) const {
  others.clear();
  const std::uint64_t part = part_of(ref);
  for (EntryRef its = buckets_[bucket_of(part)]; its != kNoEntry; its = next_of(its)) {
    if (its != ref && part_of(its) == part) others.push_back(its);
  }
}

std::uint64_t Merges::bytes() const {
  const auto made =
      stretches_.size() - static_cast<std::size_t>(std::ranges::count(stretches_, nullptr));
  return made * sizeof(Stretch) + buckets_.size() * sizeof(EntryRef);
}

}  // namespace carillon
