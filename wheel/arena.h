// The shard's memory: task entries in an arena, named by 32-bit references, threaded on lists.
//
// A hundred million tasks must fit beside each other, and each look at one of them is a look at
// memory that is in no cache. So an entry is 32 bytes, half a cache line; links are 32-bit indices
// instead of pointers, what only some tasks have is kept elsewhere (Groups, the shard's side
// table), a part of the fingerprint is told by where the task index keeps it (wheel/task_index.h),
// and every list (a wheel slot, a target's queue) runs through the same two link fields: an entry
// is on one list at a time, and a finished one, on none, has the time of its end there.
//
//     bits  | due 42              | queue 19  | place 3 |
//           | number 46               | attempt 10 | state 3 | busy, extra, group | id 2 |
//           | next 32             | prev 32             |   finished: when 42, how delivered 22
//           | id 64                                     |
//
//       list head                    entries
//     +------------+        +------+      +------+
//     | first last |------->| next |----->| next |---> list id | kHeadBit
//     +------------+<--+    | prev |<-----| prev |
//            ^         |    +--|---+      +------+
//            +---------|-------+             ^
//                      +---------------------+
//
// The ends point back to the list's id, marked by the top bit. So an entry is unlinked without
// knowing which list it is on, in constant time, and the head is told. Whether it is on one at all,
// its place says, never the links.
//
// Concurrency: none; one thread. Limitations: 2^31 entries; chunks are never given back (a shard
// that once held many tasks is likely to again); references of freed entries are used again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/slab.h"
#include "wheel/task.h"

namespace carillon {

using EntryRef = std::uint32_t;
inline constexpr EntryRef kNoEntry = 0x7fff'ffff;

/// Where an entry is: on which level of the wheel, on some other list, or on none.
enum class Place : std::uint8_t { level0, level1, level2, level3, level4, level5, queue, nowhere };

/// What the shard keeps in memory of a task.
struct alignas(32) Entry {
  std::uint64_t
      due_ms : 42;  // next push, Unix ms: good until 2109; once finished, the due asked for
  std::uint64_t queue : 19;   // index into the shard's queues: of its target, in its lane
  std::uint64_t place : 3;    // Place
  std::uint64_t number : 46;  // TaskNumber; 0: proposed, not yet durable
  std::uint64_t attempt : 10;
  std::uint64_t state : 3;      // State
  std::uint64_t busy : 1;       // a record about it is on its way to the log
  std::uint64_t has_extra : 1;  // the shard's side table has more about it
  std::uint64_t in_group : 1;   // Groups knows which
  std::uint64_t id_rest : 2;    // with `id` 66 bits of the fingerprint: TaskIndex knows which
  EntryRef next;                // on its list; finished: when, and how it was delivered
  EntryRef prev;
  std::uint64_t id;

  [[nodiscard]] WallTime due() const { return WallTime(Millis(static_cast<std::int64_t>(due_ms))); }
  [[nodiscard]] State current() const { return static_cast<State>(state); }
  [[nodiscard]] Place where() const { return static_cast<Place>(place); }
  /// Only of a finished one, which is on no list.
  [[nodiscard]] WallTime finished_at() const {
    return WallTime(Millis(static_cast<std::int64_t>(end() & kLastMoment)));
  }
  [[nodiscard]] DeliveringPush delivering_push() const {
    return DeliveringPush::of(end() >> kMomentBits).value_or(DeliveringPush());
  }
  void set_finished(WallTime at, DeliveringPush push) {
    const std::uint64_t end = std::uint64_t{push.code()} << kMomentBits | moment_of(at);
    next = static_cast<EntryRef>(end);
    prev = static_cast<EntryRef>(end >> 32);
  }
  void set_due(WallTime due) { due_ms = moment_of(due) & kLastMoment; }

