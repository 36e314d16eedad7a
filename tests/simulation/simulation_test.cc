#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/simulation/run.h"

namespace carillon::simulation {
namespace {

TEST(Simulation, OneSeedGivesOneRunByteForByte) {
  for (const std::uint64_t seed : {1U, 7U, 42U}) {
    const RunResult first = run(seed, /*keep_trace=*/true);
    const RunResult second = run(seed, /*keep_trace=*/true);
    EXPECT_EQ(first.trace, second.trace);
    EXPECT_EQ(first.history, second.history);
    EXPECT_THAT(first.trace, testing::Not(testing::IsEmpty()));
  }
}

TEST(Simulation, KeepingTheTraceChangesNothing) {
  const RunResult kept = run(9, /*keep_trace=*/true);
  const RunResult hashed = run(9, /*keep_trace=*/false);
  EXPECT_EQ(kept.trace_hash, hashed.trace_hash);
  EXPECT_EQ(kept.steps, hashed.steps);
  EXPECT_THAT(hashed.trace, testing::IsEmpty());
}

TEST(Simulation, AnotherSeedIsAnotherRun) {
  EXPECT_NE(run(1, false).trace_hash, run(2, false).trace_hash);
}

}  // namespace
}  // namespace carillon::simulation
