#include "tests/simulation/facts.h"

#include <algorithm>

namespace carillon::simulation {

constexpr std::size_t kFiredKept = 128;                    // more than are pushed together
constexpr Moment kDecidedAndDurable = 400 * kMillisecond;  // longer than two commits take

void Facts::expect(bool holds, const std::string& what) {
  if (holds) return;
  world_.trace("FAULT ", what);
  faults_.push_back(what);
}

bool Facts::is_taken_along(const Fact& fact) const {
  return std::ranges::any_of(fired_, [&](const Fact& first) {
    const Millis within = std::min(fact.merge.within, first.merge.within);
    return first.merge.part == fact.merge.part && first.target == fact.target &&
           first.lane == fact.lane && fact.due - first.due <= within;
  });
}

void Facts::reached(const char* record, State from, State to) {
  std::string name = record;
  name.append(": ").append(name_of(from)).append(" -> ").append(name_of(to));
  ++coverage_[name];
}

const Fact& Facts::at(TaskNumber number) {
  static const Fact nothing;
  const auto found = facts_.find(number);
  expect(found != facts_.end(), "the log knows of no task " + std::to_string(number));
  return found == facts_.end() ? nothing : found->second;
}

void Facts::follow(const Batch& batch) {
  for (std::size_t i = 0; i < batch.records.size(); ++i) {
    std::visit([&](const auto& fact) { follow(fact, batch.first + i, batch.at); },
               batch.records[i]);
  }
}

void Facts::follow(const record::Put& put, Sequence sequence, WallTime) {
  const Statement& task = put.task;
  const std::string name = "put " + std::to_string(sequence);
  if (put.previous != 0) {
    Fact& previous = facts_[put.previous];
    expect(waits(previous.state) || previous.state == State::dead, name + " replaces one firing");
    reached("put", previous.state, task.state);
    facts_.erase(put.previous);
  } else {
    ++coverage_["put: new"];
  }
  for (const auto& [number, fact] : facts_) {
    expect(!(fact.task == task.task) || finished(fact.state), name + " overwrites a task");
  }
  facts_[sequence] = {.task = task.task,
                      .state = task.state,
                      .due = task.due,
                      .asked_due = task.asked_due,
                      .expire_after = task.expire_after,
                      .group = task.group,
                      .attempt = task.attempt,
                      .redriven_at = task.redriven_at,
                      .target = task.target,
                      .lane = task.lane,
                      .merge = task.merge};
  if (task.merge.given()) ++coverage_["put: mergeable"];
  if (task.lane != kDefaultLane) ++coverage_["put: in a lane"];
}

void Facts::follow(const record::Keep& keep, Sequence sequence, WallTime) {
  const Statement& task = keep.task;
  const std::string name = "keep " + std::to_string(sequence);
  const auto found = facts_.find(task.number);
  expect(found != facts_.end(), name + " restates what is not there");
  if (found == facts_.end()) return;
  const Fact& fact = found->second;
  reached("keep", fact.state, task.state);
  expect(task.state == fact.state, name + " restates another state");
  expect(task.attempt == fact.attempt, name + " restates another attempt");
  expect(finished(fact.state) || task.due == fact.due, name + " restates another due");
  expect(finished(fact.state) || task.lane == fact.lane, name + " restates another lane");
  expect(finished(fact.state) || task.merge == fact.merge, name + " restates another merge");
  expect(finished(fact.state) || task.redriven_at == fact.redriven_at,
         name + " restates another redrive");
  expect(task.retries_cancelled == fact.retries_cancelled,
         name + " forgets that retries were cancelled");
}

void Facts::follow(const record::Move& move, Sequence sequence, WallTime) {
  Fact& fact = facts_[move.number];
  expect(waits(fact.state), "move " + std::to_string(sequence) + " of one that does not wait");
  reached("move", fact.state, State::scheduled);
  fact.state = State::scheduled;
  fact.due = fact.asked_due = move.due;
}

void Facts::follow(const record::Cancel& cancel, Sequence sequence, WallTime) {
  Fact& fact = facts_[cancel.number];
  expect(waits(fact.state), "cancel " + std::to_string(sequence) + " of one that does not wait");
  reached("cancel", fact.state, State::cancelled);
  fact.state = State::cancelled;
}

void Facts::follow(const record::Fire& fire, Sequence sequence, WallTime) {
  const std::string name = "fire " + std::to_string(sequence);
  Fact& fact = facts_[fire.number];
  expect(waits(fact.state), name + " of one that is " + std::string(name_of(fact.state)));
  if (fact.due <= world_.recent_wall() + slack_) {
    fired_.push_back(fact);
    if (fired_.size() > kFiredKept) fired_.pop_front();
  } else {
    ++coverage_["fire: before its due"];
    expect(is_taken_along(fact), name + " is early");
  }
  expect(!fact.expire_after || world_.recent_wall_min() - slack_ <=
                                   std::max(fact.asked_due, fact.redriven_at) + *fact.expire_after,
         name + " of one that has expired");
  const auto held = held_.find(fact.target.low);
  if (held != held_.end()) {
    // Where the clock is set back, a hold begins anew and ends by an earlier moment.
    expect(held->second.until <= world_.latest_wall() + slack_ ||
               world_.was_set_back_since(held->second.began),
           name + " for a target that is held");
    expect(probes_.emplace(fact.target.low, fire.number).second,
           name + " is a second probe at once");
  }
  reached("fire", fact.state, State::firing);
  fact.state = State::firing;
  ++fact.attempt;
}

void Facts::follow(const record::Outcome& outcome, Sequence sequence, WallTime) {
  const std::string name = "outcome " + std::to_string(sequence);
  Fact& fact = facts_[outcome.number];
  reached("outcome", fact.state, outcome.state);
  const bool pushed = outcome.state == State::delivered || outcome.state == State::retrying;
  expect(!finished(fact.state), name + " of a finished task");
  expect(!pushed || fact.state == State::firing, name + " of one that was not pushed");
  expect(outcome.state != State::expired ||
             (fact.expire_after &&
              world_.latest_wall() + slack_ >
                  std::max(fact.asked_due, fact.redriven_at) + *fact.expire_after),
         name + " is an expiry before its time");
  expect(outcome.state == State::delivered || outcome.state == State::cancelled ||
             !fact.retries_cancelled,
         name + " goes on with retries that were cancelled");
  expect(outcome.state != State::cancelled || fact.retries_cancelled,
         name + " cancels what nobody cancelled");
  fact.retries_cancelled = false;
  fact.state = outcome.state;
  if (fact.state == State::retrying) fact.due = outcome.retry_at;
}

void Facts::follow(const record::Remove& remove, Sequence sequence, WallTime) {
  Fact& fact = facts_[remove.number];
  expect(fact.state == State::dead, "remove " + std::to_string(sequence) + " of one not dead");
  ++coverage_["remove: dead"];
  facts_.erase(remove.number);
}

void Facts::follow(const record::GroupCancel& cancel, Sequence, WallTime) {
  follow_name(cancel.operation);
  for (auto& [number, fact] : facts_) {
    if (fact.group != cancel.group || finished(fact.state)) continue;
    if (waits(fact.state)) {
      reached("group cancel", fact.state, State::cancelled);
      fact.state = State::cancelled;
    } else {
      reached("group cancel", fact.state, fact.state);
      fact.retries_cancelled = true;
    }
  }
}

void Facts::follow(const record::GroupShift& shift, Sequence, WallTime at) {
  follow_name(shift.operation);
  for (auto& [number, fact] : facts_) {
    if (fact.group != shift.group || finished(fact.state)) continue;
    reached("group shift", fact.state, fact.state);
    if (fact.state != State::scheduled) continue;
    const WallTime old = fact.due;
    fact.due = std::max(old + shift.by, std::min(old, at));
    fact.asked_due = fact.asked_due == old ? fact.due : fact.asked_due + shift.by;
  }
}

void Facts::follow(const record::TargetPut& put, Sequence, WallTime) {
  put_.insert(put.key.low);
  if (put.rate != windows_[put.key.low].rate) windows_[put.key.low] = {put.rate, world_.now(), {}};
  if (put.rate.limit != 0) ++coverage_["target: put, rated"];
  ++coverage_[put.paused ? "target: put, paused" : "target: put"];
}

void Facts::follow(const record::TargetDelete& removal, Sequence, WallTime) {
  held_.erase(removal.key.low);
  probes_.erase(removal.key.low);
  windows_.erase(removal.key.low);
  ++coverage_["target: deleted"];
}

void Facts::follow(const record::CancelRetries& cancel, Sequence sequence, WallTime) {
  Fact& fact = facts_[cancel.number];
  expect(fact.state == State::firing,
         "retries cancelled " + std::to_string(sequence) + " of one that is not firing");
  reached("cancel retries", fact.state, fact.state);
  fact.retries_cancelled = true;
}

void Facts::follow(const record::Operation&, Sequence, WallTime) {
  ++coverage_["operation: answered"];
}

void Facts::follow(const record::TargetHold& hold, Sequence, WallTime) {
  held_[hold.key.low] = {hold.until, world_.now()};
  ++coverage_["target: held, " + std::string(name_of(hold.reason))];
}

void Facts::follow(const record::TargetRelease& release, Sequence, WallTime) {
  held_.erase(release.key.low);
  probes_.erase(release.key.low);
  ++coverage_["target: released"];
}

void Facts::start(const Batch& batch) {
  for (const Record& record : batch.records) {
    const auto* fire = std::get_if<record::Fire>(&record);
    if (fire == nullptr) continue;
    const std::uint64_t target = facts_[fire->number].target.low;
    count_start(windows_[target], "target " + std::to_string(target));
    count_start(windows_[0], "the server");
  }
}

void Facts::count_start(Window& window, const std::string& whose) {
  const RateLimit& rate = window.rate;
  // What was decided before it was set may start after that.
  if (rate.limit == 0 || world_.now() - window.set_at < kDecidedAndDurable) return;
  const Moment per = rate.per.count() * kMillisecond;
  while (!window.starts.empty() && window.starts.front() <= world_.now() - per) {
    window.starts.pop_front();
  }
  window.starts.push_back(world_.now());
  // The server's clock says which millisecond it is, and no more.
  const auto in_a_millisecond = static_cast<std::uint64_t>(rate.limit / rate.per.count());
  const std::uint64_t most = rate.limit + rate.burst_in_effect() + in_a_millisecond;
  expect(window.starts.size() <= most, "more pushes start than the rate of " + whose + " lets");
  if (window.starts.size() >= rate.limit) ++coverage_["rate: used up"];
}

void Facts::set_server_rate(std::uint32_t per_second) {
  windows_[0] = {{.limit = per_second}, world_.now(), {}};
}

void Facts::clock_was_stepped() {
  for (auto& [target, window] : windows_) window.starts.clear();
}

void Facts::push_began(TaskNumber number, WallTime at) {
  const Fact& fact = this->at(number);
  expect(
      !fact.expire_after || at <= std::max(fact.asked_due, fact.redriven_at) + *fact.expire_after,
      "a push of a task that has expired");
}

void Facts::push_ended(TaskNumber number) {
  std::erase_if(probes_, [number](const auto& probe) { return probe.second == number; });
}

void Facts::follow_name(const OperationName& name) {
  if (!name.given()) return;
  expect(named_.insert(name.key.low).second, "a named operation is done twice");
  ++coverage_["operation: done"];
}

void Facts::follow(const record::LanePut&, Sequence, WallTime) {
  ++coverage_["lane: put"];
}

void Facts::follow(const record::LaneDelete& removal, Sequence sequence, WallTime) {
  for (const auto& [number, fact] : facts_) {
    expect(fact.lane != removal.number || finished(fact.state),
           "lane deletion " + std::to_string(sequence) + " leaves a task without its lane");
  }
  ++coverage_["lane: deleted"];
}

void Facts::expect_true(const Statement& said) {
  const auto found = facts_.find(said.number);
  const std::string name = "task " + std::to_string(said.number);
  expect(found != facts_.end(), name + " is shown and is not in the log");
  if (found == facts_.end()) return;
  const Fact& fact = found->second;
  expect(said.state == fact.state, name + " is shown " + std::string(name_of(said.state)) +
                                       " and is " + std::string(name_of(fact.state)));
  expect(said.attempt == fact.attempt, name + " is shown with another attempt");
  expect(said.retries_cancelled == fact.retries_cancelled,
         name + " is shown with other retries than it has");
  expect(finished(fact.state) || said.due == fact.due, name + " is shown with another due");
  expect(finished(fact.state) || said.lane == fact.lane, name + " is shown in another lane");
  expect(finished(fact.state) || said.merge == fact.merge, name + " is shown with another merge");
}

void Facts::expect_same(Shard& shard) {
  owner_changed();
  std::uint64_t shown = 0, unfinished = 0;
  for (std::uint32_t position = 0; position < shard.positions(); ++position) {
    const auto said = shard.at(position);
    if (!said) continue;
    expect_true(*said);
    if (!finished(said->state)) ++shown;
  }
  for (const auto& [number, fact] : facts_) {
    if (finished(fact.state)) continue;
    ++unfinished;
    ++coverage_["recovered: " + std::string(name_of(fact.state))];
  }
  expect(shown == unfinished, std::to_string(unfinished) + " tasks are not finished and " +
                                  std::to_string(shown) + " are there");
}

void Facts::expect_held(const Shard& shard) {
  for (const std::uint64_t low : put_) {
    const TargetState* const target = shard.target({low, 2});
    const bool is_held = target != nullptr && target->hold.active();
    const bool said = held_.contains(low);
    expect(is_held == said, "target " + std::to_string(low) + (said ? " was" : " was not") +
                                " held when it crashed");
    if (is_held) ++coverage_["recovered: target held"];
  }
}

std::optional<TaskNumber> Facts::newest_dead(const Fingerprint& task) const {
  std::optional<TaskNumber> newest;
  for (const auto& [number, fact] : facts_) {
    if (fact.task == task && fact.state == State::dead) newest = number;
  }
  return newest;
}

std::vector<TaskNumber> Facts::waiting_since(WallTime due) const {
  std::vector<TaskNumber> waiting;
  for (const auto& [number, fact] : facts_) {
    if (!finished(fact.state) && fact.due < due) waiting.push_back(number);
  }
  return waiting;
}

}  // namespace carillon::simulation
