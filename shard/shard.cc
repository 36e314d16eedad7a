// What goes in, what is answered, and what can be asked.

#include "shard/shard.h"

#include "shard/prefetched.h"

namespace carillon {

Shard::Shard(ShardOptions options)
    : options_(options),
      lists_(arena_, Wheel::kListCount),
      wheel_(arena_, lists_, WallTime{}),
      index_(arena_),
      groups_(arena_),
      targets_(arena_, lists_, options) {}

void Shard::submit(Command command, Ticket ticket) {
  submit_one(command, ticket);
}

void Shard::submit(std::span<Command> commands, Ticket first) {
  for_each_prefetched(index_, commands,
                      [&](Command& command, std::size_t i) { submit_one(command, first + i); });
}

void Shard::submit_one(Command& command, Ticket ticket) {
  const bool decided = std::visit([&](auto& what) { return decide(what, ticket); }, command);
  if (!decided) waiting_.emplace_back(std::move(command), ticket);
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

void Shard::propose_outcome(const Fingerprint& task, TaskNumber number, State state,
                            WallTime retry_at, DeliveringPush push) {
  ++ended_counts_[static_cast<std::size_t>(state)];
  open_.append(record::Outcome{task, number, state, retry_at, push}, 0);
}

// --- Questions.

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

std::optional<Waiting> Shard::waiting(const Fingerprint& task) {
  const EntryRef ref = find_entry(task);
  if (ref == kNoEntry || arena_[ref].number == 0 || !waits(arena_[ref].current()))
    return std::nullopt;
  const Entry& entry = arena_[ref];
  Waiting waiting;
  if (busy(ref) || entry.where() == Place::nowhere) {
    waiting.what = WaitsFor::commit;
  } else if (entry.where() == Place::queue) {
    waiting = targets_.waiting(ref);
  } else {
    waiting.what = entry.current() == State::retrying ? WaitsFor::retry : WaitsFor::due;
    waiting.until = entry.due();
    if (const std::optional<WallTime> at = merged_at(ref)) {
      waiting.what = WaitsFor::merge;
      waiting.until = std::max(*at, now_);
    }
  }
  return waiting;
}

std::optional<Statement> Shard::at(std::uint32_t position) {
  if (!arena_.in_use(position) || !settle(position) || arena_[position].number == 0)
    return std::nullopt;
  return statement_of(position);
}

std::optional<WallTime> Shard::next_push(std::uint32_t position,
                                         const std::optional<TargetKey>& target,
                                         std::optional<LaneNumber> lane) {
  if (!arena_.in_use(position) || !settle(position)) return std::nullopt;
  const Entry& entry = arena_[position];
  if (entry.number == 0 || !waits(entry.current())) return std::nullopt;
  if (target && target_of(position).settings.key != *target) return std::nullopt;
  if (lane && targets_.lane_of(entry.queue) != *lane) return std::nullopt;
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

std::uint64_t Shard::bytes() const {
  constexpr std::uint64_t kMapNode = 56;
  return arena_.bytes() + index_.bytes() + groups_.bytes() + merges_.bytes() +
         extras_.size() * kMapNode + targets_.bytes() + retained_.bytes() + operations_.bytes() +
         strays_.bytes();
}

void Shard::check_invariants() {
  wheel_.check_invariants();
  index_.check_invariants();
  std::array<std::uint64_t, kStates> counts{};
  std::uint64_t unfinished = 0;
  std::uint64_t retained = 0;
  std::uint64_t mergeable = 0;
  for (EntryRef ref = 0; ref < arena_.end(); ++ref) {
    if (arena_.in_use(ref)) settle(ref);
  }
  for (EntryRef ref = 0; ref < arena_.end(); ++ref) {
    if (!arena_.in_use(ref)) continue;
    const Entry& entry = arena_[ref];
    const State state = entry.current();
    if (!finished(state)) ++unfinished;
    if (forgettable(state)) ++retained;
    if (entry.number == 0) continue;
    ++counts[entry.state];
    CARILLON_CHECK(find_number(index_.id(ref), entry.number) == ref);
    if (merges_.has(ref)) ++mergeable;
    CARILLON_CHECK(!merges_.has(ref) || !finished(state));
    CARILLON_CHECK(groups_.is_member(ref) == (entry.in_group != 0 && !finished(state)));
    if (groups_.is_member(ref)) groups_.check_member(ref);
    // A waiting task is on the wheel, in a queue, or about to be decided by a record under way.
    if (started_ && waits(state)) CARILLON_CHECK(entry.where() != Place::nowhere || busy(ref));
    if (finished(state)) CARILLON_CHECK(entry.where() == Place::nowhere);
    if (started_) CARILLON_CHECK(!is_stray(ref) || strays_.contains(ref));
  }
  targets_.check_invariants();
  CARILLON_CHECK(mergeable == merges_.size());
  CARILLON_CHECK(counts == counts_);
  CARILLON_CHECK(unfinished == unfinished_);
  CARILLON_CHECK(retained == retained_.there());
}

}  // namespace carillon