 private:
  static constexpr int kMomentBits = 42;
  static_assert(kMomentBits + DeliveringPush::kBits == 64);
  static constexpr std::uint64_t kLastMoment = (std::uint64_t{1} << kMomentBits) - 1;
  [[nodiscard]] std::uint64_t end() const { return std::uint64_t{prev} << 32 | next; }
  [[nodiscard]] static std::uint64_t moment_of(WallTime time) {
    const std::int64_t ms = time.time_since_epoch().count();
    return static_cast<std::uint64_t>(
        std::clamp(ms, std::int64_t{0}, static_cast<std::int64_t>(kLastMoment)));
  }
};
static_assert(sizeof(Entry) == 32);

/// Queues, so many can an entry name: one for each target and each further lane of its tasks.
inline constexpr std::uint32_t kQueuesMax = 1U << 19;

class Arena {
 public:
  /// A cleared entry, on no list.
  [[nodiscard]] EntryRef allocate();
  /// Must be on no list.
  void free(EntryRef ref);

  [[nodiscard]] Entry& operator[](EntryRef ref) {
    return chunks_[ref >> kChunkBits][ref & kChunkMask];
  }
  [[nodiscard]] const Entry& operator[](EntryRef ref) const {
    return chunks_[ref >> kChunkBits][ref & kChunkMask];
  }

  /// References run from 0 to end(); which of them are in use, `in_use` tells.
  [[nodiscard]] EntryRef end() const { return end_; }
  [[nodiscard]] bool in_use(EntryRef ref) const { return (*this)[ref].state != kFreed; }
  [[nodiscard]] std::uint64_t used() const { return used_; }
  [[nodiscard]] std::uint64_t bytes() const { return chunks_.size() * sizeof(Entry) << kChunkBits; }

 private:
  static constexpr int kChunkBits = 14;
  static constexpr EntryRef kChunkMask = (1U << kChunkBits) - 1;
  static constexpr std::uint64_t kFreed = 7;  // as the state: is in no use
  static_assert(kStates <= kFreed);
  Slab memory_{sizeof(Entry) << kChunkBits};
  std::vector<Entry*> chunks_;
  EntryRef end_ = 0;
  EntryRef free_ = kNoEntry;
  std::uint64_t used_ = 0;
};

using ListId = std::uint32_t;

/// Doubly linked lists over an arena's entries.
class Lists {
 public:
  Lists(Arena& arena, std::size_t count) : arena_(arena), heads_(count) {}

  /// A further, empty list. Ids of dropped lists are used again.
  [[nodiscard]] ListId make();
  /// Gives back an empty list.
  void drop(ListId list);

  void push_back(ListId list, EntryRef ref, Place place);
  /// Takes `ref` off whatever list it is on, if any; true if that list is empty now (`list` tells
  /// which).
  bool unlink(EntryRef ref, ListId* list = nullptr);
  /// Moves all of `from` to the end of `to`, in constant time: the entries' places stay as they
  /// were.
  void splice(ListId to, ListId from);

  [[nodiscard]] bool empty(ListId list) const { return heads_[list].first == kNoEntry; }
  [[nodiscard]] EntryRef first(ListId list) const { return heads_[list].first; }
  /// The entry after `ref` on its list, or kNoEntry.
  [[nodiscard]] EntryRef after(EntryRef ref) const {
    const EntryRef next = arena_[ref].next;
    return (next & kHeadBit) != 0 ? kNoEntry : next;
  }
  /// The entry before `ref` on its list, or kNoEntry.
  [[nodiscard]] EntryRef before(EntryRef ref) const {
    const EntryRef prev = arena_[ref].prev;
    return (prev & kHeadBit) != 0 ? kNoEntry : prev;
  }

 private:
  static constexpr EntryRef kHeadBit = 0x8000'0000;
  struct Head {
    EntryRef first = kNoEntry;
    EntryRef last = kNoEntry;
  };
  Arena& arena_;
  std::vector<Head> heads_;
  std::vector<ListId> dropped_;
};

}  // namespace carillon
