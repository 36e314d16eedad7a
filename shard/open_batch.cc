#include "shard/open_batch.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace carillon {
namespace {

/// No record takes more in the log, but for texts; nor does a note.
constexpr std::uint64_t kRecordBytes = 128;

std::uint64_t bytes_of(const Record& record) {
  if (const auto* target = std::get_if<record::TargetPut>(&record))
    return kRecordBytes + target->name.size() + target->settings.size();
  if (const auto* lane = std::get_if<record::LanePut>(&record))
    return kRecordBytes + lane->name.size();
  return kRecordBytes;
}

/// Moves the first `count` of `from` to the end of `to`; nearly always that is all, and `to` empty.
template <typename T>
void move_first(std::vector<T>& from, std::size_t count, std::vector<T>& to) {
  if (count == from.size() && to.empty()) return to.swap(from);
  const auto end = from.begin() + static_cast<std::ptrdiff_t>(count);
  to.insert(to.end(), std::move_iterator(from.begin()), std::move_iterator(end));
  from.erase(from.begin(), end);
}

/// Drops what belongs to the first `count` records; the others' indices begin behind them.
template <typename T>
void drop_first(std::vector<T>& rows, std::size_t dropped, std::size_t count) {
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(dropped));
  for (T& row : rows) row.record -= count;
}

}  // namespace

void OpenBatch::append(Record&& record, Ticket ticket) {
  bytes_ += bytes_of(record);
  records_.push_back(std::move(record));
  tickets_.push_back(ticket);
  ends_.push_back(bytes_);
}

void OpenBatch::append_put(const Statement& task, TaskNumber previous, std::string&& content,
                           const Note* note, Ticket ticket) {
  bytes_ += kRecordBytes + content.size();
  if (note != nullptr) this->note(0, Note(*note));
  if (previous != 0) forget(previous);
  contents_.push_back({records_.size(), std::move(content)});
  records_.emplace_back(std::in_place_type<record::Put>, task, previous);
  tickets_.push_back(ticket);
  ends_.push_back(bytes_);
}

void OpenBatch::note(TaskNumber number, Note&& note) {
  bytes_ += note.bytes();
  notes_.push_back({records_.size(), number, std::move(note)});
}

/// How many records fit beside those of `batch`.
std::size_t OpenBatch::count_fitting(std::uint64_t bytes_max, const Batch& batch) const {
  std::uint64_t held = 0;
  for (const Record& record : batch.records) held += bytes_of(record);
  if (held + bytes_ <= bytes_max) return records_.size();
  const std::uint64_t room = bytes_max - std::min(bytes_max, held);
  const auto count =
      static_cast<std::size_t>(std::ranges::upper_bound(ends_, room) - ends_.begin());
  const std::size_t least = batch.records.empty() ? 1 : 0;
  return std::min(std::max(count, least), records_.size());
}

void OpenBatch::seal(std::uint64_t bytes_max, Batch& batch, std::vector<Ticket>& tickets) {
  const std::size_t count = count_fitting(bytes_max, batch);
  const Sequence first = batch.first + batch.records.size();
  std::size_t contents = 0;
  for (; contents < contents_.size() && contents_[contents].number < count; ++contents) {
    TaskNumber& number = contents_[contents].number;
    std::get<record::Put>(records_[number]).task.number = first + number;
    number += first;
  }
  std::size_t notes = 0;
  for (; notes < notes_.size() && notes_[notes].record < count; ++notes) {
    OpenNote& its = notes_[notes];
    batch.notes.push_back({its.number == 0 ? first + its.record : its.number, std::move(its.note)});
  }
  // Rows to delete behind the last record go where all records do.
  const std::size_t upto = count == records_.size() ? count + 1 : count;
  std::size_t forgotten = 0;
  for (; forgotten < forgotten_.size() && forgotten_[forgotten].record < upto; ++forgotten) {
    batch.forgotten.push_back(forgotten_[forgotten].number);
  }
  const std::uint64_t bytes = count == 0 ? 0 : ends_[count - 1];
  move_first(records_, count, batch.records);
  move_first(tickets_, count, tickets);
  move_first(contents_, contents, batch.contents);
  for (ContentRow& row : contents_) row.number -= count;
  drop_first(notes_, notes, count);
  drop_first(forgotten_, forgotten, count);
  ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(count));
  for (std::uint64_t& end : ends_) end -= bytes;
  bytes_ -= bytes;
}

}  // namespace carillon
