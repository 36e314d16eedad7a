// Merges: which tasks are pushed with one that is about to be.
//
// They are of one part (wheel/merges.h), target and lane, and each is due within both tasks'
// `within` of the first one's due, which is over: so none is pushed earlier than it allows. Until
// that moment each is a task like any other; what goes along is fired like any other, too, in the
// same commit.

#include <algorithm>

#include "shard/shard.h"

namespace carillon {

bool Shard::is_near(EntryRef one, EntryRef other) const {
  const Millis apart = std::chrono::abs(arena_[one].due() - arena_[other].due());
  return apart <= std::min(merges_.of(one).within, merges_.of(other).within);
}

/// Into `mergeable_`, in due order: the others of its part, target and lane that wait and may still
/// be pushed. They follow their groups first, which may be the end of some.
void Shard::find_mergeable(EntryRef ref) {
  merges_.find(ref, mergeable_);
  std::erase_if(mergeable_, [&](EntryRef other) {
    if (!settle(other)) return true;
    const Entry& entry = arena_[other];
    return !waits(entry.current()) || busy(other) || entry.queue != arena_[ref].queue ||
           now_ > expires_at(other);
  });
  std::ranges::sort(mergeable_, {}, [this](EntryRef other) {
    return std::pair(arena_[other].due(), static_cast<TaskNumber>(arena_[other].number));
  });
}

/// With `first`, whose push was just begun. How many it looked at.
std::uint32_t Shard::fire_merged(EntryRef first) {
  const auto queue = static_cast<std::uint32_t>(arena_[first].queue);
  if (!targets_.may_join(queue)) return 0;
  find_mergeable(first);
  for (const EntryRef other : mergeable_) {
    if (!is_near(first, other)) continue;
    if (!targets_.may_join(queue)) break;
    detach(other);
    strays_.insert(other);
    begin_push(other);
  }
  return static_cast<std::uint32_t>(mergeable_.size());
}

/// When it is pushed with another one that is due before it, if all stays as it is.
std::optional<WallTime> Shard::merged_at(EntryRef ref) {
  if (!merges_.has(ref) || target_of(ref).settings.takes_one) return std::nullopt;
  find_mergeable(ref);
  const auto due = [this](EntryRef its) { return arena_[its].due(); };
  // Each that is first takes along those near it.
  std::vector<EntryRef> left = mergeable_;
  while (!left.empty() && due(left.front()) < due(ref)) {
    const EntryRef first = left.front();
    if (is_near(first, ref)) return due(first);
    std::erase_if(left, [&](EntryRef its) { return is_near(first, its); });
  }
  return std::nullopt;
}

}  // namespace carillon
