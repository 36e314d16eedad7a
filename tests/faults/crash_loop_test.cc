// kill -9 again and again on one data directory, at random moments, with everything going on.

#include <cmath>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "base/failpoint.h"
#include "tests/faults/crash_run.h"
#include "tests/faults/crashing_server.h"
#include "tests/support/sized.h"

namespace carillon::test {
namespace {

constexpr Millis kReadyWithin = std::chrono::seconds(20);  // its bound, on a machine that is busy

/// Draws how each life of the server ends.
class Deaths {
 public:
  explicit Deaths(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] bool one_in(std::uint64_t many) { return random_() % many == 0; }
  [[nodiscard]] std::string failpoint() {
    return std::string(kFailpoints[random_() % std::size(kFailpoints)]);
  }
  [[nodiscard]] Millis life() {
    return Millis(one_in(2) ? up_to(4000) : static_cast<std::int64_t>(random_() % 3500));
  }
  /// As many small ones as large ones, by orders of magnitude.
  [[nodiscard]] std::int64_t up_to(std::int64_t most) {
    std::uniform_real_distribution<double> magnitude(0, std::log(static_cast<double>(most)));
    return static_cast<std::int64_t>(std::exp(magnitude(random_)));
  }

 private:
  std::mt19937_64 random_;
};

struct Tally {
  std::size_t running = 0, starting = 0, at_failpoints = 0;
};

void die_while_starting(CrashingServer& server, Deaths& deaths) {
  server.launch();
  ASSERT_FALSE(server.ends_within(Millis(deaths.up_to(400)))) << server.log();
  server.kill();
}

/// At a failpoint, if that comes soon, else at a random moment; true: at the failpoint.
bool die_while_running(CrashingServer& server, Deaths& deaths) {
  const std::string failpoint = deaths.one_in(3) ? deaths.failpoint() : std::string();
  server.launch(failpoint.empty() ? "" : failpoint + ":" + std::to_string(deaths.up_to(300)));
  if (server.await_ready() && !server.ends_within(deaths.life())) {
    server.kill();
    return false;
  }
  EXPECT_TRUE(server.ended_at(failpoint)) << server.log();
  return true;
}

/// One death, after which the server is down.
void live_and_die(CrashingServer& server, Deaths& deaths, Tally& tally) {
  if (deaths.one_in(4)) {
    ++tally.starting;
    return die_while_starting(server, deaths);
  }
  ++(die_while_running(server, deaths) ? tally.at_failpoints : tally.running);
}

TEST(CrashLoop, WhateverTheMomentEveryPromiseIsKept) {
  const std::uint64_t seed = seed_or(std::random_device()());
  const std::size_t rounds = sized(20, 1000);
  std::cout << "[ figures  ] seed " << seed << " (CARILLON_SEED takes one)" << std::endl;
  const TempDir dir;
  ServerAddress address;
  CrashingServer server(dir / "data", address);
  CrashRun run(address, {.seed = seed});
  Deaths deaths(seed);
  Tally tally;
  server.launch();
  ASSERT_TRUE(server.await_ready());
  run.begin();
  server.kill();
  for (std::size_t round = 0; round < rounds && !HasFailure(); ++round) {
    live_and_die(server, deaths, tally);
  }
  server.launch();
  ASSERT_TRUE(server.await_ready());
  run.finish();
  EXPECT_LT(server.longest_until_ready(), kReadyWithin);
  std::cout << "[ figures  ] deaths: " << tally.running << " while running, " << tally.starting
            << " while starting, " << tally.at_failpoints << " at failpoints: " << run.figures()
            << ", ready within " << server.longest_until_ready().count() << " ms" << std::endl;
}

}  // namespace
}  // namespace carillon::test
