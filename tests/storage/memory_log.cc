#include "tests/storage/memory_log.h"

#include <utility>

#include "base/check.h"
#include "storage/bytes.h"
#include "storage/content.h"
#include "storage/note.h"
#include "storage/record_codec.h"

namespace carillon {

namespace {

std::optional<std::string> find_row(const std::map<TaskNumber, std::string>& rows,
                                    TaskNumber number) {
  const auto row = rows.find(number);
  return row == rows.end() ? std::nullopt : std::optional(row->second);
}

}  // namespace

std::uint64_t MemoryDisk::write(const Batch& batch) {
  std::string row;
  if (!batch.records.empty()) {
    encode_batch(batch, row);
    last = batch.last();
    log_bytes += row.size();
    batches[batch.first] = row;
  } else {
    clock = batch.at;
  }
  std::uint64_t bytes = row.size();
  for (const ContentRow& content : batch.contents) {
    contents[content.number] = content.bytes;
    bytes += content.bytes.size();
  }
  for (const NoteRow& note : batch.notes) notes[note.number] = encode_note(note.note);
  for (const TaskNumber number : batch.forgotten) {
    contents.erase(number);
    notes.erase(number);
  }
  while (batches.size() > 1 && batches.begin()->first < batch.trim_before) {
    log_bytes -= batches.begin()->second.size();
    batches.erase(batches.begin());
  }
  return bytes;
}

struct MemoryLog::Append {
  Batch batch;
  AppendDone done;
  bool durable = false;
  bool over = false;  // `done` has been called
};

MemoryLog::MemoryLog(Post post, AutoAck auto_ack, std::shared_ptr<MemoryDisk> disk)
    : post_(std::move(post)), auto_ack_(auto_ack), disk_(std::move(disk)) {}

MemoryLog::~MemoryLog() = default;

SipKey MemoryLog::key() const {
  return disk_->key;
}

Result<> MemoryLog::read(Sequence from, const std::function<void(Batch&&)>& visit,
                         const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  Sequence expected = 0;
  WallTime latest{};
  std::uint64_t bytes = 0;
  for (const auto& [first, row] : disk_->batches) {
    auto batch = decode_batch(row);
    if (!batch) return batch.error();
    if (batch->first != first || (expected != 0 && first != expected)) {
      return storage_error("a gap before sequence " + std::to_string(first));
    }
    expected = batch->last() + 1;
    latest = std::max(latest, batch->at);
    bytes += row.size();
    if (batch->last() < from) continue;
    visit(std::move(*batch));
    if (progress) progress(bytes, disk_->log_bytes);
  }
  if (disk_->clock > latest) {
    Batch time_alone;
    time_alone.first = disk_->last + 1;
    time_alone.at = disk_->clock;
    visit(std::move(time_alone));
  }
  return {};
}

void MemoryLog::append(Batch&& batch, AppendDone done) {
  CARILLON_CHECK(!in_flight());
  CARILLON_CHECK(batch.records.empty() || batch.first == disk_->last + 1);
  if (batch.records.empty() && !disk_->batches.empty()) {
    batch.trim_before = std::min(batch.trim_before, disk_->batches.rbegin()->first);
  }
  append_ = std::make_shared<Append>(Append{std::move(batch), std::move(done)});
  if (auto_ack_ == AutoAck::yes) ack_next();
}

bool MemoryLog::in_flight() const {
  return append_ && !append_->over;
}

void MemoryLog::sync_next() {
  CARILLON_CHECK(in_flight() && !append_->durable);
  stats_.commit_bytes += disk_->write(append_->batch);
  ++stats_.commits;
  append_->durable = true;
  for (Follower& one : std::exchange(followers_, {})) {
    follow(one.from, one.bytes, std::move(one.done));
  }
}

void MemoryLog::ack_next() {
  CARILLON_CHECK(in_flight());
  if (!append_->durable) sync_next();
  post_([append = append_] {
    append->over = true;
    append->done(Appended::committed, std::move(append->batch));
  });
}

void MemoryLog::fetch(Fetch wanted, std::function<void(std::vector<Fetched>)> done) {
  std::vector<Fetched> fetched;
  std::uint64_t bytes = 0;
  for (const TaskNumber number : wanted.numbers) {
    Fetched& one = fetched.emplace_back();
    one.number = number;
    one.left_out = bytes >= wanted.bytes_max;
    if (one.left_out) continue;
    one.content = find_row(disk_->contents, number);
    if (one.content && wanted.heads) one.content = head_of_content(*one.content);
    if (one.content) bytes += one.content->size();
    const auto row = wanted.notes ? find_row(disk_->notes, number) : std::nullopt;
    if (!row) continue;
    auto note = decode_note(*row);
    CARILLON_CHECK(note.has_value());
    one.note = std::move(*note);
  }
  post_([fetched = std::move(fetched), done = std::move(done)]() mutable {
    done(std::move(fetched));
  });
}

std::vector<Batch> MemoryLog::batches_from(Sequence first, std::uint64_t bytes) const {
  std::vector<Batch> batches;
  std::uint64_t read = 0;
  for (auto row = disk_->batches.lower_bound(first); row != disk_->batches.end(); ++row) {
    if (read >= bytes && !batches.empty()) break;
    auto batch = decode_batch(row->second);
    CARILLON_CHECK(batch.has_value());
    batches.push_back(std::move(*batch));
    read += row->second.size();
  }
  return batches;
}

void MemoryLog::read_oldest(std::uint64_t bytes, std::function<void(std::vector<Batch>)> done) {
  post_([oldest = batches_from(0, bytes), done = std::move(done)]() mutable {
    done(std::move(oldest));
  });
}

void MemoryLog::follow(Sequence from, std::uint64_t bytes, Followed done) {
  if (from > disk_->last) {
    followers_.push_back({from, bytes, std::move(done)});
    return;
  }
  std::vector<Batch> batches = batches_from(from, bytes);
  const bool whole = !batches.empty() && batches.front().first == from;
  post_([whole, batches = std::move(batches), from, done = std::move(done)]() mutable {
    done(whole ? Result<std::vector<Batch>>(std::move(batches)) : trimmed_error(from));
  });
}

void MemoryLog::checkpoint(std::string dir, std::function<void(Result<>)> done) {
  post_([dir = std::move(dir), done = std::move(done)] {
    done(storage_error(dir + ": a log in memory has nothing to copy"));
  });
}

LogStats MemoryLog::stats() const {
  LogStats stats = stats_;
  stats.log_bytes = disk_->log_bytes;
  stats.low_on_space = disk_->low_on_space;
  stats.short_of_space = disk_->short_of_space;
  return stats;
}

void MemoryLog::close() {
  followers_.clear();
}

}  // namespace carillon
