// What the records of a log say, followed naively: a map of tasks, each touched by each record that
// is about it. Fails the test where a record says what must not be.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "shard/record.h"

namespace carillon {

struct ModelTask {
  State state = State::scheduled;
  WallTime due{};
  std::uint64_t group = 0;
  std::uint64_t target = 1;
  std::uint32_t attempt = 0;
  TaskNumber number = 0;
  bool retries_cancelled = false;
};

class NaiveLog {
 protected:
  [[nodiscard]] ModelTask& task_of(const Fingerprint& task) { return tasks_.at(ids_.at(task.low)); }

  void follow(const record::Put& put, Sequence sequence, WallTime) {
    const std::uint64_t id = ids_.at(put.task.task.low);
    const auto found = tasks_.find(id);
    const bool unfinished = found != tasks_.end() && !finished(found->second.state);
    ASSERT_EQ(unfinished, put.previous != 0) << "an unfinished task was overwritten";
    if (unfinished) {
      ASSERT_TRUE(waits(found->second.state));
    }
    tasks_[id] = {State::scheduled, put.task.due, put.task.group.low, put.task.target.low, 0,
                  sequence};
  }
  void follow(const record::Keep& keep, Sequence, WallTime) {
    const ModelTask& task = task_of(keep.task.task);
    if (task.number != keep.task.number) return;  // a dead letter beside its successor
    ASSERT_EQ(task.state, keep.task.state);
    ASSERT_EQ(task.attempt, keep.task.attempt);
    ASSERT_EQ(task.retries_cancelled, keep.task.retries_cancelled);
    if (!finished(task.state)) {
      ASSERT_EQ(task.due, keep.task.due);
    }
  }
  void follow(const record::Move& move, Sequence, WallTime) {
    ModelTask& task = task_of(move.task);
    ASSERT_TRUE(waits(task.state) && task.number == move.number);
    task.state = State::scheduled;
    task.due = move.due;
  }
  void follow(const record::Cancel& cancel, Sequence, WallTime) {
    ModelTask& task = task_of(cancel.task);
    ASSERT_TRUE(waits(task.state) && task.number == cancel.number);
    task.state = State::cancelled;
  }
  void follow(const record::Fire& fire, Sequence, WallTime at) {
    ModelTask& task = task_of(fire.task);
    ASSERT_EQ(task.number, fire.number) << "an old content was fired";
    ASSERT_TRUE(waits(task.state)) << "a task was fired that does not wait";
    ASSERT_LE(task.due, std::max(at, latest_)) << "early";
    if (const auto held = held_.find(task.target); held != held_.end()) {
      ASSERT_LE(held->second, std::max(at, latest_)) << "its target is held";
      ASSERT_TRUE(probes_.emplace(task.target, task.number).second) << "two probes at once";
    }
    task.state = State::firing;
    ++task.attempt;
  }
  void follow(const record::Outcome& outcome, Sequence, WallTime) {
    ModelTask& task = task_of(outcome.task);
    ASSERT_EQ(task.state, State::firing);
    if (task.retries_cancelled) {
      ASSERT_TRUE(outcome.state == State::delivered || outcome.state == State::cancelled);
      ++last_attempts_;
    } else {
      ASSERT_NE(outcome.state, State::cancelled);
    }
    task.retries_cancelled = false;
    task.state = outcome.state;
    if (task.state == State::retrying) task.due = outcome.retry_at;
  }
  void follow(const record::GroupCancel& cancel, Sequence, WallTime) {
    std::uint64_t affected = 0;
    for (auto& [id, task] : tasks_) {
      if (task.group != cancel.group.low || finished(task.state)) continue;
      if (task.state == State::firing) {
        task.retries_cancelled = true;
        continue;
      }
      task.state = State::cancelled;
      ++affected;
    }
    count_operation(cancel.operation, affected);
  }
  void follow(const record::GroupShift& shift, Sequence, WallTime at) {
    std::uint64_t affected = 0;
    for (auto& [id, task] : tasks_) {
      if (task.group != shift.group.low || task.state != State::scheduled) continue;
      task.due = std::max(task.due + shift.by, std::min(task.due, at));
      ++affected;
    }
    count_operation(shift.operation, affected);
  }
  void count_operation(const OperationName& name, std::uint64_t affected) {
    if (!name.given()) {
      group_counts_.push_back(affected);
      return;
    }
    ASSERT_TRUE(named_.insert(name.key.low).second) << "a named operation was done twice";
    answers_[name.key.low] = affected;
    unanswered_.insert(name.key.low);
  }
  void follow(const record::CancelRetries& cancel, Sequence, WallTime) {
    ModelTask& task = task_of(cancel.task);
    ASSERT_TRUE(task.state == State::firing && task.number == cancel.number);
    task.retries_cancelled = true;
  }
  void follow(const record::Operation& operation, Sequence, WallTime) {
    const auto [answer, fresh] = answers_.try_emplace(operation.name.key.low, operation.count);
    ASSERT_EQ(answer->second, operation.count);
    unanswered_.erase(operation.name.key.low);
  }
  void follow(const record::TargetHold& hold, Sequence, WallTime) {
    held_[hold.key.low] = hold.until;
  }
  void follow(const record::LanePut&, Sequence, WallTime) {}
  void follow(const record::LaneDelete&, Sequence, WallTime) {}
  void follow(const record::TargetRelease& release, Sequence, WallTime) {
    held_.erase(release.key.low);
  }
  void follow(const record::Remove&, Sequence, WallTime) { FAIL() << "nobody asked for it"; }
  void follow(const record::TargetPut&, Sequence, WallTime) {}
  void follow(const record::TargetDelete&, Sequence, WallTime) { FAIL() << "nobody asked for it"; }

  std::map<std::uint64_t, ModelTask> tasks_;
  std::map<std::uint64_t, std::uint64_t> ids_;  // by the fingerprint's low half
  std::vector<std::uint64_t> group_counts_;     // affected by each group record, not answered yet
  std::set<std::uint64_t> named_;               // operations that were done
  std::map<std::uint64_t, std::uint64_t> answers_;  // of these, where it is known
  std::set<std::uint64_t> unanswered_;              // done, and the answer not durable yet
  std::map<std::uint64_t, WallTime> held_;          // targets, until when, as the log says
  std::map<std::uint64_t, TaskNumber> probes_;      // under way, of targets that are held
  WallTime latest_{};                               // the furthest that the clock has been
  std::uint64_t last_attempts_ = 0;
};

}  // namespace carillon
