#include "cluster/seed.h"

#include <chrono>
#include <utility>

namespace carillon {

namespace {

/// A record with its statement takes less.
constexpr std::uint64_t kRecordBytes = 100;
constexpr std::uint64_t kMessageBytes = std::uint64_t{512} << 10;
constexpr std::chrono::milliseconds kPatience{60'000};

}  // namespace

ClusterSeed::ClusterSeed(Parts parts) : its_(std::move(parts)), keys_(its_.key) {
  genesis_.genesis = {random_hash(), its_.key};
  genesis_.shards = its_.wish.shards;
  for (ShardNumber shard = 0; shard < its_.wish.shards; ++shard) {
    streams_.push_back(std::make_unique<Stream>(its_.nats, shard_stream(its_.wish.name, shard)));
  }
}

Result<std::unique_ptr<ClusterSeed>> ClusterSeed::begin(Parts parts) {
  const auto made = make_shard_streams(parts.nats, parts.wish, parts.secret);
  if (!made) return made.error();
  const auto control = parts.nats.extent(control_stream(parts.wish.name));
  if (!control && control.error().slug != "no_stream") return control.error();
  if (!*made || (control && control->last > 0)) {
    return Error{"config",
                 "there is a cluster \"" + parts.wish.name +
                     "\" already. Give cluster.name another value, or use `carillon-replay post`.",
                 ""};
  }
  std::unique_ptr<ClusterSeed> seed(new ClusterSeed(std::move(parts)));
  for (const auto& stream : seed->streams_) {
    if (auto started = seed->start(*stream); !started) return started.error();
  }
  return seed;
}

Result<> ClusterSeed::start(Stream& stream) const {
  stream.next.kind = StreamMessage::Kind::take_over;
  stream.next.epoch = 1;
  stream.next.batch.at = its_.at;
  stream.next.incarnation = genesis_.genesis.cluster;
  if (auto sent = send(stream); !sent) return sent;
  stream.next.kind = StreamMessage::Kind::batch;
  stream.next.incarnation = {};
  stream.next.batch.first = its_.next;
  return {};
}

Result<> ClusterSeed::send(Stream& stream) const {
  StreamMessage& message = stream.next;
  message.cluster = genesis_.genesis.cluster;
  message.nonce = random_hash();
  message.previous = stream.at.hash;
  const std::string bytes = encode_message(message);
  const StreamPlace place = stream.at.place + 1;
  const auto how = stream.appender.append(place, bytes, kPatience);
  if (!how) return Error{"network", "NATS does not answer", ""};
  if (*how == Appended::fenced) {
    return Error{"network", "somebody else writes to the streams of this cluster", ""};
  }
  stream.at.place = place;
  stream.at.hash = hash_of_message(genesis_.genesis, bytes);
  if (!message.batch.records.empty()) message.batch.first = message.batch.last() + 1;
  message.batch.records.clear();
  message.batch.contents.clear();
  message.batch.notes.clear();
  stream.bytes = 0;
  return {};
}

Result<> ClusterSeed::send_if_full(Stream& stream) const {
  return stream.bytes < kMessageBytes ? Result<>() : send(stream);
}

Result<> ClusterSeed::add(const Record& settings) {
  for (const auto& stream : streams_) {
    stream->next.batch.records.push_back(settings);
    const auto* const target = std::get_if<record::TargetPut>(&settings);
    stream->bytes += kRecordBytes + (target == nullptr ? 0 : target->settings.size());
    if (auto sent = send_if_full(*stream); !sent) return sent;
  }
  return {};
}

Result<> ClusterSeed::add(const record::Operation& done) {
  // What the shards say is added up: one of them says what was done, all know that it was.
  record::Operation its = done;
  for (const auto& stream : streams_) {
    stream->next.batch.records.emplace_back(its);
    stream->bytes += kRecordBytes;
    its.count = 0;
    its.firing = 0;
    if (auto sent = send_if_full(*stream); !sent) return sent;
  }
  return {};
}

Result<> ClusterSeed::add(const Statement& task, std::string_view id, std::string_view content) {
  const ShardNumber shard = shard_of(keys_, id, its_.wish.shards);
  if (task.attempt > 0) attempted_.emplace(task.number, shard);
  Stream& stream = *streams_[shard];
  const std::uint64_t bytes = kRecordBytes + content.size();
  // One message takes one content of any size, and no more than fits beside it.
  if (stream.bytes > 0 && stream.bytes + bytes > kMessageBytes) {
    if (auto sent = send(stream); !sent) return sent;
  }
  stream.next.batch.records.emplace_back(record::Keep{task});
  stream.next.batch.contents.push_back({task.number, std::string(content)});
  stream.bytes += bytes;
  return send_if_full(stream);
}

Result<> ClusterSeed::add(TaskNumber number, Note note) {
  const auto found = attempted_.find(number);
  if (found == attempted_.end()) return {};
  Stream& stream = *streams_[found->second];
  stream.bytes += note.bytes();
  stream.next.batch.notes.push_back({number, std::move(note)});
  return send_if_full(stream);
}

Result<ClusterGenesis> ClusterSeed::finish(const std::vector<control::Change>& settings) {
  for (const auto& stream : streams_) {
    if (stream->bytes == 0) continue;
    if (auto sent = send(*stream); !sent) return sent.error();
  }
  auto made = make_control_stream(its_.nats, its_.wish, its_.secret, genesis_, settings);
  if (!made) return made.error();
  return genesis_;
}

}  // namespace carillon
