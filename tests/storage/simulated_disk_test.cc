// The disk forgets what it may, and only that.
#include "tests/storage/simulated_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon {
namespace {

using ::testing::IsSupersetOf;
using ::testing::StartsWith;

constexpr int kLives = 200;

/// What a file held after each of many cuts.
using Outcomes = std::set<std::string>;
const std::string kMissing = "(missing)";

std::string content_of(SimulatedDisk& disk, const std::string& path) {
  SimulatedDisk::NodePtr file;
  if (!disk.find(path, &file).ok()) return kMissing;
  char buffer[64];
  rocksdb::Slice bytes;
  EXPECT_TRUE(disk.read(file, 0, sizeof buffer, buffer, &bytes).ok());
  return bytes.ToString();
}

void cut(SimulatedDisk& disk) {
  disk.cut_power_at(1);
  EXPECT_FALSE(disk.create_directory("/simulated/last").ok());
  EXPECT_TRUE(disk.power_is_off());
  disk.restore_power();
}

SimulatedDisk::NodePtr make_file(SimulatedDisk& disk, const std::string& path,
                                 const std::string& bytes) {
  SimulatedDisk::NodePtr file;
  EXPECT_TRUE(disk.create_file(path, &file).ok());
  EXPECT_TRUE(disk.append(file, bytes).ok());
  EXPECT_TRUE(disk.sync(file).ok());
  return file;
}

void sync_names(SimulatedDisk& disk) {
  SimulatedDisk::NodePtr directory;
  ASSERT_TRUE(disk.find("/simulated", &directory).ok());
  ASSERT_TRUE(disk.sync_directory(directory).ok());
}

TEST(SimulatedDisk, synced_bytes_under_a_synced_name_survive) {
  for (std::uint64_t seed = 0; seed < kLives; ++seed) {
    SimulatedDisk disk(seed);
    make_file(disk, "/simulated/file", "kept");
    sync_names(disk);
    cut(disk);
    EXPECT_EQ(content_of(disk, "/simulated/file"), "kept");
  }
}

TEST(SimulatedDisk, tail_that_was_not_synced_survives_to_any_length_and_at_times_as_garbage) {
  Outcomes outcomes;
  for (std::uint64_t seed = 0; seed < kLives; ++seed) {
    SimulatedDisk disk(seed);
    const auto file = make_file(disk, "/simulated/file", "kept");
    sync_names(disk);
    EXPECT_TRUE(disk.append(file, "xyz").ok());
    cut(disk);
    outcomes.insert(content_of(disk, "/simulated/file"));
    EXPECT_THAT(content_of(disk, "/simulated/file"), StartsWith("kept"));
  }
  EXPECT_THAT(outcomes, IsSupersetOf({"kept", "keptx", "keptxy", "keptxyz"}));
  EXPECT_GT(outcomes.size(), 4U);
}

TEST(SimulatedDisk, name_that_was_not_synced_may_be_gone) {
  Outcomes outcomes;
  for (std::uint64_t seed = 0; seed < kLives; ++seed) {
    SimulatedDisk disk(seed);
    make_file(disk, "/simulated/file", "synced");
    cut(disk);
    outcomes.insert(content_of(disk, "/simulated/file"));
  }
  EXPECT_EQ(outcomes, (Outcomes{kMissing, "synced"}));
}

TEST(SimulatedDisk, rename_that_was_not_synced_has_happened_or_not_but_never_by_half) {
  Outcomes outcomes;
  for (std::uint64_t seed = 0; seed < kLives; ++seed) {
    SimulatedDisk disk(seed);
    make_file(disk, "/simulated/file", "old");
    make_file(disk, "/simulated/draft", "new");
    sync_names(disk);
    EXPECT_TRUE(disk.rename("/simulated/draft", "/simulated/file").ok());
    EXPECT_EQ(content_of(disk, "/simulated/file"), "new");
    cut(disk);
    outcomes.insert(content_of(disk, "/simulated/file") + content_of(disk, "/simulated/draft"));
  }
  EXPECT_EQ(outcomes, (Outcomes{"oldnew", "new" + kMissing}));
}

TEST(SimulatedDisk, deleted_file_whose_directory_was_not_synced_may_come_back) {
  Outcomes outcomes;
  for (std::uint64_t seed = 0; seed < kLives; ++seed) {
    SimulatedDisk disk(seed);
    make_file(disk, "/simulated/file", "old");
    sync_names(disk);
    EXPECT_TRUE(disk.remove("/simulated/file").ok());
    cut(disk);
    outcomes.insert(content_of(disk, "/simulated/file"));
  }
  EXPECT_EQ(outcomes, (Outcomes{kMissing, "old"}));
}

TEST(SimulatedDisk, write_over_other_bytes_is_torn_anywhere) {
  Outcomes outcomes;
  for (std::uint64_t seed = 0; seed < kLives; ++seed) {
    SimulatedDisk disk(seed);
    const auto file = make_file(disk, "/simulated/file", "-abc-");
    sync_names(disk);
    EXPECT_TRUE(disk.write(file, 1, "xyz").ok());
    EXPECT_EQ(content_of(disk, "/simulated/file"), "-xyz-");
    cut(disk);
    outcomes.insert(content_of(disk, "/simulated/file"));
  }
  EXPECT_EQ(outcomes, (Outcomes{"-abc-", "-xbc-", "-xyc-", "-xyz-"}));
}

TEST(SimulatedDisk, sectors_of_a_write_over_other_bytes_survive_each_by_itself) {
  constexpr std::size_t kSector = 512;
  Outcomes outcomes;
  for (std::uint64_t seed = 0; seed < kLives; ++seed) {
    SimulatedDisk disk(seed);
    const auto file = make_file(disk, "/simulated/file", std::string(3 * kSector, '.'));
    sync_names(disk);
    EXPECT_TRUE(disk.write(file, 0, std::string(3 * kSector, 'x')).ok());
    cut(disk);
    SimulatedDisk::NodePtr found;
    ASSERT_TRUE(disk.find("/simulated/file", &found).ok());
    std::string left;
    for (std::size_t sector = 0; sector < 3; ++sector) {
      char last = 0;
      rocksdb::Slice bytes;
      ASSERT_TRUE(disk.read(found, (sector + 1) * kSector - 1, 1, &last, &bytes).ok());
      left += bytes.ToString();
    }
    outcomes.insert(left);
  }
  EXPECT_EQ(outcomes.size(), 8U);
}

TEST(SimulatedDisk, what_was_cut_off_may_come_back_behind_what_was_written_since) {
  Outcomes outcomes;
  for (std::uint64_t seed = 0; seed < kLives; ++seed) {
    SimulatedDisk disk(seed);
    const auto file = make_file(disk, "/simulated/file", "abcd");
    sync_names(disk);
    EXPECT_TRUE(disk.truncate(file, 2).ok());
    EXPECT_EQ(content_of(disk, "/simulated/file"), "ab");
    cut(disk);
    outcomes.insert(content_of(disk, "/simulated/file"));
  }
  EXPECT_EQ(outcomes, (Outcomes{"ab", "abcd"}));
}

TEST(SimulatedDisk, without_power_nothing_works) {
  SimulatedDisk disk(1);
  const auto file = make_file(disk, "/simulated/file", "kept");
  disk.cut_power_at(2);
  EXPECT_TRUE(disk.append(file, "x").ok());
  EXPECT_FALSE(disk.sync(file).ok());
  EXPECT_FALSE(disk.append(file, "x").ok());
  SimulatedDisk::NodePtr found;
  EXPECT_FALSE(disk.find("/simulated/file", &found).ok());
  EXPECT_FALSE(disk.lock("/simulated/lock").ok());
}

}  // namespace
}  // namespace carillon
