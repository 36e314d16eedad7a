// What is deleted or replaced under a running log is a failure of storage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/log_fixture.h"

namespace carillon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

class DirWatchOf : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(harness.log) << harness.error;
    ASSERT_TRUE(harness.append(put_batch(1, 1)));
  }
  /// That `path` is named as the reason, once.
  void expect_failure(const std::string& path) {
    EXPECT_TRUE(harness.loop.run_until([&] { return !harness.failures.empty(); }));
    EXPECT_THAT(harness.failures, ElementsAre(HasSubstr(path + " was deleted or replaced")));
  }
  std::string file_like(const std::string& ending) const {
    for (const auto& entry : fs::directory_iterator(temp / "data/db")) {
      if (entry.path().string().ends_with(ending)) return entry.path();
    }
    ADD_FAILURE() << "no file like " << ending;
    return {};
  }

  const TempDir temp;
  LogHarness harness{temp / "data"};
};

TEST_F(DirWatchOf, ADirectoryThatWasDeletedFails) {
  fs::remove_all(temp / "data");
  expect_failure(temp / "data");
}

TEST_F(DirWatchOf, ADirectoryThatWasMovedAwayFails) {
  fs::rename(temp / "data", temp / "elsewhere");
  fs::create_directory(temp / "data");
  expect_failure(temp / "data");
}

TEST_F(DirWatchOf, ALockFileThatWasReplacedFails) {
  fs::rename(temp / "data/LOCK", temp / "old-lock");
  fs::copy_file(temp / "old-lock", temp / "data/LOCK");
  expect_failure(temp / "data/LOCK");
}

TEST_F(DirWatchOf, SmallFilesThatWereDeletedFails) {
  fs::remove(temp / "data/FORMAT");
  expect_failure(temp / "data/FORMAT");
}

TEST_F(DirWatchOf, TheMarkThatWasDeletedFails) {
  fs::remove(temp / "data/SYNCED");
  expect_failure(temp / "data/SYNCED");
}

TEST_F(DirWatchOf, AWriteAheadLogThatWasDeletedFails) {
  const std::string file = file_like(".log");
  fs::remove(file);
  expect_failure(file);
}

TEST_F(DirWatchOf, ATableThatWasDeletedFails) {
  ASSERT_EQ(harness.checkpoint(temp / "copy"), "") << "which writes a table out";
  const std::string file = file_like(".sst");
  fs::remove(file);
  expect_failure(file);
}

TEST_F(DirWatchOf, ADirectoryThatIsLeftAloneStaysWellWhileFilesComeAndGo) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(700);
  Sequence next = 2;
  for (int copies = 0; std::chrono::steady_clock::now() < until; ++copies) {
    ASSERT_TRUE(harness.append(put_batch(next++, 1)));
    ASSERT_EQ(harness.checkpoint(temp / ("copy" + std::to_string(copies))), "");
  }
  EXPECT_THAT(harness.failures, ElementsAre());
}

}  // namespace
}  // namespace carillon
