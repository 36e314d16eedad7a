// The batch that is being filled, its sealing, and what cleaning the log restates.

#include <algorithm>

#include "shard/shard.h"

namespace carillon {
namespace {

constexpr std::size_t kLeftoverRows = 8192;  // deleted with one batch, some milliseconds' work
constexpr std::size_t kForgottenToCommit =
    4096;  // rows to delete that are worth a commit of their own

}  // namespace

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

  batch.trim_before = restate_upto_;
  if (restate_upto_ != 0) restate_into(batch);
  sealed_tickets_.assign(batch.records.size(), 0);

  const Sequence first_open = batch.first + batch.records.size();
  for (ContentRow& row : open_.contents) {
    std::get<record::Put>(open_.records[row.number]).task.number = first_open + row.number;
    row.number += first_open;
  }
  for (NoteRow& row : open_.put_notes) {
    open_.notes.push_back({row.number + first_open, std::move(row.note)});
  }
  open_.put_notes.clear();
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

/// Into a batch that is still empty: what memory says of what is about to be trimmed.
void Shard::restate_into(Batch& batch) {
  for (const TargetKey& key : restate_targets_) {
    const std::uint32_t index = find_target(key);
    if (index == kTargetsMax || targets_[index].deleted) continue;
    batch.records.emplace_back(targets_[index].settings);
  }
  for (const Hash128& key : restate_operations_) {
    if (const auto* done = operations_.find(key, now_)) batch.records.emplace_back(*done);
  }
  // Should the same batches have been handed back twice, each task is restated once.
  std::sort(restate_.begin(), restate_.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  restate_.erase(std::unique(restate_.begin(), restate_.end()), restate_.end());
  for (const auto& [task, number] : restate_) {
    const EntryRef ref = find_number(task, number);
    if (ref != kNoEntry) batch.records.emplace_back(record::Keep{statement_of(ref, task)});
  }
  restate_targets_.clear();
  restate_operations_.clear();
  restate_.clear();
  restate_upto_ = 0;
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
      } else if (const auto* hold = std::get_if<record::TargetHold>(&batch.records[i])) {
        // It may be ahead of the log, so it has its place among what is being decided.
        const std::uint32_t index = find_target(hold->key);
        if (index != kTargetsMax && targets_[index].hold.active()) {
          propose(targets_[index].hold.record(hold->key), 0);
        }
      } else if (const auto* done = std::get_if<record::Operation>(&batch.records[i])) {
        restate_operations_.push_back(done->name.key);
      } else if (const auto* cancel = std::get_if<record::GroupCancel>(&batch.records[i])) {
        if (cancel->operation.given()) restate_operations_.push_back(cancel->operation.key);
      } else if (const auto* shift = std::get_if<record::GroupShift>(&batch.records[i])) {
        if (shift->operation.given()) restate_operations_.push_back(shift->operation.key);
      }
    }
    restate_upto_ = std::max(restate_upto_, batch.last() + 1);
  }
}

}  // namespace carillon
