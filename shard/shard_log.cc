// The batch that is being filled, its sealing, and what cleaning the log restates.

#include <algorithm>

#include "shard/shard.h"

namespace carillon {
namespace {

constexpr std::size_t kLeftoverRows = 8192;       // deleted with one batch, some milliseconds' work
constexpr std::size_t kForgottenToCommit = 4096;  // rows to delete that are worth a commit

}  // namespace

bool Shard::wants_commit() const {
  return !open_.records().empty() || open_.forgotten() >= kForgottenToCommit ||
         cleaning_.restate_upto != 0 || !leftover_rows_.empty();
}

std::vector<Ticket> Shard::half_done_tickets() const {
  std::vector<Ticket> tickets;
  for (std::size_t i = 0; i < open_.records().size(); ++i) {
    if (std::holds_alternative<record::Operation>(open_.records()[i]))
      tickets.push_back(open_.tickets()[i]);
  }
  return tickets;
}

Batch Shard::seal(WallTime now, Batch spare, std::uint64_t bytes_max) {
  CARILLON_CHECK(!under_way_);
  Batch batch = std::move(spare);
  batch.first = last_sequence_ + 1;
  batch.at = now;
  batch.records.clear();
  batch.contents.clear();
  batch.notes.clear();
  batch.forgotten.clear();
  batch.trim_before = 0;

  if (!leftover_rows_.empty()) take_leftover_rows(batch.forgotten);
  if (cleaning_.restate_upto != 0) restate_into(batch);
  sealed_tickets_.assign(batch.records.size(), 0);
  open_.seal(bytes_max, batch, sealed_tickets_);
  targets_.close_push();
  last_sequence_ += batch.records.size();
  if (last_sequence_ >= cleaning_.trim_after)
    batch.trim_before = std::exchange(cleaning_.trim_upto, 0);
  under_way_ = true;
  return batch;
}

void Shard::take_leftover_rows(std::vector<TaskNumber>& rows) {
  const auto some = static_cast<std::ptrdiff_t>(std::min(leftover_rows_.size(), kLeftoverRows));
  rows.assign(leftover_rows_.end() - some, leftover_rows_.end());
  leftover_rows_.erase(leftover_rows_.end() - some, leftover_rows_.end());
}

/// Into a batch without records: what memory says of what is about to be trimmed. What is decided
/// but still open may already have changed memory, so the trim waits until that is sealed.
void Shard::restate_into(Batch& batch) {
  for (const TargetKey& key : cleaning_.targets) {
    const std::uint32_t index = targets_.find(key);
    if (index == kTargetsMax || targets_[index].deleted) continue;
    batch.records.emplace_back(targets_[index].settings);
  }
  for (const LaneNumber lane : cleaning_.lanes) {
    if (lanes()[lane].stands()) batch.records.emplace_back(lanes()[lane].settings);
  }
  for (const Hash128& key : cleaning_.operations) {
    if (const auto* done = operations_.find(key, now_)) batch.records.emplace_back(*done);
  }
  // Should the same batches have been handed back twice, each task is restated once.
  std::sort(cleaning_.tasks.begin(), cleaning_.tasks.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  cleaning_.tasks.erase(std::unique(cleaning_.tasks.begin(), cleaning_.tasks.end()),
                        cleaning_.tasks.end());
  for (const auto& [task, number] : cleaning_.tasks) {
    const EntryRef ref = find_number(task, number);
    if (ref != kNoEntry) batch.records.emplace_back(record::Keep{statement_of(ref, task)});
  }
  cleaning_.targets.clear();
  cleaning_.operations.clear();
  cleaning_.lanes.clear();
  cleaning_.tasks.clear();
  cleaning_.trim_after = last_sequence_ + batch.records.size() + open_.records().size();
  cleaning_.trim_upto = std::exchange(cleaning_.restate_upto, 0);
}

void Shard::restate(const std::vector<Batch>& oldest) {
  for (const Batch& batch : oldest) {
    for (std::size_t i = 0; i < batch.records.size(); ++i) {
      if (const auto* put = std::get_if<record::Put>(&batch.records[i])) {
        cleaning_.tasks.emplace_back(put->task.task, batch.first + i);
      } else if (const auto* keep = std::get_if<record::Keep>(&batch.records[i])) {
        cleaning_.tasks.emplace_back(keep->task.task, keep->task.number);
      } else if (const auto* target = std::get_if<record::TargetPut>(&batch.records[i])) {
        cleaning_.targets.push_back(target->key);
      } else if (const auto* hold = std::get_if<record::TargetHold>(&batch.records[i])) {
        // It may be ahead of the log, so it has its place among what is being decided.
        const std::uint32_t index = targets_.find(hold->key);
        if (index != kTargetsMax && targets_[index].hold.active()) {
          open_.append(targets_[index].hold.record(hold->key), 0);
        }
      } else if (const auto* lane = std::get_if<record::LanePut>(&batch.records[i])) {
        cleaning_.lanes.push_back(lane->number);
      } else if (const auto* done = std::get_if<record::Operation>(&batch.records[i])) {
        cleaning_.operations.push_back(done->name.key);
      } else if (const auto* cancel = std::get_if<record::GroupCancel>(&batch.records[i])) {
        if (cancel->operation.given()) cleaning_.operations.push_back(cancel->operation.key);
      } else if (const auto* shift = std::get_if<record::GroupShift>(&batch.records[i])) {
        if (shift->operation.given()) cleaning_.operations.push_back(shift->operation.key);
      }
    }
    cleaning_.restate_upto = std::max(cleaning_.restate_upto, batch.last() + 1);
  }
}

}  // namespace carillon
