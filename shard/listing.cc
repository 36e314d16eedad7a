#include "shard/listing.h"

#include <algorithm>

namespace carillon {
namespace {

// Bounds on one step, some 100 us each: what lies in order is cheap to look at, a list is not.
constexpr std::uint32_t kScattered = 1024;
constexpr std::uint32_t kPrefetched = 4096;
constexpr std::uint32_t kInOrder = 16'384;
constexpr std::size_t kPrefetchAhead = 32;
/// Where more than one in so many tasks would be visited one by one, all are looked at in the order
/// of memory, which costs that much less each.
constexpr std::uint64_t kDense = 32;
/// Found beyond what is wanted, for those that are gone at the end.
constexpr std::size_t kSpare = 32;

}  // namespace

Listing::Listing(Shard& shard, const ListFilter& filter, std::optional<ListKey> after,
                 std::size_t wanted, std::uint64_t scan_from)
    : shard_(shard),
      changes_(std::make_shared<ShardChanges>()),
      group_(filter.group),
      target_(filter.target),
      states_(filter.state ? 1U << static_cast<int>(*filter.state) : (1U << kStates) - 1),
      due_last_ms_(INT64_MAX),
      after_(after),
      wanted_(wanted),
      scan_from_(scan_from) {
  CARILLON_CHECK(wanted > 0);
  if (filter.due_from) due_first_ms_ = filter.due_from->time_since_epoch().count();
  if (filter.due_to) due_last_ms_ = filter.due_to->time_since_epoch().count() - 1;
  if (after) due_first_ms_ = std::max(due_first_ms_, after->due_ms);
  shard_.watchers_.push_back(changes_);
  begin();
}

/// Whether the counts say so.
bool Listing::there_are_none() const {
  if (due_first_ms_ > due_last_ms_) return true;
  const auto any = [this](const auto& counts) {
    for (int state = 0; state < kStates; ++state) {
      if (wants(static_cast<State>(state)) && counts[static_cast<std::size_t>(state)] > 0) {
        return true;
      }
    }
    return false;
  };
  if (!any(shard_.counts_)) return true;
  if (group_ && (group_index_ == kNoGroup || !any(shard_.groups_[group_index_].counts))) {
    return true;
  }
  if (!target_) return false;
  if (target_index_ == kTargetsMax) return true;
  const TargetState& its = shard_.targets_[target_index_];
  const bool wants_finished = states_ >> static_cast<int>(State::delivered) != 0;
  return its.users == 0 || (!wants_finished && its.unfinished == 0);
}

/// Chooses where to look, from the start.
void Listing::begin() {
  if (group_) group_index_ = shard_.groups_.find(*group_);
  if (target_) target_index_ = shard_.targets_.find(*target_);
  slot_.reset();
  in_slot_ = false;
  resume_ = {};
  at_ = 0;
  const bool wants_waiting = wants(State::scheduled) || wants(State::retrying);
  if (there_are_none()) {
    phase_ = Phase::done;
  } else if (group_) {
    phase_ = Phase::members;
    at_ = static_cast<EntryRef>(shard_.groups_[group_index_].members.size());
  } else if (!shard_.sweeps_.empty() || is_dense(shard_.strays_.size())) {
    // What a group's operation has still to reach is where it was before.
    scan_all();
  } else if (!wants_waiting) {
    phase_ = Phase::strays;
  } else if (target_) {
    scan_all();
  } else {
    phase_ = Phase::slots;
  }
}

bool Listing::is_dense(std::uint64_t visits) const {
  const std::uint64_t there = shard_.arena_.used();
  return there >= scan_from_ && visits > there / kDense;
}

bool Listing::step() {
  budget_ = kInOrder;
  look_at_placed();
  switch (phase_) {
    case Phase::slots:
      look_at_slots();
      break;
    case Phase::due_list:
      look_at_due_list();
      break;
    case Phase::members:
      look_at_members();
      break;
    case Phase::strays:
      look_at_strays();
      break;
    case Phase::all:
      look_at_all();
      break;
    case Phase::done:
      break;
  }
  if (phase_ != Phase::done) return false;
  look_at_placed();
  return phase_ == Phase::done;
}

/// What was put somewhere since the last step.
void Listing::look_at_placed() {
  if (std::exchange(changes_->moved_many, false)) begin();
  while (!changes_->placed.empty()) {
    for (const EntryRef ref : std::exchange(changes_->placed, {})) {
      if (ref == resume_.ref) resume_.ref = kNoEntry;
      look(ref);
    }
  }
}

template <typename IsOn>
bool Listing::walk(ListId list, const IsOn& is_on) {
  const Arena& arena = shard_.arena_;
  EntryRef ref = resume_.ref;
  // Gone from there meanwhile: from the start, where most of what was met is no more.
  const bool valid = ref != kNoEntry && arena.in_use(ref) && arena[ref].number == resume_.number &&
                     is_on(arena[ref]);
  if (!valid) ref = shard_.lists_.first(list);
  for (; ref != kNoEntry && budget_ > 0; --budget_) {
    const EntryRef next = shard_.lists_.after(ref);
    look(ref);
    ++visits_;
    ref = next;
  }
  resume_ = {ref, ref == kNoEntry ? 0 : TaskNumber{arena[ref].number}};
  return ref == kNoEntry;
}

void Listing::look_at_slots() {
  const Wheel& wheel = shard_.wheel_;
  budget_ = kScattered;
  while (budget_ > 0) {
    if (!in_slot_) {
      slot_ = wheel.occupied_after(slot_, due_first_ms_);
      if (!slot_ || static_cast<std::int64_t>(slot_->start()) > due_last_ms_) {
        phase_ = Phase::due_list;
        return;
      }
      if (is_dense(std::max(visits_, wheel.tasks_per_slot(slot_->level)))) return scan_all();
      in_slot_ = true;
    }
    const auto is_on = [&](const Entry& entry) {
      return entry.where() == static_cast<Place>(slot_->level) && !wheel.is_due(entry) &&
             entry.due_ms >> (8 * slot_->level) == slot_->index;
    };
    in_slot_ = !walk(slot_->list(), is_on);
    if (budget_ > 0) --budget_;
  }
}

void Listing::look_at_due_list() {
  budget_ = kScattered;
  const auto is_on = [this](const Entry& entry) {
    return entry.where() == Place::level0 && shard_.wheel_.is_due(entry);
  };
  if (!walk(Wheel::kDueList, is_on)) return;
  phase_ = Phase::strays;
  at_ = 0;
}

/// From the back: who leaves is replaced by one that was met already.
void Listing::look_at_members() {
  budget_ = kPrefetched;
  const std::uint32_t index = shard_.groups_.find(*group_);
  if (index != group_index_) {
    // It ended meanwhile. What there is now came since, and was noted.
    group_index_ = index;
    at_ = 0;
  }
  while (budget_ > 0 && at_ > 0 && index != kNoGroup) {
    // Whoever follows the group's operations may leave it.
    const std::vector<EntryRef>& members = shard_.groups_[index].members;
    at_ = std::min(at_, static_cast<EntryRef>(members.size()));
    EntryRef chunk[kPrefetchAhead];
    std::size_t count = 0;
    for (; count < kPrefetchAhead && at_ > 0; ++count) {
      chunk[count] = members[--at_];
      __builtin_prefetch(&shard_.arena_[chunk[count]]);
    }
    for (std::size_t i = 0; i < count; ++i) look(chunk[i]);
    budget_ -= std::min(budget_, static_cast<std::uint32_t>(count));
    if (shard_.groups_.find(*group_) != index) break;
  }
  if (at_ > 0 && index != kNoGroup) return;
  // Members are those that are not finished.
  const bool others = index != kNoGroup && [&] {
    const auto& counts = shard_.groups_[index].counts;
    for (int state = 0; state < kStates; ++state) {
      const auto one = static_cast<State>(state);
      if (finished(one) && wants(one) && counts[static_cast<std::size_t>(state)] > 0) return true;
    }
    return false;
  }();
  phase_ = others ? Phase::strays : Phase::done;
  at_ = 0;
}

void Listing::look_at_strays() {
  budget_ = kPrefetched;
  while (budget_ > 0 && at_ != kNoEntry) {
    EntryRef chunk[kPrefetchAhead];
    std::size_t count = 0;
    for (; count < kPrefetchAhead; ++count) {
      at_ = shard_.strays_.next(at_);
      if (at_ == kNoEntry) break;
      chunk[count] = at_++;
      __builtin_prefetch(&shard_.arena_[chunk[count]]);
    }
    for (std::size_t i = 0; i < count; ++i) look(chunk[i]);
    budget_ -= std::min(budget_, static_cast<std::uint32_t>(count));
  }
  if (at_ == kNoEntry) phase_ = Phase::done;
}

void Listing::look_at_all() {
  budget_ = kInOrder;
  const Arena& arena = shard_.arena_;
  const EntryRef end = std::min(arena.end(), at_ + budget_);
  // Until all have followed their groups, what an entry says may be out of date.
  const bool swept = shard_.sweeps_.empty();
  for (; at_ < end; ++at_) {
    const Entry& entry = arena[at_];
    if (swept || entry.in_group == 0) {
      if ((states_ >> entry.state & 1U) == 0) continue;
      if (target_ && shard_.targets_.target_of(entry.queue) != target_index_) continue;
      const auto due_ms = static_cast<std::int64_t>(entry.due_ms);
      if (entry.has_extra == 0 && (due_ms < due_first_ms_ || due_ms > due_last_ms_)) continue;
    }
    look(at_);
  }
  if (at_ == arena.end()) phase_ = Phase::done;
}

/// As Shard::asked_due, without a look at the side table where it would say the same.
WallTime Listing::asked_due(EntryRef ref) const {
  const Entry& entry = shard_.arena_[ref];
  if (entry.has_extra == 0 || !shard_.strays_.contains(ref)) return entry.due();
  return shard_.asked_due(ref);
}

void Listing::look(EntryRef ref) {
  Arena& arena = shard_.arena_;
  if (!arena.in_use(ref)) return;
  if (arena[ref].in_group != 0 && !shard_.settle(ref)) return;
  const Entry& entry = arena[ref];
  if (entry.number == 0 || !wants(entry.current())) return;
  const std::int64_t due_ms = asked_due(ref).time_since_epoch().count();
  if (due_ms < due_first_ms_ || due_ms > due_last_ms_) return;
  if (target_ && shard_.target_of(ref).settings.key != *target_) return;
  if (group_ && (entry.in_group == 0 || shard_.groups_[shard_.groups_.of(ref)].key != *group_)) {
    return;
  }
  const ListKey key{due_ms, entry.id, entry.number};
  if ((after_ && key <= *after_) || (cut_ && key > *cut_)) return;
  found_.push_back({key, ref});
  if (found_.size() >= std::max<std::size_t>(4096, 4 * (wanted_ + kSpare))) keep_first();
}

/// Drops what was found twice and what is too far behind.
void Listing::keep_first() {
  std::ranges::sort(found_, {}, &Candidate::key);
  const auto twice = std::ranges::unique(found_, {}, &Candidate::key);
  found_.erase(twice.begin(), twice.end());
  if (found_.size() <= wanted_ + kSpare) return;
  found_.resize(wanted_ + kSpare);
  cut_ = found_.back().key;
  due_last_ms_ = cut_->due_ms;
}

Listing::Page Listing::take() {
  CARILLON_CHECK(phase_ == Phase::done);
  keep_first();
  Page page;
  page.more = cut_.has_value();
  if (cut_) page.upto = *cut_;
  for (const Candidate& found : found_) {
    if (!shard_.arena_.in_use(found.ref)) continue;
    const Entry& entry = shard_.arena_[found.ref];
    // Gone, or another by now; whatever came in its place was noted and found itself.
    if (entry.number != found.key.number || entry.id != found.key.id || !wants(entry.current()) ||
        asked_due(found.ref).time_since_epoch().count() != found.key.due_ms) {
      continue;
    }
    if (page.tasks.size() == wanted_) {
      page.more = true;
      page.upto = page.tasks.back().key;
      break;
    }
    page.tasks.push_back({found.key, shard_.statement_of(found.ref)});
  }
  found_.clear();
  return page;
}

}  // namespace carillon
