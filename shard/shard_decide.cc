// Deciding commands: against what is durable, so that what is decided is a fact.
//
// A command about a task or group of which a record is under way waits for that: `decide` is false
// and has not consumed it.

#include <algorithm>

#include "shard/shard.h"

namespace carillon {
namespace {

constexpr std::uint32_t kForgottenForTargets = 1024;  // per tick

}  // namespace

bool Shard::busy(EntryRef ref) const {
  const Entry& entry = arena_[ref];
  return entry.busy != 0 ||
         (entry.in_group != 0 && groups_[groups_.of(ref)].busy && !finished(entry.current()));
}

/// Why a command on a waiting task cannot be carried out, if so.
std::optional<Verdict> Shard::refusal(EntryRef ref) const {
  if (ref == kNoEntry) return Verdict::not_found;
  const State state = arena_[ref].current();
  if (state == State::firing) return Verdict::task_firing;
  if (finished(state)) return Verdict::task_finished;
  return std::nullopt;
}

/// Why a task cannot be for the target that it names, or in its lane, if so. `keeps_merge`:
/// it had its merge rule before, and may keep it where its target has become of another kind; then
/// it is pushed alone.
std::optional<Verdict> Shard::address_refusal(const Statement& task, bool key_allowed,
                                              bool keeps_merge) const {
  const std::uint32_t target = targets_.find(task.target);
  const bool known = target != kTargetsMax;
  if (!task.target_is_url && (!known || targets_[target].deleted)) return Verdict::unknown_target;
  if (task.lane >= kLanesMax || !lanes()[task.lane].stands()) return Verdict::unknown_lane;
  if (!key_allowed) return Verdict::key_not_allowed;
  const bool takes_one = known && targets_[target].settings.takes_one;
  if (task.merge.given() && takes_one && !keeps_merge) return Verdict::unmergeable;
  const std::size_t most = task.target_is_url ? kOriginsAdmitted : kTargetsAdmitted;
  if (targets_.size() >= most && targets_.needs_queue(task.target, task.lane))
    return Verdict::too_many_targets;
  return std::nullopt;
}

/// Answers an Add whose id is taken with what its caller needs to tell whether it is the same
/// again.
void Shard::give_back(command::Add& add, Verdict verdict, EntryRef old, Ticket ticket) {
  reply(ticket, verdict, old, add.task.task);
  if (ticket == 0) return;
  effects_.replies.back().content = std::move(add.content);
  effects_.replies.back().same_due = add.task.due == asked_due(old);
}

// --- Tasks.

/// Where there is no room for another origin, the tasks that finished first are forgotten, and with
/// them the origins that nobody else names; a bounded number between two ticks.
void Shard::make_target_room(const Statement& task) {
  if (!task.target_is_url || targets_.size() < kOriginsAdmitted) return;
  if (!targets_.needs_queue(task.target, task.lane)) return;
  while (forgotten_for_targets_ < kForgottenForTargets && targets_.size() >= kOriginsAdmitted) {
    if (!forget_oldest(WallTime::max(), /*forget_rows=*/true)) return;
    ++forgotten_for_targets_;
  }
}

bool Shard::decide(command::Add& add, Ticket ticket) {
  make_target_room(add.task);
  const EntryRef old = find_entry(add.task.task);
  if (old != kNoEntry) {
    const Entry& entry = arena_[old];
    if (busy(old)) return false;
    if (!finished(entry.current())) return decide_existing(add, old, ticket);
    if (add.if_exists == IfExists::once) {
      give_back(add, Verdict::kept, old, ticket);
      return true;
    }
  }
  if (const auto why = address_refusal(add.task, add.key_allowed)) {
    reply(ticket, *why);
  } else if (is_full()) {
    reply(ticket, Verdict::full);
  } else {
    // A finished task gives its id back at once; a dead letter stays beside its successor.
    if (old != kNoEntry && arena_[old].current() != State::dead) forget(old);
    make_room();
    add.task.state = State::scheduled;
    add.task.asked_due = add.task.due;
    add.task.attempt = 0;
    const EntryRef ref = make_entry(add.task);
    arena_[ref].busy = 1;
    groups_.note_due(groups_.of(ref), add.task.due);
    open_.append_put(add.task, 0, std::move(add.content), nullptr, ticket);
  }
  return true;
}

/// An Add whose id belongs to a task that is not finished.
bool Shard::decide_existing(command::Add& add, EntryRef old, Ticket ticket) {
  const Entry& entry = arena_[old];
  bool replace = false;
  switch (add.if_exists) {
    case IfExists::reject:
      give_back(add, Verdict::task_exists, old, ticket);
      return true;
    case IfExists::keep:
    case IfExists::once:
      give_back(add, Verdict::kept, old, ticket);
      return true;
    case IfExists::replace:
      replace = true;
      break;
    case IfExists::earliest:
      replace = add.task.due < asked_due(old);
      break;
    case IfExists::latest:
      replace = add.task.due > asked_due(old);
      break;
  }
  if (!replace) {
    reply(ticket, Verdict::kept, old, add.task.task);
  } else if (entry.current() == State::firing) {
    reply(ticket, Verdict::task_firing, old, add.task.task);
  } else if (const auto why = address_refusal(add.task, add.key_allowed)) {
    reply(ticket, *why);
  } else {
    add.task.state = State::scheduled;
    add.task.asked_due = add.task.due;
    add.task.attempt = 0;
    arena_[old].busy = 1;
    groups_.note_due(groups_.find(add.task.group), add.task.due);
    propose_replacement(add.task, entry.number, std::move(add.content), nullptr, ticket);
  }
  return true;
}

/// The target that it will name counts it from now on, so that it is neither deleted nor without
/// room when the record comes back.
void Shard::propose_replacement(const Statement& task, TaskNumber previous, std::string&& content,
                                const Note* note, Ticket ticket) {
  static_cast<void>(
      targets_.add_user(task.target, task.target_is_url, task.lane, /*unfinished=*/true));
  open_.append_put(task, previous, std::move(content), note, ticket);
}

bool Shard::decide(command::Change& change, Ticket ticket) {
  make_target_room(change.task);
  const EntryRef ref = find_entry(change.task.task);
  if (ref != kNoEntry && busy(ref)) return false;
  if (change.redrive) return decide_redrive(change, ref, ticket);
  if (const auto why = refusal(ref)) {
    reply(ticket, *why, ref, change.task.task);
    return true;
  }
  const Entry& entry = arena_[ref];
  const Extra extra = extra_of(ref);
  change.task.redriven_at = extra.redriven_at;
  change.task.asked_due = extra.asked_due;
  change.task.state = State::scheduled;
  if (change.due_given) {
    change.task.asked_due = change.task.due;
  } else {
    change.task.state = entry.current();
    change.task.due = entry.due();
  }
  return decide_change(change, ref, ticket);
}

/// `newest`: what has the dead letter's id, if anything.
bool Shard::decide_redrive(command::Change& change, EntryRef newest, Ticket ticket) {
  if (answer_operation(change.operation, ticket)) return true;
  if (newest != kNoEntry && !finished(arena_[newest].current())) {
    reply(ticket, Verdict::task_exists, newest, change.task.task);
    return true;
  }
  const EntryRef dead = find_number(change.task.task, change.expected);
  if (dead == kNoEntry || arena_[dead].current() != State::dead) {
    reply(ticket, Verdict::not_found);
    return true;
  }
  if (busy(dead)) return false;
  change.task.state = State::scheduled;
  change.task.asked_due = asked_due(dead);
  change.task.redriven_at = change.task.due;
  // Not before its due, also where the clock was set back since.
  change.task.due = std::max(change.task.due, change.task.asked_due);
  // A task that has finished meanwhile gives its id back.
  const bool makes_room = arena_[newest].current() != State::dead;
  const std::size_t before = open_.records().size();
  static_cast<void>(decide_change(change, dead, ticket));
  if (open_.records().size() == before) return true;
  if (makes_room) forget(newest);
  if (change.operation.given()) {
    open_.append(record::Operation{change.operation, change.task.redriven_at, 1, 0}, 0);
  }
  return true;
}

/// A new content, and perhaps due, for `ref`, which is free for it.
bool Shard::decide_change(command::Change& change, EntryRef ref, Ticket ticket) {
  Entry& entry = arena_[ref];
  const bool keeps_merge = change.redrive || (target_of(ref).settings.key == change.task.target &&
                                              merges_.of(ref) == change.task.merge);
  if (entry.number != change.expected) {
    reply(ticket, Verdict::content_moved, ref, change.task.task);
  } else if (const auto why = address_refusal(change.task, change.key_allowed, keeps_merge)) {
    reply(ticket, *why);
  } else {
    change.task.attempt = entry.attempt;
    entry.busy = 1;
    groups_.note_due(groups_.find(change.task.group), change.task.due);
    propose_replacement(change.task, entry.number, std::move(change.content), change.note.get(),
                        ticket);
  }
  return true;
}

bool Shard::decide(command::Move& move, Ticket ticket) {
  const EntryRef ref = find_entry(move.task);
  if (ref != kNoEntry && busy(ref)) return false;
  if (const auto why = refusal(ref)) {
    reply(ticket, *why, ref, move.task);
    return true;
  }
  arena_[ref].busy = 1;
  groups_.note_due(groups_.of(ref), move.due);
  open_.append(record::Move{move.task, arena_[ref].number, move.due}, ticket);
  return true;
}

bool Shard::decide(command::Cancel& cancel, Ticket ticket) {
  const EntryRef ref = find_entry(cancel.task);
  if (ref != kNoEntry && busy(ref)) return false;
  if (cancel.retries && ref != kNoEntry && arena_[ref].current() == State::firing) {
    if (extra_of(ref).retries_cancelled) {
      reply(ticket, Verdict::done, ref, cancel.task);
    } else {
      arena_[ref].busy = 1;
      open_.append(record::CancelRetries{cancel.task, arena_[ref].number}, ticket);
    }
    return true;
  }
  if (const auto why = refusal(ref)) {
    reply(ticket, *why, ref, cancel.task);
    return true;
  }
  arena_[ref].busy = 1;
  open_.append(record::Cancel{cancel.task, arena_[ref].number}, ticket);
  return true;
}

bool Shard::decide(command::RemoveDead& remove, Ticket ticket) {
  TaskNumber number = remove.number;
  if (number == 0) {
    const std::optional<Statement> newest = find_dead(remove.task);
    if (newest) number = newest->number;
  }
  const EntryRef ref = number == 0 ? kNoEntry : find_number(remove.task, number);
  if (ref == kNoEntry || arena_[ref].current() != State::dead) {
    reply(ticket, Verdict::not_found);
    return true;
  }
  if (busy(ref)) return false;
  arena_[ref].busy = 1;
  open_.forget(number);
  open_.append(record::Remove{remove.task, number}, ticket);
  return true;
}

// --- How pushes went.

void Shard::outcome(const Fired& fired, State state, WallTime retry_at, Note note,
                    const std::optional<Trouble>& trouble) {
  const EntryRef ref = find_number(fired.task, fired.number);
  CARILLON_CHECK(ref != kNoEntry && arena_[ref].current() == State::firing);
  const bool answered = state == State::delivered || note.http_status != 0;
  const auto change = targets_.end(static_cast<std::uint32_t>(arena_[ref].queue), fired.number,
                                   fired.push, answered, trouble);
  if (change != TargetQueues::HoldChange::none) {
    const TargetState& target = target_of(ref);
    const TargetKey& key = target.settings.key;
    if (change == TargetQueues::HoldChange::held) {
      open_.append(target.hold.record(key), 0);
    } else {
      open_.append(record::TargetRelease{key}, 0);
    }
    effects_.holds.push_back(key);
  }
  Ended ended{fired.task, fired.number, state, retry_at, std::move(note)};
  if (!decide_outcome(ended, ref)) ended_.push_back(std::move(ended));
}

/// False: it must wait for a record about the task, or about its group; it was not consumed.
/// `ref`: the task, which follows its group.
bool Shard::decide_outcome(Ended& ended, EntryRef ref) {
  if (busy(ref)) return false;
  arena_[ref].busy = 1;
  DeliveringPush push;
  if (ended.state == State::delivered) {
    push = {ended.note.http_status, ended.note.took};
  } else {
    const Extra extra = extra_of(ref);
    if (extra.retries_cancelled) {
      ended.state = State::cancelled;
      ended.retry_at = {};
    }
    // Not before its due, also where the clock was set back since: the retry counts from then.
    if (ended.state == State::retrying) {
      ended.retry_at = std::max(ended.retry_at, std::max(extra.asked_due, extra.redriven_at));
    }
  }
  if (!ended.note.error.empty()) {
    ended.note.retry_at = ended.retry_at;
    open_.note(ended.number, std::move(ended.note));
  }
  propose_outcome(ended.task, ended.number, ended.state, ended.retry_at, push);
  return true;
}

// --- Groups, and operations that have a name.

/// Whether a named operation is answered already: it was carried out before, or cannot be.
bool Shard::answer_operation(const OperationName& name, Ticket ticket) {
  if (!name.given()) return false;
  const record::Operation* const done = operations_.find(name.key, now_);
  if (done == nullptr) {
    if (!operations_.full()) return false;
    reply(ticket, Verdict::too_many_operations);
  } else if (done->name.arguments != name.arguments) {
    reply(ticket, Verdict::operation_reused);
  } else {
    reply(ticket, Verdict::repeated);
    if (ticket != 0) {
      effects_.replies.back().count = done->count;
      effects_.replies.back().firing = done->firing;
    }
  }
  return true;
}

bool Shard::decide(command::GroupCancel& cancel, Ticket ticket) {
  const std::uint32_t index = groups_.find(cancel.group);
  if (index != kNoGroup && groups_[index].busy) return false;
  if (answer_operation(cancel.operation, ticket)) return true;
  if (index == kNoGroup) {
    reply(ticket, Verdict::not_found);
    return true;
  }
  groups_[index].busy = true;
  open_.append(std::move(cancel), ticket);
  return true;
}

bool Shard::decide(command::GroupShift& shift, Ticket ticket) {
  const std::uint32_t index = groups_.find(shift.group);
  if (index != kNoGroup && groups_[index].busy) return false;
  if (answer_operation(shift.operation, ticket)) return true;
  if (index == kNoGroup) {
    reply(ticket, Verdict::not_found);
    return true;
  }
  if (shift.by > Millis(0) && groups_[index].latest_due > shift.latest - shift.by) {
    // The bound says too late, which the members may not be. What is under way is not among them.
    if (under_way_) return false;
    if (latest_due(index) > shift.latest - shift.by) {
      reply(ticket, Verdict::beyond_horizon);
      return true;
    }
  }
  if (shift.only_asks) {
    reply(ticket, Verdict::done);
    return true;
  }
  groups_[index].busy = true;
  open_.append(record::GroupShift{shift.group, shift.by, shift.operation}, ticket);
  return true;
}

/// The latest due of the group's scheduled tasks, with those in the open batch. Looks at all of
/// them unless nothing changed since it last did.
WallTime Shard::latest_due(std::uint32_t index) {
  Group& group = groups_[index];
  if (group.latest_due_is_exact) return group.latest_due;
  WallTime latest{};
  // From the back: one that following the group frees gives its place to one met already.
  for (std::size_t i = group.members.size(); i > 0; --i) {
    if (i > group.members.size()) continue;
    const EntryRef ref = group.members[i - 1];
    if (settle(ref) && arena_[ref].current() == State::scheduled) {
      latest = std::max(latest, arena_[ref].due());
    }
  }
  for (const Record& record : open_.records()) {
    if (const auto* put = std::get_if<record::Put>(&record)) {
      if (put->task.group == group.key) latest = std::max(latest, put->task.due);
    } else if (const auto* move = std::get_if<record::Move>(&record)) {
      const EntryRef ref = find_number(move->task, move->number);
      if (ref != kNoEntry && groups_.of(ref) == index) latest = std::max(latest, move->due);
    }
  }
  group.latest_due = latest;
  group.latest_due_is_exact = true;
  return latest;
}

bool Shard::decide(command::Operation& operation, Ticket ticket) {
  if (!answer_operation(operation.name, ticket)) open_.append(operation, ticket);
  return true;
}

}  // namespace carillon
