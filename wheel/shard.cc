// Deciding commands, and the batch that is being filled.

#include "wheel/shard.h"

#include <algorithm>

namespace carillon {
namespace {

constexpr std::uint64_t kRecordBytes = 64;  // about what a record takes in the log
// Fewer than an entry can name: replacements that are under way bring theirs when they are applied.
constexpr std::size_t kTargetsAdmitted = kTargetsMax / 2;
constexpr std::size_t kLeftoverRows = 8192;  // deleted with one batch, some milliseconds' work
constexpr std::size_t kForgottenToCommit =
    4096;  // rows to delete that are worth a commit of their own

}  // namespace

Shard::Shard(ShardOptions options)
    : options_(options),
      lists_(arena_, Wheel::kListCount),
      wheel_(arena_, lists_, WallTime{}),
      index_(arena_),
      groups_(arena_) {}

void Shard::submit(Command command, Ticket ticket) {
  submit_one(command, ticket);
}

void Shard::submit(std::span<Command> commands, Ticket first) {
  for_each_prefetched(commands,
                      [&](Command& command, std::size_t i) { submit_one(command, first + i); });
}

void Shard::submit_one(Command& command, Ticket ticket) {
  const bool decided = std::visit([&](auto& what) { return decide(what, ticket); }, command);
  if (!decided) waiting_.emplace_back(std::move(command), ticket);
}

bool Shard::busy(EntryRef ref) const {
  const Entry& entry = arena_[ref];
  return entry.busy != 0 ||
         (entry.in_group != 0 && groups_[groups_.of(ref)].busy && waits(entry.current()));
}

/// Why a command on a waiting task cannot be carried out, if so.
std::optional<Verdict> Shard::refusal(EntryRef ref) const {
  if (ref == kNoEntry) return Verdict::not_found;
  const State state = arena_[ref].current();
  if (state == State::firing) return Verdict::task_firing;
  if (finished(state)) return Verdict::task_finished;
  return std::nullopt;
}

/// Why a task cannot be for the target that it names, if so.
std::optional<Verdict> Shard::target_refusal(const Statement& task) const {
  const std::uint32_t target = find_target(task.target);
  const bool known = target != kTargetsMax;
  if (!task.target_is_url && (!known || targets_[target].deleted)) return Verdict::unknown_target;
  if (!known && target_by_key_.size() >= kTargetsAdmitted) return Verdict::too_many_targets;
  return std::nullopt;
}

void Shard::reply(Ticket ticket, Verdict verdict) {
  reply(ticket, verdict, kNoEntry, {});
}

void Shard::reply(Ticket ticket, Verdict verdict, EntryRef ref, const Fingerprint& task) {
  if (ticket == 0) return;
  Reply& answer = effects_.replies.emplace_back();
  answer.ticket = ticket;
  answer.verdict = verdict;
  if (ref != kNoEntry) answer.task = statement_of(ref, task);
}

/// Answers an Add whose id is taken with what its caller needs to tell whether it is the same
/// again.
void Shard::give_back(command::Add& add, Verdict verdict, EntryRef old, Ticket ticket) {
  reply(ticket, verdict, old, add.task.task);
  if (ticket == 0) return;
  effects_.replies.back().content = std::move(add.content);
  effects_.replies.back().same_due = add.task.due == asked_due(old);
}

void Shard::propose(Record record, Ticket ticket) {
  open_.records.push_back(std::move(record));
  open_.tickets.push_back(ticket);
  open_.bytes += kRecordBytes;
}

void Shard::propose_put(Statement& task, TaskNumber previous, std::string& content, Ticket ticket) {
  open_.bytes += content.size();
  if (previous != 0) open_.forgotten.push_back(previous);
  open_.contents.push_back({open_.records.size(), std::move(content)});
  open_.records.emplace_back(std::in_place_type<record::Put>, task, previous);
  open_.tickets.push_back(ticket);
  open_.bytes += kRecordBytes;
}

bool Shard::decide(command::Add& add, Ticket ticket) {
  const EntryRef old = find_entry(add.task.task);
  if (old != kNoEntry) {
    const Entry& entry = arena_[old];
    if (busy(old)) return false;
    if (!finished(entry.current())) return decide_existing(add, old, ticket);
  }
  if (const auto why = target_refusal(add.task)) {
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
    arena_[make_entry(add.task)].busy = 1;
    propose_put(add.task, 0, add.content, ticket);
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
  } else if (const auto why = target_refusal(add.task)) {
    reply(ticket, *why);
  } else {
    add.task.state = State::scheduled;
    add.task.asked_due = add.task.due;
    add.task.attempt = 0;
    arena_[old].busy = 1;
    propose_put(add.task, entry.number, add.content, ticket);
  }
  return true;
}

bool Shard::decide(command::Change& change, Ticket ticket) {
  EntryRef ref = find_entry(change.task.task);
  EntryRef finished_one = kNoEntry;  // that has the id of a dead letter
  if (ref != kNoEntry && busy(ref)) return false;
  if (change.redrive) {
    if (ref != kNoEntry && !finished(arena_[ref].current())) {
      reply(ticket, Verdict::task_exists, ref, change.task.task);
      return true;
    }
    const EntryRef dead = find_number(change.task.task, change.expected);
    if (dead == kNoEntry || arena_[dead].current() != State::dead) {
      reply(ticket, Verdict::not_found);
      return true;
    }
    if (busy(dead)) return false;
    if (arena_[ref].current() != State::dead) finished_one = ref;
    ref = dead;
  } else if (const auto why = refusal(ref)) {
    reply(ticket, *why, ref, change.task.task);
    return true;
  }
  Entry& entry = arena_[ref];
  if (entry.number != change.expected) {
    reply(ticket, Verdict::content_moved, ref, change.task.task);
    return true;
  }
  if (const auto why = target_refusal(change.task)) {
    reply(ticket, *why);
    return true;
  }
  if (change.due_given) {
    change.task.state = State::scheduled;
    change.task.asked_due = change.task.due;
  } else {
    change.task.state = entry.current();
    change.task.due = entry.due();
    change.task.asked_due = asked_due(ref);
  }
  change.task.attempt = entry.attempt;
  entry.busy = 1;
  if (finished_one != kNoEntry) forget(finished_one);
  propose_put(change.task, entry.number, change.content, ticket);
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
  propose(record::Move{move.task, arena_[ref].number, move.due}, ticket);
  return true;
}

bool Shard::decide(command::Cancel& cancel, Ticket ticket) {
  const EntryRef ref = find_entry(cancel.task);
  if (ref != kNoEntry && busy(ref)) return false;
  if (const auto why = refusal(ref)) {
    reply(ticket, *why, ref, cancel.task);
    return true;
  }
  arena_[ref].busy = 1;
  propose(record::Cancel{cancel.task, arena_[ref].number}, ticket);
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
  open_.forgotten.push_back(number);
  propose(record::Remove{remove.task, number}, ticket);
  return true;
}

bool Shard::decide(command::GroupCancel& cancel, Ticket ticket) {
  return decide_group(cancel.group, cancel, ticket);
}

bool Shard::decide(command::GroupShift& shift, Ticket ticket) {
  return decide_group(shift.group, shift, ticket);
}

bool Shard::decide_group(const GroupKey& key, const Record& operation, Ticket ticket) {
  const std::uint32_t index = groups_.find(key);
  if (index == kNoGroup) {
    reply(ticket, Verdict::not_found);
    return true;
  }
  if (groups_[index].busy) return false;
  groups_[index].busy = true;
  propose(operation, ticket);
  return true;
}

bool Shard::decide(command::TargetPut& put, Ticket ticket) {
  if (find_target(put.key) == kTargetsMax && target_by_key_.size() >= kTargetsAdmitted) {
    reply(ticket, Verdict::too_many_targets);
    return true;
  }
  open_.bytes += put.settings.size();
  propose(std::move(put), ticket);
  return true;
}

bool Shard::decide(command::TargetDelete& removal, Ticket ticket) {
  const std::uint32_t index = find_target(removal.key);
  if (index == kTargetsMax || targets_[index].deleted || targets_[index].is_url) {
    reply(ticket, Verdict::not_found);
    return true;
  }
  if (targets_[index].unfinished > 0 && !removal.force) {
    reply(ticket, Verdict::target_in_use);
    if (ticket != 0) effects_.replies.back().count = targets_[index].unfinished;
    return true;
  }
  // At once, so that no task that names it is added behind the record.
  targets_[index].deleted = true;
  propose(record::TargetDelete{removal.key}, ticket);
  return true;
}

void Shard::outcome(const Fingerprint& task, TaskNumber number, State state, WallTime retry_at,
                    Note note) {
  const EntryRef ref = find_number(task, number);
  CARILLON_CHECK(ref != kNoEntry && arena_[ref].current() == State::firing);
  arena_[ref].busy = 1;
  free_slot(arena_[ref].target, state == State::delivered || note.http_status != 0);
  if (!note.error.empty()) {
    open_.bytes += note.error.size();
    open_.notes.push_back({number, std::move(note)});
  }
  // Not before its due, also where the clock was set back since: the retry counts from then.
  if (state == State::retrying) retry_at = std::max(retry_at, asked_due(ref));
  propose(record::Outcome{task, number, state, retry_at}, 0);
}

bool Shard::wants_commit() const {
  return !open_.records.empty() || open_.forgotten.size() >= kForgottenToCommit ||
         restate_upto_ != 0 || !leftover_rows_.empty();
}

Batch Shard::seal(WallTime now, Batch spare) {
  CARILLON_CHECK(!under_way_);
  Batch batch = std::move(spare);
  batch.first = last_sequence_ + 1;
  batch.at = now;
  batch.records.clear();
  batch.contents.clear();
  batch.notes.clear();
  batch.forgotten.clear();
  sealed_tickets_.clear();

  for (const TargetKey& key : restate_targets_) {
    const std::uint32_t index = find_target(key);
    if (index != kTargetsMax && !targets_[index].deleted)
      batch.records.emplace_back(targets_[index].settings);
  }
  // Should the same batches have been handed back twice, each task is restated once.
  std::sort(restate_.begin(), restate_.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  restate_.erase(std::unique(restate_.begin(), restate_.end()), restate_.end());
  for (const auto& [task, number] : restate_) {
    const EntryRef ref = find_number(task, number);
    if (ref != kNoEntry) batch.records.emplace_back(record::Keep{statement_of(ref, task)});
  }
  batch.trim_before = restate_upto_;
  restate_targets_.clear();
  restate_.clear();
  restate_upto_ = 0;
  sealed_tickets_.assign(batch.records.size(), 0);

  const Sequence first_open = batch.first + batch.records.size();
  for (ContentRow& row : open_.contents) {
    std::get<record::Put>(open_.records[row.number]).task.number = first_open + row.number;
    row.number += first_open;
  }
  if (batch.records.empty()) {
    batch.records.swap(open_.records);
  } else {
    std::move(open_.records.begin(), open_.records.end(), std::back_inserter(batch.records));
  }
  sealed_tickets_.insert(sealed_tickets_.end(), open_.tickets.begin(), open_.tickets.end());
  batch.contents.swap(open_.contents);
  batch.notes.swap(open_.notes);
  batch.forgotten.swap(open_.forgotten);
  const auto some = static_cast<std::ptrdiff_t>(std::min(leftover_rows_.size(), kLeftoverRows));
  batch.forgotten.insert(batch.forgotten.end(), leftover_rows_.end() - some, leftover_rows_.end());
  leftover_rows_.erase(leftover_rows_.end() - some, leftover_rows_.end());
  open_.records.clear();
  open_.tickets.clear();
  open_.bytes = 0;
  last_sequence_ += batch.records.size();
  under_way_ = true;
  return batch;
}

void Shard::restate(const std::vector<Batch>& oldest) {
  for (const Batch& batch : oldest) {
    for (std::size_t i = 0; i < batch.records.size(); ++i) {
      if (const auto* put = std::get_if<record::Put>(&batch.records[i])) {
        restate_.emplace_back(put->task.task, batch.first + i);
      } else if (const auto* keep = std::get_if<record::Keep>(&batch.records[i])) {
        restate_.emplace_back(keep->task.task, keep->task.number);
      } else if (const auto* target = std::get_if<record::TargetPut>(&batch.records[i])) {
        restate_targets_.push_back(target->key);
      }
    }
    restate_upto_ = std::max(restate_upto_, batch.last() + 1);
  }
}

std::optional<Statement> Shard::find(const Fingerprint& task) {
  const EntryRef ref = find_entry(task);
  if (ref == kNoEntry || arena_[ref].number == 0) return std::nullopt;
  return statement_of(ref, task);
}

std::optional<Statement> Shard::find_dead(const Fingerprint& task) {
  EntryRef newest = kNoEntry;
  static_cast<void>(index_.find_if(task, [&](EntryRef ref) {
    const Entry& entry = arena_[ref];
    const bool dead = entry.number != 0 && entry.current() == State::dead;
    if (dead && (newest == kNoEntry || arena_[newest].number < entry.number)) newest = ref;
    return false;
  }));
  if (newest == kNoEntry) return std::nullopt;
  return statement_of(newest, task);
}

std::optional<Statement> Shard::at(std::uint32_t position) {
  if (!arena_.in_use(position) || !settle(position) || arena_[position].number == 0)
    return std::nullopt;
  return statement_of(position);
}

std::optional<WallTime> Shard::next_push(std::uint32_t position,
                                         const std::optional<TargetKey>& target) {
  if (!arena_.in_use(position) || !settle(position)) return std::nullopt;
  const Entry& entry = arena_[position];
  if (entry.number == 0 || !waits(entry.current())) return std::nullopt;
  if (target && targets_[entry.target].key != *target) return std::nullopt;
  return entry.due();
}

const Group* Shard::group(const GroupKey& key) const {
  const std::uint32_t index = groups_.find(key);
  return index == kNoGroup ? nullptr : &groups_[index];
}

std::optional<WallTime> Shard::member_due(const Group& group, std::size_t index) {
  constexpr std::size_t kAhead = 16;
  if (index + kAhead < group.members.size()) {
    __builtin_prefetch(&arena_[group.members[index + kAhead]]);
  }
  const EntryRef ref = group.members[index];
  if (!settle(ref) || !waits(arena_[ref].current())) return std::nullopt;
  return asked_due(ref);
}

const Shard::TargetState* Shard::target(const TargetKey& key) const {
  const std::uint32_t index = find_target(key);
  return index == kTargetsMax ? nullptr : &targets_[index];
}

std::vector<const Shard::TargetState*> Shard::named_targets() const {
  std::vector<const TargetState*> named;
  for (const auto& [key, index] : target_by_key_) {
    if (!targets_[index].is_url && !targets_[index].deleted) named.push_back(&targets_[index]);
  }
  std::sort(named.begin(), named.end(),
            [](const auto* a, const auto* b) { return a->settings.name < b->settings.name; });
  return named;
}

std::uint64_t Shard::bytes() const {
  constexpr std::uint64_t kMapNode = 56;
  return arena_.bytes() + index_.bytes() + groups_.bytes() + extras_.size() * kMapNode +
         targets_.size() * sizeof(Target) + retained_.bytes() + strays_.bytes();
}

}  // namespace carillon
