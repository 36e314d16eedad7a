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

TEST(Simulation, OneSeedGivesOneRunOfSeveralNodesByteForByte) {
  for (const std::uint64_t seed : {1U, 7U, 42U}) {
    const RunResult first = run_nodes(seed, /*keep_trace=*/true);
    const RunResult second = run_nodes(seed, /*keep_trace=*/true);
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

// Worlds in which a client blamed the server for what its own lost answers had done: a dead letter
// removed while a second task of the same add waited; a change, and a cancel of a group, that were
// asked again and whose first copy was carried out last.
TEST(Simulation, WhatALateCopyOfARequestDoesIsNoFault) {
  for (const std::uint64_t seed :
       {910006393U, 910011727U, 910012510U, 910014577U, 910015265U, 910018024U}) {
    EXPECT_THAT(run(seed, /*keep_trace=*/false).faults, testing::IsEmpty()) << seed;
  }
}

}  // namespace
}  // namespace carillon::simulation
