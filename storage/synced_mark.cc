#include "storage/synced_mark.h"

#include <fmt/format.h>
#include <rocksdb/env.h>

#include "storage/bytes.h"
#include "storage/data_dir.h"

namespace carillon {

namespace {

constexpr std::string_view kMagic = "CARSYNC1";
/// Each slot has a page of its own: no write of one touches the other.
constexpr std::size_t kSlotStride = 4096;
constexpr std::size_t kSlotBytes = 8 + 8 + 8 + 4;

struct Slot {
  std::uint64_t generation = 0;
  Sequence sequence = 0;
};

std::string encode_slot(const Slot& slot) {
  std::string bytes(kMagic);
  ByteWriter out(bytes);
  out.fixed<8>(slot.generation);
  out.fixed<8>(slot.sequence);
  seal_row(bytes);
  return bytes;
}

std::optional<Slot> decode_slot(std::string_view bytes) {
  if (bytes.size() < kSlotBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  const std::string_view body = bytes.substr(0, kSlotBytes - 4);
  ByteReader in(bytes.substr(kMagic.size()));
  const Slot slot{in.fixed<8>(), in.fixed<8>()};
  if (in.fixed<4>() != crc32_of(body)) return std::nullopt;
  return slot;
}

/// The slot that counts.
Result<Slot> read_slots(rocksdb::Env* env, const std::string& path) {
  std::string bytes;
  if (const auto status = rocksdb::ReadFileToString(env, path, &bytes); !status.ok()) {
    return status_error(status, "reading " + path);
  }
  bytes.resize(2 * kSlotStride);
  const auto one = decode_slot(std::string_view(bytes).substr(0, kSlotStride));
  const auto two = decode_slot(std::string_view(bytes).substr(kSlotStride));
  if (!one && !two) {
    return storage_error(path + ": the mark of what was synced is damaged in both its slots");
  }
  if (!one || (two && two->generation > one->generation)) return *two;
  return *one;
}

}  // namespace

SyncedMark::SyncedMark() = default;
SyncedMark::~SyncedMark() = default;

Result<> SyncedMark::create(rocksdb::Env* env, const std::string& dir, const std::string& path,
                            Sequence sequence) {
  std::string bytes(2 * kSlotStride, '\0');
  bytes.replace(0, kSlotBytes, encode_slot({0, sequence}));
  bytes.replace(kSlotStride, kSlotBytes, encode_slot({1, sequence}));
  return write_file(env, dir, path, bytes);
}

Result<std::optional<Sequence>> SyncedMark::read(rocksdb::Env* env, const std::string& path) {
  if (env->FileExists(path).IsNotFound()) return std::optional<Sequence>();
  const auto slot = read_slots(env, path);
  if (!slot) return slot.error();
  return std::optional(slot->sequence);
}

Result<std::unique_ptr<SyncedMark>> SyncedMark::open(rocksdb::Env* env, const std::string& path) {
  const auto slot = read_slots(env, path);
  if (!slot) return slot.error();
  std::unique_ptr<SyncedMark> mark(new SyncedMark());
  mark->path_ = path;
  mark->generation_ = slot->generation;
  mark->sequence_ = slot->sequence;
  const auto status = env->NewRandomRWFile(path, &mark->file_, rocksdb::EnvOptions());
  if (!status.ok()) return status_error(status, "opening " + path);
  return mark;
}

Result<> SyncedMark::write(Sequence sequence) {
  const Slot slot{generation_ + 1, sequence};
  const std::string bytes = encode_slot(slot);
  auto status = file_->Write(slot.generation % 2 * kSlotStride, bytes);
  if (status.ok()) status = file_->Sync();
  if (!status.ok()) return status_error(status, "writing the mark " + path_);
  generation_ = slot.generation;
  sequence_ = sequence;
  return {};
}

}  // namespace carillon
