// One page of a listing: the tasks that match, in the order of the due that was asked for.
//
// No order of all tasks is kept for this: it would cost each of them memory and each add time. A
// page is put together from what is there:
//
//   by due    the wheel's slots, in their order, until the page is full; then the *strays*, tasks
//             that the wheel does not have at the due that was asked for (queued, firing, finished,
//             waiting for a retry)
//   by group  the group's members, and the strays
//   the rest  (a target, or where nearly all of them would be looked at anyway) all entries, in the
//             order in which they lie in memory
//
// Of what is met, the first ones are kept. So a page costs about what it returns by due, what the
// group has by group, and some nanoseconds a task else.
//
// Operation: call `step` until it answers true, with other work in between; each call does a
// bounded amount (some 100 us). Meanwhile tasks come, go and move. A task is missed only if it is
// put where the listing has been already, and for that case the shard notes each task that it
// places while a listing is under way: those are looked at again. Within a source the order of the
// visits is that in which tasks travel (slot, due list, queue, push), so none slips through. What
// was found is checked once more at the end.
//
// Each task has its place in the order: due, then a part of its fingerprint, then its number. It
// keeps that place however often it is retried or its content is replaced, so whoever goes from
// page to page meets each task that is there throughout, and is not moved, exactly once.
//
// Concurrency: the shard's thread. The shard must outlive every call, but not the object.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "shard/list_key.h"
#include "shard/shard.h"

namespace carillon {

struct ListFilter {
  std::optional<GroupKey> group{};
  std::optional<TargetKey> target{};
  std::optional<State> state{};
  std::optional<WallTime> due_from{};  // inclusive
  std::optional<WallTime> due_to{};    // exclusive
};

class Listing {
 public:
  /// The first `wanted` (at least 1) behind `after`. Where fewer than `scan_from` tasks are there,
  /// the wheel is followed however long that takes; 0: always all entries are looked at.
  Listing(Shard& shard, const ListFilter& filter, std::optional<ListKey> after, std::size_t wanted,
          std::uint64_t scan_from = std::uint64_t{1} << 16);

  /// Goes on for a bounded time; true: it is complete.
  [[nodiscard]] bool step();

  struct Found {
    ListKey key;
    Statement task;
  };
  struct Page {
    std::vector<Found> tasks;  // in order
    bool more = false;         // there may be others behind `upto`; else there are none
    ListKey upto;              // all up to there are in `tasks`
  };
  /// Right after `step` has answered true.
  [[nodiscard]] Page take();

 private:
  enum class Phase { slots, due_list, members, strays, all, done };
  /// Where a list is gone on with.
  struct Resume {
    EntryRef ref = kNoEntry;  // the next one; kNoEntry: from the start
    TaskNumber number = 0;
  };
  struct Candidate {
    ListKey key;
    EntryRef ref;
  };

  [[nodiscard]] bool there_are_none() const;
  void begin();
  void look_at_placed();
  void look_at_slots();
  void look_at_due_list();
  void look_at_members();
  void look_at_strays();
  void look_at_all();
  void look(EntryRef ref);
  /// Looks at what is on `list`; `is_on` tells whether an entry still is. True: at all of it.
  template <typename IsOn>
  [[nodiscard]] bool walk(ListId list, const IsOn& is_on);
  [[nodiscard]] bool wants(State state) const {
    return (states_ >> static_cast<int>(state) & 1U) != 0;
  }
  [[nodiscard]] WallTime asked_due(EntryRef ref) const;
  [[nodiscard]] bool is_dense(std::uint64_t visits) const;
  void scan_all() {
    phase_ = Phase::all;
    at_ = 0;
  }
  void keep_first();

  Shard& shard_;
  std::shared_ptr<ShardChanges> changes_;
  const std::optional<GroupKey> group_;
  const std::optional<TargetKey> target_;
  std::uint32_t states_ = 0;  // a bit for each
  std::int64_t due_first_ms_ = 0;
  std::int64_t due_last_ms_ = 0;  // becomes less as better ones are found
  const std::optional<ListKey> after_;
  const std::size_t wanted_;
  const std::uint64_t scan_from_;

  Phase phase_ = Phase::done;
  std::uint32_t budget_ = 0;
  std::uint64_t visits_ = 0;
  std::optional<Wheel::Slot> slot_;  // the last one looked at, or being looked at
  bool in_slot_ = false;
  Resume resume_;
  EntryRef at_ = 0;  // where the look at strays or all of them is; of members, how many are left
  std::uint32_t group_index_ = kNoGroup;
  std::uint32_t target_index_ = 0;
  std::vector<Candidate> found_;
  std::optional<ListKey> cut_;  // those behind it were left out
};

}  // namespace carillon
