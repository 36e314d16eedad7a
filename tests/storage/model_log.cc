#include "tests/storage/model_log.h"

#include <utility>

#include "base/check.h"
#include "storage/note.h"
#include "storage/record_codec.h"

namespace carillon {

void ModelStream::append(Place place, const Message& message) {
  if (place != next()) return;
  messages_.push_back(message);
  if (taken_) taken_(message);
  // The newest batch with records stays, so that the sequences go on.
  const Sequence trim_before = message.batch.trim_before;
  while (messages_.size() > 1 && messages_.front().batch.first < trim_before) {
    messages_.pop_front();
    ++first_;
  }
}

const ModelStream::Message* ModelStream::at(Place place) const {
  return place < first_ || place >= next() ? nullptr : &messages_[place - first_];
}

ModelLog::ModelLog(Options options, std::shared_ptr<ModelStream> stream)
    : options_(std::move(options)), stream_(std::move(stream)) {
  start_mirror();
}

ModelLog::~ModelLog() = default;

void ModelLog::start_mirror() {
  mirror_ = std::make_shared<MemoryDisk>();
  mirror_->key = stream_->key();
  reader_ = std::make_unique<MemoryLog>(options_.post, AutoAck::yes, mirror_);
}

Result<> ModelLog::read(Sequence from, const std::function<void(Batch&&)>& visit,
                        const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  CARILLON_CHECK(!sending_);
  owner_ = fenced_ = false;
  start_mirror();
  for (next_ = stream_->first(); next_ < stream_->next(); ++next_) {
    const ModelStream::Message& message = *stream_->at(next_);
    if (!message.takes_over) mirror_->write(message.batch);
  }
  return reader_->read(from, visit, progress);
}

void ModelLog::append(Batch&& batch, AppendDone done) {
  CARILLON_CHECK(batch.records.empty() || batch.first == mirror_->last + 1);
  if (batch.records.empty() && !mirror_->batches.empty()) {
    batch.trim_before = std::min(batch.trim_before, mirror_->batches.rbegin()->first);
  }
  auto kept = std::make_shared<Batch>(std::move(batch));
  ModelStream::Message message{
      .nonce = stream_->new_nonce(), .from = options_.number, .batch = *kept};
  repeat_what_is_kept(message.batch);
  send(std::move(message), [this, kept, done = std::move(done)](Appended how) {
    if (how == Appended::committed) {
      ++counts_.commits;
      counts_.commit_bytes += mirror_->write(*kept);
    }
    done(how, std::move(*kept));
  });
}

/// What a Keep restates may stand in a part of the stream that is trimmed with it.
void ModelLog::repeat_what_is_kept(Batch& batch) const {
  for (const Record& record : batch.records) {
    const auto* const keep = std::get_if<record::Keep>(&record);
    if (keep == nullptr) continue;
    const TaskNumber number = keep->task.number;
    const auto content = mirror_->contents.find(number);
    if (content != mirror_->contents.end()) batch.contents.push_back({number, content->second});
    const auto note = mirror_->notes.find(number);
    if (note != mirror_->notes.end()) {
      batch.notes.push_back({number, decode_note(note->second).value()});
    }
  }
}

void ModelLog::take_over(std::function<void(Appended)> done) {
  send({.nonce = stream_->new_nonce(), .from = options_.number, .takes_over = true, .batch = {}},
       std::move(done));
}

void ModelLog::send(ModelStream::Message message, std::function<void(Appended)> done) {
  CARILLON_CHECK(!sending_ && !fenced_);
  sending_ = std::make_shared<Sending>(Sending{next_, std::move(message), std::move(done)});
  send_again(sending_);
}

void ModelLog::send_again(const std::shared_ptr<Sending>& sending) {
  const std::weak_ptr<bool> alive = alive_;
  // There and back. What is on its way when the node ends still arrives.
  options_.carry([this, alive, sending, stream = stream_, carry = options_.carry] {
    stream->append(sending->place, sending->message);
    Seen seen = stream->first() > sending->place ? Seen::another : Seen::nothing;
    if (const auto* there = stream->at(sending->place)) {
      seen = there->nonce == sending->message.nonce ? Seen::mine : Seen::another;
    }
    carry([this, alive, sending, seen] {
      if (!alive.expired()) decide(sending, seen);
    });
  });
  options_.wait([this, alive, sending] {
    if (!alive.expired() && sending_ == sending) send_again(sending);
  });
}

void ModelLog::decide(const std::shared_ptr<Sending>& sending, Seen seen) {
  if (sending_ != sending || seen == Seen::nothing) return;
  sending_.reset();
  owner_ = seen == Seen::mine;
  fenced_ = !owner_ && !sending->message.takes_over;
  if (owner_) ++next_;
  sending->done(owner_ ? Appended::committed : Appended::fenced);
}

void ModelLog::follow(Sequence from, std::uint64_t bytes, Followed done) {
  const std::weak_ptr<bool> alive = alive_;
  options_.wait([this, alive, from, bytes, done = std::move(done)]() mutable {
    if (alive.expired()) return;
    auto batches = take_from(from, bytes);
    if (!batches) return follow(from, bytes, std::move(done));
    done(*std::move(batches));
  });
}

/// Brings the mirror up to date on the way. Nothing: there is none yet.
std::optional<Result<std::vector<Batch>>> ModelLog::take_from(Sequence from, std::uint64_t bytes) {
  if (sending_ == nullptr && !owner_) {
    if (next_ < stream_->first()) return trimmed_error(from);
    for (; next_ < stream_->next(); ++next_) {
      const ModelStream::Message& message = *stream_->at(next_);
      if (!message.takes_over) mirror_->write(message.batch);
    }
  }
  if (from > mirror_->last) return std::nullopt;
  std::vector<Batch> batches;
  std::uint64_t read = 0;
  for (auto row = mirror_->batches.find(from); row != mirror_->batches.end(); ++row) {
    if (read >= bytes && !batches.empty()) break;
    batches.push_back(decode_batch(row->second).value());
    read += row->second.size();
  }
  if (batches.empty()) return trimmed_error(from);
  return batches;
}

void ModelLog::fetch(Fetch wanted, std::function<void(std::vector<Fetched>)> done) {
  reader_->fetch(std::move(wanted), std::move(done));
}

void ModelLog::read_oldest(std::uint64_t bytes, std::function<void(std::vector<Batch>)> done) {
  reader_->read_oldest(bytes, std::move(done));
}

void ModelLog::checkpoint(std::string dir, std::function<void(Result<>)> done) {
  reader_->checkpoint(std::move(dir), std::move(done));
}

LogStats ModelLog::stats() const {
  LogStats stats = reader_->stats();
  stats.commits = counts_.commits;
  stats.commit_bytes = counts_.commit_bytes;
  return stats;
}

void ModelLog::close() {
  alive_.reset();
  sending_.reset();
}

}  // namespace carillon
