#include "wheel/groups.h"

namespace carillon {

std::uint32_t Groups::find(const GroupKey& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? kNoGroup : found->second;
}

std::uint32_t Groups::find_or_make(const GroupKey& key) {
  if (key == GroupKey{}) return kNoGroup;
  const auto [at, fresh] = by_key_.try_emplace(key, 0);
  if (fresh) {
    if (free_.empty()) {
      at->second = static_cast<std::uint32_t>(groups_.size());
      groups_.emplace_back();
    } else {
      at->second = free_.back();
      free_.pop_back();
      groups_[at->second] = Group{};
    }
    groups_[at->second].key = key;
  }
  return at->second;
}

void Groups::join(EntryRef ref) {
  Entry& entry = arena_[ref];
  if (entry.group == kNoGroup) return;
  Group& group = groups_[entry.group];
  CARILLON_CHECK(entry.position == kNoPosition);
  entry.position = static_cast<std::uint32_t>(group.members.size());
  entry.group_epoch = group.epoch & 7;
  group.members.push_back(ref);
  ++members_;
}

void Groups::leave(EntryRef ref) {
  Entry& entry = arena_[ref];
  if (entry.position == kNoPosition) return;
  std::vector<EntryRef>& members = groups_[entry.group].members;
  const EntryRef last = members.back();
  members[entry.position] = last;
  arena_[last].position = entry.position;
  members.pop_back();
  --members_;
  entry.position = kNoPosition;
}

std::span<const GroupOperation> Groups::take_pending(Entry& entry) {
  if (entry.position == kNoPosition) return {};
  const Group& group = groups_[entry.group];
  const std::size_t pending = (group.epoch - entry.group_epoch) & 7U;
  entry.group_epoch = group.epoch & 7;
  return std::span(group.operations).last(pending);
}

void Groups::drop_if_unused(std::uint32_t index) {
  if (index == kNoGroup) return;
  Group& group = groups_[index];
  if (group.users > 0 || group.busy || group.sweeping) return;
  by_key_.erase(group.key);
  group = Group{};
  free_.push_back(index);
}

std::uint64_t Groups::bytes() const {
  constexpr std::uint64_t kMapNode = 48;
  return groups_.size() * sizeof(Group) + by_key_.size() * kMapNode + members_ * sizeof(EntryRef);
}

}  // namespace carillon
