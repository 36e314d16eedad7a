#include "storage/jetstream/message.h"

#include <random>

#include <fmt/format.h>

#include "storage/bytes.h"
#include "storage/note.h"
#include "storage/record_codec.h"

namespace carillon {

namespace {

constexpr std::uint8_t kMessageVersion = 1;
constexpr std::string_view kWhat = "a message of the stream";

void put_rows(ByteWriter& out, const Batch& batch) {
  out.varint(batch.first);
  out.varint(batch.contents.size());
  for (const ContentRow& content : batch.contents) {
    out.varint(content.number);
    out.text(content.bytes);
  }
  out.varint(batch.notes.size());
  for (const NoteRow& note : batch.notes) {
    out.varint(note.number);
    out.text(encode_note(note.note));
  }
}

/// A count of things of which each takes at least `bytes`.
std::uint64_t take_count(ByteReader& in, std::size_t bytes) {
  const std::uint64_t count = in.varint();
  if (count > in.remaining() / bytes) in.fail("more entries than there are bytes");
  return in.ok() ? count : 0;
}

Result<> take_rows(ByteReader& in, Batch& batch) {
  batch.first = in.varint();
  batch.contents.resize(take_count(in, 2));
  for (ContentRow& content : batch.contents) {
    content.number = in.varint();
    content.bytes = in.text();
  }
  batch.notes.resize(take_count(in, 2));
  for (NoteRow& row : batch.notes) {
    row.number = in.varint();
    const std::string_view bytes = in.text();
    if (!in.ok()) break;
    auto note = decode_note(bytes);
    if (!note) return std::move(note.error()).in(kWhat);
    row.note = std::move(*note);
  }
  return {};
}

void put_batch(ByteWriter& out, const StreamMessage& message) {
  const Batch& batch = message.batch;
  out.varint(batch.forgotten.size());
  for (const TaskNumber number : batch.forgotten) out.varint(number);
  out.varint(batch.trim_before);
  out.varint(message.contents_before);
  std::string row;
  if (!batch.records.empty()) encode_batch(batch, row);
  out.text(row);
}

Result<> take_batch(ByteReader& in, StreamMessage& message) {
  Batch& batch = message.batch;
  batch.forgotten.resize(take_count(in, 1));
  for (TaskNumber& number : batch.forgotten) number = in.varint();
  batch.trim_before = in.varint();
  message.contents_before = in.varint();
  const std::string_view row = in.text();
  if (row.empty() || !in.ok()) return {};
  auto decoded = decode_batch(row);
  if (!decoded) return std::move(decoded.error()).in(kWhat);
  if (decoded->first != batch.first || decoded->at != batch.at) {
    in.fail("a row of records that is not of this batch");
  }
  batch.records = std::move(decoded->records);
  return {};
}

}  // namespace

std::string encode_message(const StreamMessage& message) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kMessageVersion);
  out.u8(static_cast<std::uint8_t>(message.kind));
  out.hash(message.cluster);
  out.varint(message.epoch);
  out.hash(message.nonce);
  out.hash(message.previous);
  out.zigzag(message.batch.at.time_since_epoch().count());
  if (message.kind == StreamMessage::Kind::take_over) {
    out.hash(message.incarnation);
  } else {
    put_rows(out, message.batch);
  }
  if (message.kind == StreamMessage::Kind::batch) put_batch(out, message);
  seal_row(bytes);
  return bytes;
}

Result<StreamMessage> decode_message(std::string_view bytes) {
  const auto body = open_row(bytes, kMessageVersion, kWhat);
  if (!body) return body.error();
  ByteReader in(*body);
  static_cast<void>(in.u8());
  StreamMessage message;
  const std::uint8_t kind = in.u8();
  if (kind < 1 || kind > static_cast<std::uint8_t>(StreamMessage::Kind::take_over)) {
    in.fail("a kind that this program does not know");
  }
  message.kind = static_cast<StreamMessage::Kind>(kind);
  message.cluster = in.hash();
  message.epoch = in.varint();
  message.nonce = in.hash();
  message.previous = in.hash();
  message.batch.at = WallTime(Millis(in.zigzag()));
  Result<> taken;
  if (message.kind == StreamMessage::Kind::take_over) {
    message.incarnation = in.hash();
  } else {
    taken = take_rows(in, message.batch);
  }
  if (taken && message.kind == StreamMessage::Kind::batch) taken = take_batch(in, message);
  if (!taken) return taken.error();
  in.expect_end();
  if (!in.ok()) return in.error(kWhat);
  return message;
}

Hash128 hash_of_message(const Genesis& genesis, std::string_view bytes) {
  return siphash(genesis.key, bytes);
}

Result<bool> check_next(const Genesis& genesis, const StreamPosition& at, StreamPlace place,
                        const StreamMessage& message) {
  if (message.cluster != genesis.cluster) {
    return storage_error(fmt::format(
        "message {} is of the cluster {}, but this node belongs to {}; see that its [cluster] and "
        "its NATS servers belong together",
        place, hex_of(message.cluster), hex_of(genesis.cluster)));
  }
  if (at.place == 0 && place > 1) return true;  // a stream whose beginning was trimmed
  if (message.epoch < at.epoch) return false;
  if (message.previous != at.hash) {
    return storage_error(fmt::format(
        "the chain is broken: message {} follows one whose hash is {}, but that of message {} is "
        "{}",
        place, hex_of(message.previous), at.place, hex_of(at.hash)));
  }
  const bool begins_epoch = message.kind == StreamMessage::Kind::take_over;
  if (message.epoch != at.epoch + (begins_epoch ? 1 : 0)) {
    return storage_error(fmt::format("the chain is broken: message {} is of epoch {}, after {}",
                                     place, message.epoch, at.epoch));
  }
  return true;
}

Hash128 random_hash() {
  std::random_device random;  // the kernel's, through getentropy
  const auto word = [&random] { return std::uint64_t{random()} << 32 | random(); };
  const std::uint64_t low = word();
  return {low, word()};
}

std::string hex_of(const Hash128& hash) {
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

}  // namespace carillon
