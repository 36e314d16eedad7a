// Damaged data directories: what was never acknowledged may be missing, what was may not.
#include "tests/storage/damage.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "storage/content.h"
#include "storage/data_dir.h"

namespace carillon {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Damage : public ::testing::Test {
 protected:
  /// Opening is refused for a reason with these words, and changes nothing.
  void expect_refused(const std::string& words) {
    const auto before = files_of(dir_);
    const LogHarness harness(dir_);
    EXPECT_FALSE(harness.log);
    EXPECT_THAT(harness.error, AllOf(HasSubstr(words), HasSubstr(dir_)));
    EXPECT_TRUE(files_of(dir_) == before) << "files were changed";
  }
  /// It opens, and all `batches` are there.
  void expect_whole(std::size_t batches) {
    LogHarness harness(dir_);
    ASSERT_TRUE(harness.log) << harness.error;
    EXPECT_THAT(harness.read(), SizeIs(batches));
    EXPECT_EQ(harness.error, "");
  }

  /// The same; it takes more, and has that at the next start.
  void expect_goes_on(std::size_t batches) {
    {
      LogHarness harness(dir_);
      ASSERT_TRUE(harness.log) << harness.error;
      EXPECT_THAT(harness.read(), SizeIs(batches));
      EXPECT_TRUE(harness.append(put_batch(1 + 10 * batches, 10)));
    }
    expect_whole(batches + 1);
  }

