// One entry's life: made, stated, placed on the wheel, finished, retained, forgotten.

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
  const std::uint32_t target = find_or_make_target(task.target, task.target_is_url);
  entry.target = target & (kTargetsMax - 1);
  ++targets_[target].users;
  if (task.group != GroupKey{}) {
    const std::uint32_t group = groups_.find_or_make(task.group);
    ++groups_[group].users;
    groups_.assign(ref, group);
  }
  if (!finished(task.state)) {
    ++unfinished_;
    ++targets_[target].unfinished;
  }
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
    entry.set_finished_at(task.finished_at);
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
                    .retries_cancelled = task.retries_cancelled});
  }
  groups_.join(ref);
  if (!waits(task.state)) return;
  groups_.note_due(groups_.of(ref), task.due);
  place(ref);
}

Statement Shard::statement_of(EntryRef ref, const Fingerprint& id) const {
  const Entry& entry = arena_[ref];
  const Target& target = targets_[entry.target];
  Statement task;
  task.task = id;
  task.number = entry.number;
  task.due = entry.due();
  task.target = target.key;
  task.target_is_url = target.is_url;
  if (entry.in_group != 0) task.group = groups_[groups_.of(ref)].key;
  const Extra extra = extra_of(ref);
  task.asked_due = extra.asked_due;
  task.redriven_at = extra.redriven_at;
  task.retries_cancelled = extra.retries_cancelled;
  if (extra.expire_after >= Millis(0)) task.expire_after = extra.expire_after;
  task.attempt = entry.attempt;
  task.state = entry.current();
  if (finished(task.state)) task.finished_at = entry.finished_at();
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
  const Entry& entry = arena_[ref];
  if (entry.where() == Place::queue) {
    --targets_[entry.target].queued;
    --backlog_;
  }
  wheel_.remove(ref);
}

void Shard::finish(EntryRef ref, State state, WallTime at, bool counted) {
  detach(ref);
  groups_.leave(ref);
  Entry& entry = arena_[ref];
  --unfinished_;
  --targets_[entry.target].unfinished;
  entry.set_due(asked_due(ref));
  drop_extra(ref);
  if (!counted) count(ref, entry.current(), state);
  entry.state = static_cast<std::uint8_t>(state) & 7;
  entry.set_finished_at(at);
  entry.busy = 0;
  strays_.insert(ref);
  retain(ref);
}

/// So many finished tasks may be kept at present: what pending ones need is theirs.
std::uint64_t Shard::retained_max() const {
  if (retain_none_) return 0;
  return std::min(options_.retained_max,
                  options_.tasks_max - std::min(options_.tasks_max, pending()));
}

/// Each task that comes pays for two that go, so whatever the rate, no more are kept than may be.
void Shard::make_room() {
  for (int i = 0; i < 2 && retained_.there() > retained_max(); ++i) {
    static_cast<void>(forget_oldest(WallTime::max(), /*forget_rows=*/true));
  }
}

void Shard::retain(EntryRef ref) {
  if (!forgettable(arena_[ref].current())) return;
  if (started_ && options_.retain_finished == Millis(0)) {
    forget(ref);
    retained_.note_had_none();
    return;
  }
  retained_.push_back(ref, arena_[ref].number);
  retained_.tidy([this](const Retained::Record& its) { return is_retained(its); });
}

/// Whether the task that finished there is still there.
bool Shard::is_retained(const Retained::Record& its) const {
  if (!arena_.in_use(its.where())) return false;
  const Entry& entry = arena_[its.where()];
  return forgettable(entry.current()) && its.is(entry.number);
}

/// Forgets the task that finished first, if that was before then; false: it was not.
bool Shard::forget_oldest(WallTime finished_before, bool forget_rows) {
  if (retained_.empty()) return false;
  const Retained::Record oldest = retained_.front();
  const bool there = is_retained(oldest);
  if (there && arena_[oldest.where()].finished_at() > finished_before) return false;
  if (there) forget(oldest.where(), forget_rows);
  retained_.pop_front();
  return true;
}

