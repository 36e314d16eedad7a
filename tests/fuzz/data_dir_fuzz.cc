// The small files of a data directory, FORMAT and SYNCED, and the rows and keys that are numbers.

#include <memory>

#include <rocksdb/env.h>

#include "storage/bytes.h"
#include "storage/data_dir.h"
#include "storage/store.h"
#include "storage/synced_mark.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

const DataDir kDir{"/data"};

/// A file system in memory that holds one file.
std::unique_ptr<rocksdb::Env> env_with(const std::string& path, std::string_view bytes) {
  std::unique_ptr<rocksdb::Env> env(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  CARILLON_CHECK(env->CreateDirIfMissing(kDir.path).ok());
  CARILLON_CHECK(rocksdb::WriteStringToFile(env.get(), {bytes.data(), bytes.size()}, path).ok());
  return env;
}

void check_mark(std::string_view bytes) {
  const auto env = env_with(kDir.mark(), bytes);
  const auto sequence = SyncedMark::read(env.get(), kDir.mark());
  const auto mark = SyncedMark::open(env.get(), kDir.mark());
  CARILLON_CHECK(sequence.has_value() == mark.has_value());
  if (!mark) return;
  CARILLON_CHECK(*sequence == (*mark)->sequence());
  // Another step of it is what the next start reads.
  if (!(*mark)->write(**sequence + 1)) return;
  const auto next = SyncedMark::read(env.get(), kDir.mark());
  CARILLON_CHECK(next && **next == **sequence + 1);
}

/// Each slot's checksum is put on, which no mutation would find.
void check_sealed_mark(fuzz::Input input) {
  std::string file(2 * 4096, '\0');
  for (std::size_t at = 0; at < file.size(); at += 4096) {
    std::string slot(input.take(24));
    if (slot.size() < 24) slot = "CARSYNC1" + slot + std::string(24, '\0');
    slot.resize(24);
    slot[15] = slot[23] = '\0';  // generation and sequence never come near 2^64
    seal_row(slot);
    file.replace(at, slot.size(), slot);
  }
  check_mark(file);
}

void check_format_file(std::string_view bytes) {
  const auto env = env_with(kDir.format(), bytes);
  if (!check_format(env.get(), kDir)) return;
  CARILLON_CHECK(bytes.starts_with("Carillon data directory, format "));
}

void check_numbers(std::string_view bytes) {
  if (const auto number = decode_meta_number(bytes)) {
    CARILLON_CHECK(encode_meta_number(*number) == bytes);
  }
  if (const auto number = row_number(bytes)) CARILLON_CHECK(row_key(*number) == bytes);
  if (const auto key = decode_sip_key(bytes)) {
    CARILLON_CHECK(encode_meta_number((*key)[0]) + encode_meta_number((*key)[1]) == bytes);
  }
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = carillon::fuzz::text_of(data, size);
  carillon::check_mark(bytes);
  carillon::check_sealed_mark({data, size});
  carillon::check_format_file(bytes);
  carillon::check_numbers(bytes);
  return 0;
}
