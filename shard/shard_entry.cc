// One entry's life: made, stated, placed on the wheel, finished, forgotten.

#include <algorithm>

#include "shard/shard.h"

namespace carillon {

EntryRef Shard::find_entry(const Fingerprint& task) {
  EntryRef dead = kNoEntry;
  bool freed = false;
  const EntryRef found = index_.find_if(task, [&](EntryRef ref) {
    // Following a group's cancel may have freed the entry: look again from the start.
    freed = !settle(ref);
    if (freed) return true;
    const Entry& entry = arena_[ref];
    if (entry.current() != State::dead || entry.number == 0) return true;
    if (dead == kNoEntry || arena_[dead].number < entry.number) dead = ref;
    return false;
  });
  if (freed) return find_entry(task);
  return found != kNoEntry ? found : dead;
}

EntryRef Shard::find_number(const Fingerprint& task, TaskNumber number) {
  const EntryRef ref =
      index_.find_if(task, [&](EntryRef its) { return arena_[its].number == number; });
  if (ref == kNoEntry || settle(ref)) return ref;
  return find_number(task, number);
}

EntryRef Shard::make_entry(const Statement& task) {
  const EntryRef ref = arena_.allocate();
  Entry& entry = arena_[ref];
  entry.state = static_cast<std::uint8_t>(task.state) & 7;
  const bool unfinished = !finished(task.state);
  entry.queue =
      targets_.add_user(task.target, task.target_is_url, task.lane, unfinished) & (kQueuesMax - 1);
  if (task.group != GroupKey{}) {
    const std::uint32_t group = groups_.find_or_make(task.group);
    ++groups_[group].users;
    groups_.assign(ref, group);
  }
  if (unfinished) ++unfinished_;
  index_.insert(ref, task.task);
  return ref;
}

void Shard::state_entry(EntryRef ref, const Statement& task, TaskNumber number) {
  Entry& entry = arena_[ref];
  entry.number = number & ((std::uint64_t{1} << 46) - 1);
  entry.busy = 0;
  entry.attempt = std::min<std::uint32_t>(task.attempt, 1023) & 1023;
  entry.set_due(task.due);
  ++counts_[entry.state];
  if (entry.in_group != 0) ++groups_[groups_.of(ref)].counts[entry.state];
  if (finished(task.state)) {
    entry.set_finished(task.finished_at, task.push);
    retain(ref);
    return;
  }
  // Nearly every task is a plain one.
  const bool plain = task.asked_due == task.due && task.redriven_at == WallTime{} &&
                     !task.expire_after && !task.retries_cancelled;
  if (!plain) {
    set_extra(ref, {.asked_due = task.asked_due,
                    .redriven_at = task.redriven_at,
                    .expire_after = task.expire_after.value_or(Extra().expire_after),
                    .dies_late = task.dies_late,
                    .retries_cancelled = task.retries_cancelled});
  }
  groups_.join(ref);
  if (task.merge.given()) merges_.join(ref, task.merge);
  if (!waits(task.state)) return;
  groups_.note_due(groups_.of(ref), task.due);
  place(ref);
}

Statement Shard::statement_of(EntryRef ref, const Fingerprint& id) const {
  const Entry& entry = arena_[ref];
  const TargetState& target = target_of(ref);
  Statement task;
  task.task = id;
  task.number = entry.number;
  task.due = entry.due();
  task.target = target.settings.key;
  task.target_is_url = target.is_url;
  if (entry.in_group != 0) task.group = groups_[groups_.of(ref)].key;
  const Extra extra = extra_of(ref);
  task.asked_due = extra.asked_due;
  task.redriven_at = extra.redriven_at;
  task.retries_cancelled = extra.retries_cancelled;
  if (extra.expire_after >= Millis(0)) task.expire_after = extra.expire_after;
  task.dies_late = extra.dies_late;
  task.attempt = entry.attempt;
  task.state = entry.current();
  if (finished(task.state)) {
    task.finished_at = entry.finished_at();
    task.push = entry.delivering_push();
  } else {
    task.lane = targets_.lane_of(entry.queue);
    task.merge = merges_.of(ref);
  }
  return task;
}

WallTime Shard::asked_due(EntryRef ref) const {
  const Entry& entry = arena_[ref];
  return entry.has_extra != 0 ? extras_.at(ref).asked_due : entry.due();
}

Shard::Extra Shard::extra_of(EntryRef ref) const {
  const Entry& entry = arena_[ref];
  return entry.has_extra != 0 ? extras_.at(ref) : Extra{.asked_due = entry.due()};
}

void Shard::set_extra(EntryRef ref, const Extra& extra) {
  Entry& entry = arena_[ref];
  if (extra == Extra{.asked_due = entry.due()}) {
    drop_extra(ref);
    return;
  }
  entry.has_extra = 1;
  extras_.insert_or_assign(ref, extra);
}

void Shard::drop_extra(EntryRef ref) {
  Entry& entry = arena_[ref];
  if (entry.has_extra == 0) return;
  entry.has_extra = 0;
  extras_.erase(ref);
}

/// Makes the entry follow what its group did meanwhile. False: it was freed by that.
bool Shard::settle(EntryRef ref) {
  const std::span<const GroupOperation> pending = groups_.take_pending(ref);
  if (pending.empty()) return true;
  for (const GroupOperation& operation : pending) {
    Entry& entry = arena_[ref];
    Extra extra = extra_of(ref);
    if (operation.cancel && entry.current() == State::firing) {
      extra.retries_cancelled = true;
      set_extra(ref, extra);
    } else if (operation.cancel) {
      finish(ref, State::cancelled, operation.at, /*counted=*/true);
      return arena_.in_use(ref);
    } else if (entry.current() == State::scheduled) {
      const WallTime old = entry.due();
      detach(ref);
      entry.set_due(std::max(old + operation.by, std::min(old, operation.at)));
      // The due that was asked for of one that was redriven lies before the one that it has.
      extra.asked_due = extra.asked_due == old ? entry.due() : extra.asked_due + operation.by;
      set_extra(ref, extra);
    }
  }
  if (waits(arena_[ref].current())) place(ref);
  return true;
}

/// Puts a waiting entry where its due says. Before the start there is no wheel yet: `start` does
/// it.
void Shard::place(EntryRef ref) {
  if (!started_) {
    earliest_replayed_ = std::min(earliest_replayed_, arena_[ref].due());
    return;
  }
  detach(ref);
  if (wheel_.insert(ref)) effects_.imminent.push_back(arena_[ref].number);
  if (is_stray(ref)) {
    strays_.insert(ref);
  } else {
    strays_.erase(ref);
  }
  if (!watchers_.empty()) note_placed(ref);
}

bool Shard::is_stray(EntryRef ref) const {
  const Entry& entry = arena_[ref];
  return !waits(entry.current()) || entry.where() == Place::queue ||
         (entry.has_extra != 0 && asked_due(ref) != entry.due());
}

void Shard::note_placed(EntryRef ref) {
  std::erase_if(watchers_, [ref](const std::weak_ptr<ShardChanges>& watcher) {
    const auto changes = watcher.lock();
    if (changes) changes->placed.push_back(ref);
    return !changes;
  });
}

void Shard::note_moved_many() {
  for (const std::weak_ptr<ShardChanges>& watcher : watchers_) {
    if (const auto changes = watcher.lock()) changes->moved_many = true;
  }
}

void Shard::detach(EntryRef ref) {
  if (arena_[ref].where() == Place::queue) {
    targets_.remove(ref);
  } else {
    wheel_.remove(ref);
  }
}

void Shard::finish(EntryRef ref, State state, WallTime at, bool counted, DeliveringPush push) {
  detach(ref);
  groups_.leave(ref);
  merges_.leave(ref);
  Entry& entry = arena_[ref];
  --unfinished_;
  targets_.finish_user(entry.queue);
  entry.set_due(asked_due(ref));
  drop_extra(ref);
  if (!counted) count(ref, entry.current(), state);
  entry.state = static_cast<std::uint8_t>(state) & 7;
  entry.set_finished(at, push);
  entry.busy = 0;
  strays_.insert(ref);
  retain(ref);
}

void Shard::forget(EntryRef ref, bool forget_rows) {
  Entry& entry = arena_[ref];
  detach(ref);
  groups_.leave(ref);
  merges_.leave(ref);
  drop_extra(ref);
  const bool unfinished = !finished(entry.current());
  if (unfinished) --unfinished_;
  if (forgettable(entry.current())) retained_.note_gone();
  if (entry.number != 0) {
    uncount(ref);
    if (forget_rows) open_.forget(entry.number);
  }
  index_.erase(ref);
  strays_.erase(ref);
  if (const std::uint32_t group = groups_.of(ref); group != kNoGroup) {
    --groups_[group].users;
    groups_.drop_if_unused(group);
  }
  targets_.remove_user(entry.queue, unfinished);
  arena_.free(ref);
}

void Shard::count(EntryRef ref, State from, State to) {
  const auto left = static_cast<std::size_t>(from);
  const auto entered = static_cast<std::size_t>(to);
  --counts_[left];
  ++counts_[entered];
  const std::uint32_t group = groups_.of(ref);
  if (group == kNoGroup) return;
  --groups_[group].counts[left];
  ++groups_[group].counts[entered];
}

void Shard::uncount(EntryRef ref) {
  const Entry& entry = arena_[ref];
  --counts_[entry.state];
  if (entry.in_group != 0) --groups_[groups_.of(ref)].counts[entry.state];
}

}  // namespace carillon
