// Merges: which tasks are pushed with one that is about to be.
//
// They are of one part (wheel/merges.h), target and lane, and each is due within both tasks'
// `within` of the first one's due, which is over: so none is pushed earlier than it allows. Until
// that moment each is a task like any other; what goes along is fired like any other, too, in the
// same commit.

#include <algorithm>

#include "shard/shard.h"

namespace carillon {

/// Whether `first` takes `other` along. The pause after a failure is kept: who pauses comes along
/// when that is over. One that was pushed before its due pauses until its due at least
/// (decide_outcome), and may be early again.
bool Shard::takes_along(EntryRef first, EntryRef other) const {
  const Entry& its = arena_[other];
  const WallTime at = arena_[first].due();
  const bool pauses = its.current() == State::retrying && its.due() != asked_due(other);
  if (pauses && its.due() > std::max(at, now_)) return false;
  return std::chrono::abs(its.due() - at) <=
         std::min(merges_.of(first).within, merges_.of(other).within);
}

/// Into `mergeable_`, in due order: the others of its part, target and lane that wait and may still
/// be pushed. They follow their groups first, which may be the end of some. How many it looked at.
std::size_t Shard::find_mergeable(EntryRef ref) {
  merges_.find(ref, mergeable_);
  const std::size_t looked_at = mergeable_.size();
  std::erase_if(mergeable_, [&](EntryRef other) {
    if (!settle(other)) return true;
    const Entry& entry = arena_[other];
    return !waits(entry.current()) || busy(other) || entry.queue != arena_[ref].queue ||
           now_ > expires_at(other);
  });
  std::ranges::sort(mergeable_, {}, [this](EntryRef other) {
    return std::pair(arena_[other].due(), static_cast<TaskNumber>(arena_[other].number));
  });
  return looked_at;
}

/// With `first`, whose push was just begun. How many it looked at.
std::uint32_t Shard::fire_merged(EntryRef first) {
  const auto queue = static_cast<std::uint32_t>(arena_[first].queue);
  if (!targets_.may_join(queue)) return 0;
  const std::size_t looked_at = find_mergeable(first);
  for (const EntryRef other : mergeable_) {
    if (!targets_.may_join(queue)) break;
    if (!takes_along(first, other) || !targets_.may_go_along(other)) continue;
    detach(other);
    strays_.insert(other);
    begin_push(other);
  }
  return static_cast<std::uint32_t>(looked_at);
}

/// When it is pushed with another one that is due before it, if all stays as it is.
std::optional<WallTime> Shard::merged_at(EntryRef ref) {
  if (!merges_.has(ref) || target_of(ref).settings.takes_one) return std::nullopt;
  static_cast<void>(find_mergeable(ref));
  const auto due = [this](EntryRef its) { return arena_[its].due(); };
  // Each that is first takes along those near it.
  std::vector<EntryRef> left = mergeable_;
  while (!left.empty() && due(left.front()) < due(ref)) {
    const EntryRef first = left.front();
    if (takes_along(first, ref)) return due(first);
    std::erase_if(left, [&](EntryRef its) { return its == first || takes_along(first, its); });
  }
  return std::nullopt;
}

}  // namespace carillon
