// The batch that is being filled: what is decided and not yet on its way to the log.
//
// A record has its place in the order here, and what it brings belongs to that place: its content,
// its note, and the rows that nobody needs once it is durable. So the batch can be sealed in part:
// the first records go with all that belongs to them, the rest stays open, in order.
//
//     records     | Put | Fire | Outcome | Put | ...
//     contents    |  x  |      |         |  x  |
//     notes       |     |      |    x    |     |
//     forgotten   |     |      |         |  x  | x
//
// What is forgotten behind the last record goes with the next one, or with a batch that takes all
// there is.
//
// The number of a new content is the sequence of its record, known only when that is sealed.
//
// Bytes are counted from above, of records with their contents and notes: the log needs no more for
// them. The numbers of rows to delete are not counted.
//
// Concurrency: none; pure. Limitations: to seal a part moves all that stays.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shard/command.h"
#include "shard/record.h"

namespace carillon {

class OpenBatch {
 public:
  static constexpr std::uint64_t kNoLimit = UINT64_MAX;

  /// `ticket`: whom to answer once it is durable.
  void append(Record&& record, Ticket ticket);
  /// A Put, its content and, if given, the note that is kept beside that. `previous`, if not 0, is
  /// the number of the content that goes.
  void append_put(const Statement& task, TaskNumber previous, std::string&& content,
                  const Note* note, Ticket ticket);
  /// The record that is appended next brings that note to a task that has a number.
  void note(TaskNumber number, Note&& note);
  /// Once the record that is appended next is durable, nobody needs these rows.
  void forget(TaskNumber number) { forgotten_.push_back({records_.size(), number}); }

  [[nodiscard]] std::span<const Record> records() const { return records_; }
  [[nodiscard]] std::span<const Ticket> tickets() const { return tickets_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t forgotten() const { return forgotten_.size(); }

  /// Moves records to the end of `batch`, whose `first` is set, and their tickets to the end of
  /// `tickets`: as many as fit into `bytes_max` beside what it holds, and one at the least if it
  /// has none.
  void seal(std::uint64_t bytes_max, Batch& batch, std::vector<Ticket>& tickets);

 private:
  struct OpenNote {
    std::size_t record = 0;
    TaskNumber number = 0;  // 0: that of the record, a Put
    Note note;
  };
  struct ForgottenRow {
    std::size_t record = 0;
    TaskNumber number = 0;
  };

  [[nodiscard]] std::size_t count_fitting(std::uint64_t bytes_max, const Batch& batch) const;

  std::vector<Record> records_;
  std::vector<Ticket> tickets_;      // of each record
  std::vector<std::uint64_t> ends_;  // of each record: the bytes up to its end
  std::uint64_t bytes_ = 0;

  // What records bring, in their order, each with the index of its record.
  std::vector<ContentRow> contents_;  // the number is that index
  std::vector<OpenNote> notes_;
  std::vector<ForgottenRow> forgotten_;
};

}  // namespace carillon
