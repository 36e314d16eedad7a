#include "server/process.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace carillon {
namespace {

constexpr std::uint64_t kMib = std::uint64_t{1} << 20;

TEST(Memory, ThatIsSetHoldsTheBuffersAndAsManyTasksAsFitBesideThem) {
  const MemoryShares shares = share_memory(1'000'000'000, 1, 300'000'000);
  EXPECT_EQ(shares.tasks, 7'000'000U);
  EXPECT_EQ(shares.buffers, 300'000'000U);
}

TEST(Memory, ThatTheBuffersWouldFillIsHalfForTasks) {
  const MemoryShares shares = share_memory(100 * kMib, 1, 288 * kMib);
  EXPECT_EQ(shares.tasks, 50 * kMib / 100);
  EXPECT_EQ(shares.buffers, 50 * kMib);
}

TEST(Memory, ThatIsNotSetIsTakenFromTheMachineLessWhatTheServerNeeds) {
  const std::uint64_t tasks = share_memory(0, 2048 * kMib, 288 * kMib).tasks;
  EXPECT_GT(tasks, 10'000'000U);
  EXPECT_LT(tasks, 2048 * kMib / 64);
}

TEST(Memory, ThatIsScarceStillHoldsAFewTasks) {
  EXPECT_EQ(share_memory(0, kMib, kMib).tasks, 10'000U);
  EXPECT_EQ(share_memory(1, 1, kMib).tasks, 10'000U);
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