/// During a replay: forgets the tasks that finished first until no more are kept than may be. Rows
/// of most were deleted in the process that first forgot them, but nobody knows what its bound was.
void Shard::bound_replayed() {
  if (retained_.there() <= retained_max()) return;
  order_retained();
  while (retained_.there() > retained_max()) {
    const Retained::Record oldest = retained_.front();
    if (is_retained(oldest)) leftover_rows_.push_back(arena_[oldest.where()].number);
    static_cast<void>(forget_oldest(WallTime::max(), /*forget_rows=*/false));
  }
}

/// Restated ones were appended out of order, and some more than once.
void Shard::order_retained() {
  std::vector<std::pair<WallTime, EntryRef>> finished_ones;
  finished_ones.reserve(retained_.size());
  retained_.for_each([&](const Retained::Record& its) {
    if (!is_retained(its)) return;
    finished_ones.emplace_back(arena_[its.where()].finished_at(), its.where());
  });
  std::ranges::sort(finished_ones);
  const auto twice = std::ranges::unique(finished_ones);
  finished_ones.erase(twice.begin(), twice.end());
  retained_ = Retained();
  for (const auto& [at, ref] : finished_ones) retained_.push_back(ref, arena_[ref].number);
}

void Shard::forget(EntryRef ref, bool forget_rows) {
  Entry& entry = arena_[ref];
  detach(ref);
  groups_.leave(ref);
  drop_extra(ref);
  Target& target = targets_[entry.target];
  if (!finished(entry.current())) {
    --unfinished_;
    --target.unfinished;
  }
  if (forgettable(entry.current())) retained_.note_gone();
  if (entry.number != 0) {
    uncount(ref);
    if (forget_rows) open_.forgotten.push_back(entry.number);
  }
  index_.erase(ref);
  strays_.erase(ref);
  if (const std::uint32_t group = groups_.of(ref); group != kNoGroup) {
    --groups_[group].users;
    groups_.drop_if_unused(group);
  }
  --target.users;
  drop_target_if_unused(entry.target);
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

std::uint32_t Shard::find_target(const TargetKey& key) const {
  const auto found = target_by_key_.find(key);
  return found == target_by_key_.end() ? kTargetsMax : found->second;
}

std::uint32_t Shard::find_or_make_target(const TargetKey& key, bool is_url) {
  // Tasks of one target come together.
  if (last_target_ == kTargetsMax || targets_[last_target_].key != key) {
    last_target_ = look_up_target(key, is_url);
  }
  return last_target_;
}

std::uint32_t Shard::look_up_target(const TargetKey& key, bool is_url) {
  const auto [at, fresh] = target_by_key_.try_emplace(key, 0);
  if (!fresh) return at->second;
  std::uint32_t index = static_cast<std::uint32_t>(targets_.size());
  if (free_targets_.empty()) {
    CARILLON_CHECK(index < kTargetsMax);
    targets_.emplace_back();
  } else {
    index = free_targets_.back();
    free_targets_.pop_back();
  }
  at->second = index;
  Target& target = targets_[index];
  target = Target{};
  target.key = key;
  target.is_url = is_url;
  target.deleted = !is_url;  // until a TargetPut says otherwise
  target.settings.key = key;
  target.settings.concurrency = options_.url_concurrency;
  target.punctual = lists_.make();
  target.overdue = lists_.make();
  return index;
}

void Shard::drop_target_if_unused(std::uint32_t index) {
  Target& target = targets_[index];
  if (target.users > 0 || (!target.is_url && !target.deleted)) return;
  // While the log is read, a target that is held may be stated further on; `start` sees to the
  // rest.
  if (!started_ && target.hold.active()) return;
  target_by_key_.erase(target.key);
  lists_.drop(target.punctual);
  lists_.drop(target.overdue);
  target = Target{};
  if (last_target_ == index) last_target_ = kTargetsMax;
  free_targets_.push_back(index);
}

}  // namespace carillon
