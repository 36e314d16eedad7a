#include "wheel/groups.h"

#include <algorithm>

namespace carillon {

std::uint32_t Groups::find(const GroupKey& key) const {
  if (key == GroupKey{}) return kNoGroup;
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

void Groups::assign(EntryRef ref, std::uint32_t group) {
  const std::size_t stretch = ref >> kStretchBits;
  if (stretch >= stretches_.size()) stretches_.resize(stretch + 1);
  if (stretches_[stretch] == nullptr) {
    stretches_[stretch] = static_cast<Membership*>(memory_.take());
  }
  arena_[ref].in_group = 1;
  membership(ref) = {.group = group, .position = kNoPosition, .epoch = 0};
}

void Groups::join(EntryRef ref) {
  if (arena_[ref].in_group == 0) return;
  Membership& its = membership(ref);
  Group& group = groups_[its.group];
  CARILLON_CHECK(its.position == kNoPosition && group.members.size() < kNoPosition);
  its.position = group.members.size() & kNoPosition;
  its.epoch = group.epoch & 7;
  group.members.push_back(ref);
  ++members_;
}

void Groups::leave(EntryRef ref) {
  if (!is_member(ref)) return;
  Membership& its = membership(ref);
  std::vector<EntryRef>& members = groups_[its.group].members;
  groups_[its.group].latest_due_is_exact = false;
  const EntryRef last = members.back();
  members[its.position] = last;
  membership(last).position = its.position;
  members.pop_back();
  --members_;
  its.position = kNoPosition;
}

bool Groups::is_member(EntryRef ref) const {
  return arena_[ref].in_group != 0 && membership(ref).position != kNoPosition;
}

void Groups::check_member(EntryRef ref) const {
  const Membership& its = membership(ref);
  CARILLON_CHECK(groups_[its.group].members[its.position] == ref);
}

std::span<const GroupOperation> Groups::take_pending(EntryRef ref) {
  if (!is_member(ref)) return {};
  Membership& its = membership(ref);
  const Group& group = groups_[its.group];
  const std::size_t pending = (group.epoch - its.epoch) & 7U;
  its.epoch = group.epoch & 7;
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
  const auto made =
      stretches_.size() - static_cast<std::size_t>(std::ranges::count(stretches_, nullptr));
  return groups_.size() * sizeof(Group) + by_key_.size() * kMapNode + members_ * sizeof(EntryRef) +
         made * (sizeof(Membership) << kStretchBits);
}

}  // namespace carillon
