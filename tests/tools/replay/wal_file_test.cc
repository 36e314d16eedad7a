#include "tools/replay/wal_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/bytes.h"

namespace carillon::replay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kBlock = 32768;

/// Writes records as RocksDB does, cut into fragments at the ends of blocks.
class WalWriter {
 public:
  void add(std::string_view record) {
    bool first = true;
    do {
      const std::size_t room = kBlock - bytes_.size() % kBlock;
      if (room < 7) {
        bytes_.append(room, '\0');
        continue;
      }
      const std::string_view part = record.substr(0, room - 7);
      record.remove_prefix(part.size());
      fragment(first ? (record.empty() ? 1 : 2) : (record.empty() ? 4 : 3), part);
      first = false;
    } while (!record.empty() || first);
  }
  std::string& bytes() { return bytes_; }

 private:
  void fragment(int type, std::string_view part) {
    const std::string summed = std::string(1, static_cast<char>(type)) + std::string(part);
    const std::uint32_t crc = crc32c_of(summed);
    ByteWriter out(bytes_);
    out.fixed<4>((crc >> 15 | crc << 17) + 0xa282ead8);
    out.fixed<2>(part.size());
    bytes_ += summed;
  }
  std::string bytes_;
};

struct Read {
  std::vector<std::string> records;
  std::vector<WalDamage> damage;
};

Read read(std::string_view bytes) {
  Read result;
  result.damage =
      read_wal(bytes, [&](std::string_view record) { result.records.emplace_back(record); });
  return result;
}

TEST(WalFile, checksum_is_that_of_the_standard) {
  EXPECT_EQ(crc32c_of("123456789"), 0xe3069283U);  // RFC 3720, B.4
}

TEST(WalFile, records_come_back_also_over_several_blocks) {
  WalWriter writer;
  const std::string large(100'000, 'x');
  writer.add("one");
  writer.add(large);
  writer.add("three");
  writer.bytes().append(5000, '\0');  // reserved and never written
  const Read result = read(writer.bytes());
  EXPECT_THAT(result.records, ElementsAre("one", large, "three"));
  EXPECT_THAT(result.damage, IsEmpty());
}

TEST(WalFile, record_before_the_end_of_a_block_leaves_no_room_for_a_header) {
  WalWriter writer;
  writer.add(std::string(kBlock - 7 - 3, 'a'));
  writer.add("next");
  EXPECT_THAT(read(writer.bytes()).records, SizeIs(2));
}

TEST(WalFile, damaged_record_costs_itself_alone) {
  WalWriter writer;
  writer.add("one");
  const std::size_t at = writer.bytes().size() + 8;
  writer.add("two");
  writer.add("three");
  writer.bytes()[at] = '!';
  const Read result = read(writer.bytes());
  EXPECT_THAT(result.records, ElementsAre("one", "three"));
  ASSERT_THAT(result.damage, SizeIs(1));
  EXPECT_EQ(result.damage[0].offset, at - 8);
  EXPECT_FALSE(result.damage[0].at_end);
}

TEST(WalFile, damaged_length_costs_the_rest_of_its_block) {
  WalWriter writer;
  writer.add("one");
  writer.bytes()[5] = '\x7f';
  writer.add("two");
  writer.add(std::string(kBlock, 'x'));
  writer.add("four");
  const Read result = read(writer.bytes());
  EXPECT_THAT(result.records, ElementsAre("four"));
  EXPECT_FALSE(result.damage.empty());
}

TEST(WalFile, record_whose_middle_is_zeros_is_not_put_together_without_it) {
  WalWriter writer;
  writer.add("one");
  writer.add(std::string(3 * kBlock, 'x'));
  writer.add("three");
  writer.bytes().replace(kBlock, kBlock, kBlock, '\0');
  const Read result = read(writer.bytes());
  EXPECT_THAT(result.records, ElementsAre("one", "three"));
  ASSERT_THAT(result.damage, SizeIs(1));
  EXPECT_EQ(result.damage[0].offset, kBlock);
  EXPECT_FALSE(result.damage[0].at_end);
}

TEST(WalFile, zeros_where_whole_records_were_are_damage) {
  WalWriter writer;
  writer.add(std::string(kBlock - 7, 'a'));
  writer.add(std::string(kBlock - 7, 'b'));
  writer.add(std::string(kBlock - 7, 'c'));
  writer.bytes().replace(kBlock, kBlock, kBlock, '\0');
  const Read result = read(writer.bytes());
  EXPECT_THAT(result.records, SizeIs(2));
  ASSERT_THAT(result.damage, SizeIs(1));
  EXPECT_EQ(result.damage[0].offset, kBlock);
  EXPECT_FALSE(result.damage[0].at_end);
}

TEST(WalFile, torn_last_record_is_told_as_such) {
  WalWriter writer;
  writer.add("one");
  writer.add(std::string(1000, 'x'));
  for (const std::size_t cut : {1U, 500U, 1003U}) {
    std::string bytes = writer.bytes();
    bytes.resize(bytes.size() - cut);
    const Read result = read(bytes);
    EXPECT_THAT(result.records, ElementsAre("one")) << cut;
    ASSERT_THAT(result.damage, SizeIs(1)) << cut;
    EXPECT_TRUE(result.damage[0].at_end);
  }
}

TEST(WalFile, any_bytes_end_without_a_crash) {
  std::uint64_t state = 1;
  for (int round = 0; round < 300; ++round) {
    WalWriter writer;
    for (int i = 0; i < 20; ++i) writer.add(std::string(static_cast<std::size_t>(i) * 300, 'a'));
    for (int i = 0; i < 50; ++i) {
      state = state * 6364136223846793005 + 1442695040888963407;
      writer.bytes()[(state >> 33) % writer.bytes().size()] = static_cast<char>(state >> 25);
    }
    EXPECT_LE(read(writer.bytes()).records.size(), 20U);
  }
}

}  // namespace
}  // namespace carillon::replay
