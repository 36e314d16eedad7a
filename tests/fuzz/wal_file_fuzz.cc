// The reader of RocksDB's write-ahead log: with damage it finds fewer records, never other ones,
// and says so.
//
// The input is taken for a log itself, and as instructions: records to write and damage to do.

#include <algorithm>
#include <vector>

#include "storage/bytes.h"
#include "tests/fuzz/fuzz.h"
#include "tools/replay/wal_file.h"

namespace carillon::replay {
namespace {

constexpr std::size_t kBlockBytes = 32768;
constexpr std::size_t kHeaderBytes = 7;

std::vector<std::string> records_of(std::string_view file, std::vector<WalDamage>& damage) {
  std::vector<std::string> records;
  damage = read_wal(file, [&](std::string_view record) { records.emplace_back(record); });
  return records;
}

/// Appends a record as RocksDB does.
void append_record(std::string& file, std::string_view record) {
  for (bool first = true, last = false; !last; first = false) {
    const std::size_t room = kBlockBytes - file.size() % kBlockBytes;
    if (room < kHeaderBytes) file.append(room, '\0');
    const std::size_t left = kBlockBytes - file.size() % kBlockBytes - kHeaderBytes;
    const std::string_view bytes = record.substr(0, left);
    record.remove_prefix(bytes.size());
    last = record.empty();
    std::string summed(1, static_cast<char>(first ? (last ? 1 : 2) : (last ? 4 : 3)));
    summed += bytes;
    const std::uint32_t crc = crc32c_of(summed);
    ByteWriter header(file);
    header.fixed<4>((crc >> 15 | crc << 17) + 0xa282ead8);
    header.fixed<2>(bytes.size());
    file += summed;
  }
}

std::vector<std::string> make_records(fuzz::Input& input) {
  std::vector<std::string> records;
  for (std::uint8_t count = input.u8() % 8; count > 0; --count) {
    // Each says which it is, so that one cannot pass for another.
    std::string record = std::to_string(records.size()) + ":";
    const std::uint64_t pattern = input.number(1);
    // Up to three blocks, filled with something that is not zeros.
    record.append(input.number(2) % (3 * kBlockBytes), static_cast<char>(pattern % 255 + 1));
    records.push_back(std::move(record));
  }
  return records;
}

void damage_file(fuzz::Input& input, std::string& file) {
  while (!input.empty() && !file.empty()) {
    const std::uint8_t what = input.u8();
    const std::size_t at = input.number(3) % file.size();
    const std::size_t length = std::min<std::size_t>(input.number(2), file.size() - at);
    if (what % 4 == 0) file.replace(at, length, length, '\0');
    if (what % 4 == 1) file[at] = static_cast<char>(file[at] ^ (what >> 2 | 1));
    if (what % 4 == 2) file.resize(at);
    if (what % 4 == 3) {
      // What a page that was never written leaves.
      const std::size_t page = at / 4096 * 4096;
      const std::size_t bytes = std::min<std::size_t>(file.size() - page, 4096 * (1 + length % 16));
      file.replace(page, bytes, bytes, '\0');
    }
  }
}

void check_damaged(fuzz::Input input) {
  const std::vector<std::string> written = make_records(input);
  std::string file;
  for (const std::string& record : written) append_record(file, record);
  std::vector<WalDamage> damage;
  CARILLON_CHECK(records_of(file, damage) == written && damage.empty());

  damage_file(input, file);
  auto next = written.begin();
  bool lost = false;  // one that stood before another that was found
  for (const std::string& record : records_of(file, damage)) {
    const auto found = std::find(next, written.end(), record);
    CARILLON_CHECK(found != written.end());
    lost = lost || found != next;
    next = found + 1;
  }
  CARILLON_CHECK(!lost || std::ranges::any_of(damage, [](const auto& d) { return !d.at_end; }));
}

}  // namespace
}  // namespace carillon::replay

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<carillon::replay::WalDamage> damage;
  std::size_t bytes = 0;
  for (const std::string& record :
       carillon::replay::records_of(carillon::fuzz::text_of(data, size), damage)) {
    bytes += record.size();
  }
  CARILLON_CHECK(bytes <= size);
  for (const auto& place : damage) CARILLON_CHECK(place.offset < size);
  carillon::replay::check_damaged({data, size});
  return 0;
}