  static constexpr std::size_t kWalBlock = 32 << 10;
  const TempDir temp_;
  const std::string dir_ = temp_ / "data";
};

TEST_F(Damage, crash_alone_loses_nothing) {
  make_crashed(dir_, 20);
  expect_whole(20);
}

TEST_F(Damage, synced_wal_cut_short_is_refused_untouched) {
  make_crashed(dir_, 20);
  const std::string wal = largest(dir_ + "/db", ".log");
  std::filesystem::resize_file(wal, end_of_wal(wal) / 2);
  expect_refused("synced up to sequence 200, but can be read only up to");
  expect_refused("carillon-replay rebuild");
}

TEST_F(Damage, synced_wal_without_its_last_byte_is_refused) {
  make_crashed(dir_, 20);
  const std::string wal = largest(dir_ + "/db", ".log");
  std::filesystem::resize_file(wal, end_of_wal(wal) - 1);
  expect_refused("can be read only up to 190");
}

TEST_F(Damage, flipped_bit_in_synced_wal_is_refused) {
  make_crashed(dir_, 20);
  const std::string wal = largest(dir_ + "/db", ".log");
  flip_bit(wal, end_of_wal(wal) / 3);
  expect_refused("synced up to sequence 200");
}

TEST_F(Damage, deleted_wal_is_refused) {
  make_crashed(dir_, 20);
  std::filesystem::remove(largest(dir_ + "/db", ".log"));
  expect_refused("can be read only up to 0");
}

TEST_F(Damage, torn_tail_that_was_never_synced_starts_and_goes_on) {
  make_crashed(dir_, 20);
  const std::string wal = largest(dir_ + "/db", ".log");
  trim_wal(wal);
  const std::string whole = read_bytes(wal);
  write_bytes(wal, whole + whole.substr(whole.size() - 300, 150));
  expect_goes_on(20);
}

TEST_F(Damage, torn_tail_in_front_of_zeros_starts_and_goes_on) {
  make_crashed(dir_, 20);
  const std::string wal = largest(dir_ + "/db", ".log");
  std::string bytes = read_bytes(wal);
  const std::size_t end = end_of_wal(wal);
  ASSERT_GT(bytes.size(), end + 150);
  bytes.replace(end, 150, bytes.substr(end - 300, 150));
  write_bytes(wal, bytes);
  expect_goes_on(20);
}

/// As of a recycled or compressed log, or of a version of RocksDB to come.
TEST_F(Damage, fragment_of_a_kind_that_is_never_written_ends_the_log) {
  for (const int kind : {5, 6, 7, 8, 9, 10, 11, 130, 131, 255}) {
    SCOPED_TRACE(kind);
    std::filesystem::remove_all(dir_);
    make_crashed(dir_, 20);
    const std::string wal = largest(dir_ + "/db", ".log");
    trim_wal(wal);
    std::string bytes = read_bytes(wal);
    bytes += std::string("\1\2\3\4\40\0", 6) + static_cast<char>(kind) + std::string(40, 'x');
    write_bytes(wal, bytes);
    expect_goes_on(20);
  }
}

TEST_F(Damage, record_over_many_blocks_whose_later_ones_are_zeros_is_none_that_was_synced) {
  make_crashed(dir_, 20);
  const std::string wal = largest(dir_ + "/db", ".log");
  const std::size_t end = end_of_wal(wal);
  std::filesystem::remove_all(dir_);
  {
    const TempDir temp;
    LogHarness harness(temp / "data");
    ASSERT_TRUE(harness.log) << harness.error;
    for (Sequence i = 0; i < 20; ++i) ASSERT_TRUE(harness.append(put_batch(1 + 10 * i, 10)));
    wait_for_mark(temp / "data", 200);
    const std::string mark = read_bytes(temp / "data" + "/SYNCED");
    ASSERT_TRUE(harness.append(put_batch(201, 10, std::string(20'000, 'x'))));
    std::filesystem::copy(temp / "data", dir_, std::filesystem::copy_options::recursive);
    write_bytes(dir_ + "/SYNCED", mark);
  }
  std::string bytes = read_bytes(wal);
  const std::size_t from = (end / kWalBlock + 2) * kWalBlock;
  ASSERT_GT(end_of_wal(wal), from + kWalBlock);
  bytes.replace(from, bytes.size() - from, bytes.size() - from, '\0');
  write_bytes(wal, bytes);
  expect_goes_on(20);
}

TEST_F(Damage, crash_after_crash_loses_nothing) {
  make_crashed(dir_, 20);
  for (Sequence more = 0; more < 3; ++more) {
    const TempDir temp;
    {
      LogHarness harness(dir_);
      ASSERT_TRUE(harness.log) << harness.error;
      ASSERT_TRUE(harness.append(put_batch(201 + 10 * more, 10)));
      wait_for_mark(dir_, 210 + 10 * more);
      wait_for_space(dir_);
      std::filesystem::copy(dir_, temp / "data", std::filesystem::copy_options::recursive);
    }
    std::filesystem::remove_all(dir_);
    std::filesystem::copy(temp / "data", dir_, std::filesystem::copy_options::recursive);
  }
  expect_whole(23);
}

TEST_F(Damage, log_that_was_closed_ends_with_its_records) {
  make_stopped(dir_, 20);
  const std::string wal = largest(dir_ + "/db", ".log");
  EXPECT_EQ(std::filesystem::file_size(wal), end_of_wal(wal));
}

TEST_F(Damage, missing_current_is_refused_and_nothing_is_deleted) {
  make_stopped(dir_, 20);
  std::filesystem::remove(dir_ + "/db/CURRENT");
  expect_refused("db/CURRENT is missing");
}

TEST_F(Damage, manifest_cut_short_is_refused) {
  make_stopped(dir_, 20);
  for (const auto& entry : std::filesystem::directory_iterator(dir_ + "/db")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) {
      std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
    }
  }
  expect_refused("carillon-replay rebuild");
}

TEST_F(Damage, missing_table_is_refused) {
  make_stopped(dir_, 20);
  std::filesystem::remove(largest(dir_ + "/db", ".sst"));
  expect_refused("carillon-replay rebuild");
}

/// How many of the first 200 contents do not come back. Those that do are as they were.
int lost_contents(LogHarness& harness, const std::string& body) {
  int lost = 0;
  std::vector<TaskNumber> numbers(200);
  std::iota(numbers.begin(), numbers.end(), TaskNumber{1});
  for (const Fetched& fetched : harness.fetch(numbers)) {
    EXPECT_TRUE(fetched.content);
    const std::string row = fetched.content.value_or("");
    const auto content = decode_content(row);
    if (content) {
      EXPECT_EQ(content->body, body);
    } else {
      ++lost;
    }
  }
  return lost;
}

TEST_F(Damage, flipped_bits_in_tables_never_give_a_wrong_record_or_content) {
  const std::string body(500, 'x');
  const std::string whole = temp_ / "whole";
  make_stopped(whole, 20, body);
  int noticed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(whole + "/db")) {
    if (entry.path().extension() != ".sst") continue;
    for (std::uintmax_t part = 0; part < 8; ++part) {
      std::filesystem::remove_all(dir_);
      std::filesystem::copy(whole, dir_, std::filesystem::copy_options::recursive);
      flip_bit(dir_ + "/db/" + entry.path().filename().string(), entry.file_size() * part / 8);
      LogHarness harness(dir_);
      const auto batches = harness.log ? harness.read() : std::vector<Batch>();
      if (!harness.error.empty()) {
        ++noticed;
        continue;
      }
      EXPECT_THAT(batches, SizeIs(20));
      noticed += lost_contents(harness, body);
    }
  }
  EXPECT_GT(noticed, 4);
}

TEST_F(Damage, newer_format_is_refused_with_what_to_do) {
  make_stopped(dir_, 1);
  const std::string newer = "format " + std::to_string(kFormatVersion + 1);
  write_bytes(dir_ + "/FORMAT", "Carillon data directory, " + newer + "\n");
  expect_refused("has " + newer + ", written by a newer Carillon");
}

TEST_F(Damage, unreadable_format_is_refused) {
  make_stopped(dir_, 1);
  write_bytes(dir_ + "/FORMAT", "nonsense\n");
  expect_refused("says no format version");
}

TEST_F(Damage, data_without_format_is_refused) {
  make_stopped(dir_, 1);
  std::filesystem::remove(dir_ + "/FORMAT");
  expect_refused("FORMAT is missing");
}

TEST_F(Damage, data_without_mark_is_refused) {
  make_stopped(dir_, 1);
  std::filesystem::remove(dir_ + "/SYNCED");
  expect_refused("SYNCED is missing");
}

TEST_F(Damage, mark_damaged_in_one_slot_still_counts) {
  make_crashed(dir_, 20);
  flip_bit(dir_ + "/SYNCED", 10);
  expect_whole(20);
}

TEST_F(Damage, mark_damaged_in_both_slots_is_refused) {
  make_crashed(dir_, 20);
  flip_bit(dir_ + "/SYNCED", 10);
  flip_bit(dir_ + "/SYNCED", 4096 + 10);
  expect_refused("damaged in both");
}

TEST_F(Damage, directory_whose_making_was_cut_short_is_completed) {
  make_stopped(dir_, 0);
  std::filesystem::remove(dir_ + "/SYNCED");
  expect_whole(0);
  std::filesystem::remove_all(dir_ + "/db");
  std::filesystem::remove(dir_ + "/SYNCED");
  expect_whole(0);
  std::filesystem::remove_all(dir_ + "/db");
  std::filesystem::remove(dir_ + "/SYNCED");
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* db = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, dir_ + "/db", &db).ok());  // without our families
  delete db;
  expect_whole(0);
  EXPECT_TRUE(std::filesystem::exists(dir_ + "/SYNCED"));
}

}  // namespace
}  // namespace carillon
