// Storage that fails: nothing is acknowledged, the owner is told once, and no sync is tried again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/faulty_fs.h"
#include "tests/storage/log_fixture.h"

namespace carillon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Failure : public ::testing::Test {
 protected:
  const TempDir temp_;
  Faults faults_;
  std::unique_ptr<rocksdb::Env> env_ = faulty_env(faults_);
};

TEST_F(Failure, failed_sync_is_not_acknowledged_and_is_told_once) {
  LogHarness harness(temp_ / "data", env_.get());
  ASSERT_TRUE(harness.append(put_batch(1, 1)));
  faults_.fail_sync = true;
  EXPECT_FALSE(harness.append(put_batch(2, 1)));
  EXPECT_THAT(harness.failures, ElementsAre(HasSubstr("injected by the test")));
  faults_.fail_sync = false;
  harness.log->close();
  harness.loop.run();
  EXPECT_THAT(harness.failures, SizeIs(1));
}

TEST_F(Failure, failed_sync_is_not_acknowledged_late_either) {
  LogHarness harness(temp_ / "data", env_.get());
  ASSERT_TRUE(harness.append(put_batch(1, 1)));
  faults_.fail_sync = true;
  bool done = false;
  harness.log->append(put_batch(2, 1), [&done](Appended, Batch&&) { done = true; });
  ASSERT_TRUE(harness.loop.run_until([&] { return !harness.failures.empty(); }));
  harness.log->close();  // the committer has done all it will
  harness.loop.run();
  EXPECT_FALSE(done);
}

TEST_F(Failure, failed_write_is_not_acknowledged) {
  LogHarness harness(temp_ / "data", env_.get());
  ASSERT_TRUE(harness.append(put_batch(1, 1)));
  faults_.fail_append = true;
  EXPECT_FALSE(harness.append(put_batch(2, 1)));
  EXPECT_THAT(harness.failures, SizeIs(1));
}

TEST_F(Failure, restart_after_a_failure_has_all_that_was_acknowledged) {
  {
    LogHarness harness(temp_ / "data", env_.get());
    ASSERT_TRUE(harness.append(put_batch(1, 5)));
    faults_.fail_sync = true;
    EXPECT_FALSE(harness.append(put_batch(6, 5)));
  }
  faults_.fail_sync = false;
  LogHarness harness(temp_ / "data", env_.get());
  ASSERT_TRUE(harness.log) << harness.error;
  const auto batches = harness.read();
  ASSERT_FALSE(batches.empty());
  EXPECT_EQ(batches[0].records, put_batch(1, 5).records);
}

TEST_F(Failure, failed_mark_is_a_failure_of_storage) {
  LogHarness harness(temp_ / "data", env_.get());
  faults_.fail_mark = true;
  static_cast<void>(harness.append(put_batch(1, 1)));
  EXPECT_TRUE(harness.loop.run_until([&] { return !harness.failures.empty(); }));
}

TEST_F(Failure, failed_flush_in_the_background_is_told) {
  faults_.suffix = ".sst";
  LogHarness harness(temp_ / "data", env_.get());
  ASSERT_TRUE(harness.append(put_batch(1, 1)));
  faults_.fail_append = true;
  EXPECT_NE(harness.checkpoint(temp_ / "copy"), "");
  EXPECT_TRUE(harness.loop.run_until([&] { return !harness.failures.empty(); }));
  EXPECT_FALSE(std::filesystem::exists(temp_ / "copy"));
  EXPECT_EQ(entries_of(temp_ / ""), 1U) << "the draft is gone";
}

TEST_F(Failure, nothing_is_acknowledged_before_its_sync_has_returned) {
  LogHarness harness(temp_ / "data", env_.get());
  ASSERT_TRUE(harness.append(put_batch(1, 1)));
  faults_.hold_sync = true;
  bool done = false;
  harness.log->append(put_batch(2, 1), [&](Appended, Batch&&) { done = true; });
  ASSERT_TRUE(faults_.held.try_acquire_for(std::chrono::seconds(20))) << "nothing was synced";
  harness.loop.run();
  EXPECT_FALSE(done);
  EXPECT_EQ(harness.log->stats().commits, 1U);
  faults_.release.release();
  EXPECT_TRUE(harness.loop.run_until([&] { return done; }));
}

}  // namespace
}  // namespace carillon
