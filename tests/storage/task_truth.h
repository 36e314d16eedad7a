// What the records of a log make of its tasks, worked out naively: a map, and no wheel, index,
// group sweep or cleaning. Restatements and trims change nothing here, which is just what they
// promise.
//
// Each record is held to what must be true where it stands: a cancelled or finished task is never
// fired, moved or cancelled, nothing that waits is overwritten. A broken rule is a fatal failure of
// the test.
#pragma once

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "shard/record.h"

namespace carillon {

class TaskTruth {
 public:
  struct Task {
    State state = State::scheduled;
    WallTime due{};
    std::uint64_t group = 0;
    std::uint32_t attempt = 0;
    TaskNumber number = 0;
    std::string content;
  };

  /// Follows a batch that is durable.
  void follow(const Batch& batch) {
    if (batch.records.empty()) return;
    last_ = batch.last();
    for (std::size_t i = 0; i < batch.records.size(); ++i) {
      std::visit([&](const auto& fact) { follow(fact, batch, batch.first + i); }, batch.records[i]);
    }
  }

  /// By the low half of the fingerprint.
  [[nodiscard]] const std::map<std::uint64_t, Task>& tasks() const { return tasks_; }
  [[nodiscard]] std::size_t targets() const { return targets_.size(); }
  [[nodiscard]] Sequence last() const { return last_; }

 private:
  void follow(const record::Put& put, const Batch& batch, Sequence sequence) {
    const auto found = tasks_.find(put.task.task.low);
    const bool unfinished = found != tasks_.end() && !finished(found->second.state);
    ASSERT_EQ(unfinished, put.previous != 0) << "an unfinished task was overwritten";
    ASSERT_TRUE(!unfinished || waits(found->second.state));
    Task task{State::scheduled, put.task.due, put.task.group.low, 0, sequence, {}};
    for (const ContentRow& row : batch.contents) {
      if (row.number == sequence) task.content = row.bytes;
    }
    tasks_[put.task.task.low] = task;
  }
  void follow(const record::Keep& keep, const Batch&, Sequence) {
    const Task& task = tasks_.at(keep.task.task.low);
    if (task.number != keep.task.number) return;  // a dead letter beside its successor
    ASSERT_EQ(task.state, keep.task.state);
    ASSERT_EQ(task.attempt, keep.task.attempt);
    ASSERT_TRUE(finished(task.state) || task.due == keep.task.due);
  }
  void follow(const record::Move& move, const Batch&, Sequence) {
    Task& task = tasks_.at(move.task.low);
    ASSERT_TRUE(waits(task.state) && task.number == move.number);
    task.state = State::scheduled;
    task.due = move.due;
  }
  void follow(const record::Cancel& cancel, const Batch&, Sequence) {
    Task& task = tasks_.at(cancel.task.low);
    ASSERT_TRUE(waits(task.state) && task.number == cancel.number);
    task.state = State::cancelled;
  }
  void follow(const record::Fire& fire, const Batch&, Sequence) {
    Task& task = tasks_.at(fire.task.low);
    ASSERT_EQ(task.number, fire.number) << "an old content was fired";
    ASSERT_FALSE(finished(task.state)) << "a finished or cancelled task was fired";
    task.state = State::firing;
    ++task.attempt;
  }
  void follow(const record::Outcome& outcome, const Batch&, Sequence) {
    Task& task = tasks_.at(outcome.task.low);
    ASSERT_EQ(task.state, State::firing);
    task.state = outcome.state;
    if (task.state == State::retrying) task.due = outcome.retry_at;
  }
  void follow(const record::GroupCancel& cancel, const Batch&, Sequence) {
    for (auto& [id, task] : tasks_) {
      if (task.group == cancel.group.low && waits(task.state)) task.state = State::cancelled;
    }
  }
  void follow(const record::GroupShift& shift, const Batch& batch, Sequence) {
    for (auto& [id, task] : tasks_) {
      if (task.group != shift.group.low || task.state != State::scheduled) continue;
      task.due = std::max(task.due + shift.by, std::min(task.due, batch.at));
    }
  }
  void follow(const record::CancelRetries& cancel, const Batch&, Sequence) {
    ASSERT_EQ(tasks_.at(cancel.task.low).state, State::firing);
  }
  void follow(const record::Operation&, const Batch&, Sequence) {}
  void follow(const record::TargetHold&, const Batch&, Sequence) {}
  void follow(const record::TargetRelease&, const Batch&, Sequence) {}
  void follow(const record::LanePut&, const Batch&, Sequence) {}
  void follow(const record::LaneDelete&, const Batch&, Sequence) {}
  void follow(const record::TargetPut& put, const Batch&, Sequence) {
    targets_.insert(put.key.low);
  }
  void follow(const record::Remove&, const Batch&, Sequence) { FAIL() << "nobody asked for it"; }
  void follow(const record::TargetDelete&, const Batch&, Sequence) {
    FAIL() << "nobody asked for it";
  }

  std::map<std::uint64_t, Task> tasks_;
  std::set<std::uint64_t> targets_;
  Sequence last_ = 0;
};

}  // namespace carillon
