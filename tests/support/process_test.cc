#include "tests/support/process.h"

#include <csignal>

#include <gtest/gtest.h>

namespace carillon::test {
namespace {

using std::chrono::milliseconds;

TEST(Process, ExitCodeAndOutputAreKept) {
  const Finished finished = run_program({"/bin/sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(finished.ending, (Ending{7, 0}));
  EXPECT_EQ(finished.output, "out\n");
  EXPECT_EQ(finished.errors, "err\n");
}

TEST(Process, InputIsGivenAndEnds) {
  EXPECT_EQ(run_program({"/bin/cat"}, {}, "abc").output, "abc");
}

TEST(Process, EnvironmentOfOurOwnPrefixIsNotInherited) {
  ::setenv("CARILLON_LEAKED", "yes", 1);
  const Finished finished = run_program(
      {"/bin/sh", "-c", "echo ${CARILLON_LEAKED:-no} $CARILLON_GIVEN"}, {{"CARILLON_GIVEN", "1"}});
  ::unsetenv("CARILLON_LEAKED");
  EXPECT_EQ(finished.output, "no 1\n");
}

TEST(Process, LineIsFoundWithItsGroupsAlsoWhenItCameEarlier) {
  Process process({"/bin/sh", "-c", "echo 'listening on http://x:1' >&2; exec cat"});
  for (int i = 0; i < 2; ++i) {
    const auto groups = process.wait_for_line("listening on (http\\S+)");
    ASSERT_TRUE(groups.has_value());
    EXPECT_EQ(groups->at(1), "http://x:1");
  }
}

TEST(Process, WaitingForALineEndsWithTheProgram) {
  Process process({"/bin/sh", "-c", "echo other >&2"});
  EXPECT_FALSE(process.wait_for_line("never").has_value());
}

TEST(Process, SignalEndsItAndIsReported) {
  Process process({"/bin/sleep", "100"});
  EXPECT_FALSE(process.wait(milliseconds(1)).has_value());
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait(), (Ending{-1, SIGTERM}));
  process.signal(SIGKILL);  // of no effect on what is gone
}

TEST(Process, DestructionKillsIt) {
  int pid = 0;
  {
    Process process({"/bin/sleep", "100"});
    pid = process.pid();
    ASSERT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace carillon::test
