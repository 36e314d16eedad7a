#include "storage/memory_log.h"

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

struct MemoryLog::Append {
  Batch batch;
  std::function<void(Batch&&)> done;
  bool durable = false;
  bool over = false;  // `done` has been called
};

MemoryLog::MemoryLog(Post post, AutoAck auto_ack, std::shared_ptr<MemoryDisk> disk)
    : post_(std::move(post)), auto_ack_(auto_ack), disk_(std::move(disk)) {
  for (const auto& [first, row] : disk_->batches) stats_.log_bytes += row.size();
}

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
    if (progress) progress(bytes, stats_.log_bytes);
  }
  if (disk_->clock > latest) {
    Batch time_alone;
    time_alone.first = disk_->last + 1;
    time_alone.at = disk_->clock;
    visit(std::move(time_alone));
  }
  return {};
}

void MemoryLog::append(Batch&& batch, std::function<void(Batch&&)> done) {
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
  const Batch& batch = append_->batch;
  std::string row;
  if (!batch.records.empty()) {
    encode_batch(batch, row);
    disk_->last = batch.last();
    stats_.log_bytes += row.size();
    disk_->batches[batch.first] = row;
  } else {
    disk_->clock = batch.at;
  }
  stats_.commit_bytes += row.size();
  for (const ContentRow& content : batch.contents) {
    disk_->contents[content.number] = content.bytes;
    stats_.commit_bytes += content.bytes.size();
  }
  for (const NoteRow& note : batch.notes) disk_->notes[note.number] = encode_note(note.note);
  for (const TaskNumber number : batch.forgotten) {
    disk_->contents.erase(number);
    disk_->notes.erase(number);
  }
  while (disk_->batches.size() > 1 && disk_->batches.begin()->first < batch.trim_before) {
    stats_.log_bytes -= disk_->batches.begin()->second.size();
    disk_->batches.erase(disk_->batches.begin());
  }
  ++stats_.commits;
  append_->durable = true;
}

void MemoryLog::ack_next() {
  CARILLON_CHECK(in_flight());
  if (!append_->durable) sync_next();
  post_([append = append_] {
    append->over = true;
    append->done(std::move(append->batch));
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

void MemoryLog::read_oldest(std::uint64_t bytes, std::function<void(std::vector<Batch>)> done) {
  std::vector<Batch> oldest;
  std::uint64_t read = 0;
  for (const auto& [first, row] : disk_->batches) {
    if (read >= bytes && !oldest.empty()) break;
    auto batch = decode_batch(row);
    CARILLON_CHECK(batch.has_value());
    oldest.push_back(std::move(*batch));
    read += row.size();
  }
  post_(
      [oldest = std::move(oldest), done = std::move(done)]() mutable { done(std::move(oldest)); });
}

void MemoryLog::checkpoint(std::string dir, std::function<void(Result<>)> done) {
  post_([dir = std::move(dir), done = std::move(done)] {
    done(storage_error(dir + ": a log in memory has nothing to copy"));
  });
}

LogStats MemoryLog::stats() const {
  LogStats stats = stats_;
  stats.low_on_space = disk_->low_on_space;
  stats.short_of_space = disk_->short_of_space;
  return stats;
}

void MemoryLog::close() {}

}  // namespace carillon
