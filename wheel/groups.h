// Groups: cancel or shift 200,000 tasks by writing down one operation.
//
// A group operation is one record, answered as soon as that is durable. Its members are not touched
// then: the operation is kept with the group, every member carries how many of the group's
// operations it has followed (`Membership::epoch`, modulo 8), and whoever meets a member first
// makes it follow the rest (Shard::settle). A sweep meets all of them within the next milliseconds,
// a bounded number at a time. The counts that a client is told change at once.
//
// Members are the tasks that are not finished; a vector, each entry knowing its position, so that
// joining and leaving cost a swap and a sweep from the back misses nobody: what a swap moves below
// the sweep's position comes from above it, where it was met already or joined later. A cancel
// means no more also to those that are firing: their attempt becomes their last.
//
// A shift must not move a task past the horizon. `latest_due` is a bound on the dues of the members
// that costs nothing to keep; only where the bound is too late are the members looked at.
//
// Most tasks are in no group, so an entry has one bit for it. What there is to know of those that
// are lies beside the arena: 8 bytes for each reference of a stretch of 16,384 in which there ever
// was one.
//
// Concurrency: none.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

#include "wheel/arena.h"

namespace carillon {

inline constexpr std::uint32_t kNoGroup = 0xffff'ffff;

struct GroupOperation {
  bool cancel = false;
  Millis by{};    // of a shift
  WallTime at{};  // when it was committed
};

struct Group {
  GroupKey key;
  std::vector<EntryRef> members;
  std::vector<GroupOperation>
      operations;  // that some member may have to follow yet; at most kOperationsMax
  std::array<std::uint32_t, kStates> counts{};
  WallTime latest_due{};  // no scheduled member, nor one about to be, is due later
  bool latest_due_is_exact = true;
  std::uint32_t users = 0;    // entries that name it, whatever their state
  std::uint32_t unswept = 0;  // members at positions below this are still to be met by the sweep
  std::uint8_t epoch = 0;     // operations so far, modulo 8
  bool busy = false;          // an operation on it is on its way to the log
  bool sweeping = false;
};

class Groups {
 public:
  static constexpr std::size_t kOperationsMax = 7;

  explicit Groups(Arena& arena) : arena_(arena) {}

  /// kNoGroup: there is none.
  [[nodiscard]] std::uint32_t find(const GroupKey& key) const;
  /// Makes it where there is none; kNoGroup for the key of no group.
  [[nodiscard]] std::uint32_t find_or_make(const GroupKey& key);
  [[nodiscard]] Group& operator[](std::uint32_t index) { return groups_[index]; }
  [[nodiscard]] const Group& operator[](std::uint32_t index) const { return groups_[index]; }

  /// The group that the entry names, whether it waits or not; kNoGroup: none.
  [[nodiscard]] std::uint32_t of(EntryRef ref) const {
    return arena_[ref].in_group == 0 ? kNoGroup : membership(ref).group;
  }
  /// The entry, which names none yet, names `group` from now on.
  void assign(EntryRef ref, std::uint32_t group);
  /// A task of `group`, if that is one, will be due then.
  void note_due(std::uint32_t group, WallTime due) {
    if (group != kNoGroup) groups_[group].latest_due = std::max(groups_[group].latest_due, due);
  }
  /// A member's due has changed, perhaps to an earlier one.
  void note_moved(EntryRef ref) {
    if (arena_[ref].in_group != 0) groups_[membership(ref).group].latest_due_is_exact = false;
  }
  /// Makes an unfinished entry, if it names a group, a member that has followed everything so far.
  void join(EntryRef ref);
  /// No-op where it is no member.
  void leave(EntryRef ref);
  /// What a member has yet to follow, oldest first; it counts as followed from now on.
  [[nodiscard]] std::span<const GroupOperation> take_pending(EntryRef ref);
  [[nodiscard]] bool is_member(EntryRef ref) const;
  /// Ends the process if the group does not know its member. For tests.
  void check_member(EntryRef ref) const;
  /// Frees the group if nothing names it and no operation is under way.
  void drop_if_unused(std::uint32_t index);

  [[nodiscard]] std::uint64_t size() const { return by_key_.size(); }
  /// About what they occupy.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct KeyHash {
    std::size_t operator()(const GroupKey& key) const { return key.low; }
  };
  struct Membership {
    std::uint32_t group;          // index
    std::uint32_t position : 29;  // among its members, or kNoPosition
    std::uint32_t epoch : 3;      // how far it has followed the group's operations
  };
  static constexpr std::uint32_t kNoPosition = (1U << 29) - 1;
  static constexpr int kStretchBits = 14;
  static constexpr EntryRef kStretchMask = (1U << kStretchBits) - 1;
  [[nodiscard]] Membership& membership(EntryRef ref) const {
    return stretches_[ref >> kStretchBits][ref & kStretchMask];
  }

  Arena& arena_;
  Slab memory_{sizeof(Membership) << kStretchBits};
  std::vector<Membership*> stretches_;  // null: no entry of it ever named a group
  std::deque<Group> groups_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<GroupKey, std::uint32_t, KeyHash> by_key_;
  std::uint64_t members_ = 0;
};

}  // namespace carillon
