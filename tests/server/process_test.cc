#include "server/process.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace carillon {
namespace {

TEST(Memory, ThatIsSetDecidesHowManyTasksFit) {
  EXPECT_EQ(tasks_that_fit(1'000'000'000, 1), 10'000'000U);
}

TEST(Memory, ThatIsNotSetIsTakenFromTheMachineLessWhatTheServerNeeds) {
  const std::uint64_t gib = std::uint64_t{1} << 30;
  EXPECT_GT(tasks_that_fit(0, 2 * gib), 10'000'000U);
  EXPECT_LT(tasks_that_fit(0, 2 * gib), 2 * gib / 64);
}

TEST(Memory, ThatIsScarceStillHoldsAFewTasks) {
  EXPECT_EQ(tasks_that_fit(0, 1 << 20), 10'000U);
  EXPECT_EQ(tasks_that_fit(1, 1), 10'000U);
}

TEST(Memory, OfThisMachineIsPlausible) {
  EXPECT_GT(memory_available(), std::uint64_t{64} << 20);
}

TEST(Process, RaisesTheSoftLimitOfOpenFilesToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit lowered = before;
  lowered.rlim_cur = 100;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  prepare_process();
  EXPECT_EQ(open_files_max(), before.rlim_max);
}

TEST(Process, SharesItsFilesSoThatStorageHasEnough) {
  const FileShares many = share_files(1'000'000, 10'000);
  EXPECT_EQ(many.clients, 10'000U);
  EXPECT_GT(many.pushes, 900'000U);
  const FileShares some = share_files(20'000, 10'000);
  EXPECT_EQ(some.clients, 9'680U);
  EXPECT_EQ(some.pushes, 9'680U);
  const FileShares few = share_files(256, 10'000);
  EXPECT_EQ(few.clients, 64U);
  EXPECT_EQ(few.pushes, 64U);
}

// The sanitizers' allocators end the process themselves.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(ProcessDeathTest, EndsWithAMessageAndItsOwnCodeWhenMemoryRunsOut) {
  EXPECT_EXIT(
      {
        prepare_process();
        [[maybe_unused]] const volatile auto* nothing = ::operator new(std::size_t{1} << 60);
      },
      testing::ExitedWithCode(4), "out of memory");
}
#endif

}  // namespace
}  // namespace carillon
