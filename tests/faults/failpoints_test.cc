// Each failpoint is reached and the process killed there, and every promise is kept.

#include <algorithm>
#include <iostream>

#include <gtest/gtest.h>

#include "base/failpoint.h"
#include "tests/faults/crash_run.h"
#include "tests/faults/crashing_server.h"

namespace carillon::test {
namespace {

constexpr Millis kReachedWithin = std::chrono::minutes(1);

class Failpoint : public ::testing::TestWithParam<std::string_view> {
 protected:
  [[nodiscard]] static std::string name() { return std::string(GetParam()); }
  [[nodiscard]] static bool is(std::string_view prefix) { return GetParam().starts_with(prefix); }
  /// Not the first time, where it comes many times: in the midst of things.
  [[nodiscard]] static std::string at() {
    const bool often = is("commit") || is("answer") || is("push") || is("fire") || is("outcome");
    return name() + (often ? ":40" : is("recover.batch") || is("mark") ? ":4" : ":1");
  }
  /// Reached only while a data directory is made.
  [[nodiscard]] static bool is_of_a_new_directory() {
    return is("open") && name() != "open.probed";
  }
  void die_there() {
    server.launch(at());
    if (server.await_ready()) {
      if (is("close")) {
        server.stop();
      } else {
        server.ends_within(kReachedWithin);
      }
    }
    ASSERT_TRUE(server.ended_at(name())) << "not reached: " << server.log();
  }
  void live() {
    server.launch();
    ASSERT_TRUE(server.await_ready()) << server.log();
  }

  const TempDir dir;
  ServerAddress address;
  CrashingServer server{dir / "data", address};
  CrashRun run{address, {.seed = 7}};
};

TEST_P(Failpoint, DeathThereKeepsEveryPromise) {
  if (is_of_a_new_directory()) {
    ASSERT_NO_FATAL_FAILURE(die_there());
    ASSERT_NO_FATAL_FAILURE(live());
    run.begin();
  } else {
    ASSERT_NO_FATAL_FAILURE(live());
    run.begin();
    run.go_on_for_a_while();
    server.kill();
    ASSERT_NO_FATAL_FAILURE(die_there());
    ASSERT_NO_FATAL_FAILURE(live());
  }
  run.finish();
  std::cout << "[ figures  ] " << name() << ": " << run.figures() << std::endl;
}

INSTANTIATE_TEST_SUITE_P(Each, Failpoint, ::testing::ValuesIn(kFailpoints), [](const auto& point) {
  std::string text(point.param);
  std::replace(text.begin(), text.end(), '.', '_');
  return text;
});

/// Killed before each of its syncs in turn, until none is left.
TEST(NewDataDirectory, WhoseMakingIsKilledAnywhereIsMadeByTheNextStart) {
  int syncs = 0;
  for (bool died = true; died; ++syncs) {
    const TempDir dir;
    ServerAddress address;
    CrashingServer server(dir / "data", address);
    server.launch("file.before_sync:" + std::to_string(syncs + 1));
    died = !server.await_ready();
    if (!died) break;
    ASSERT_TRUE(server.ended_at("file.before_sync")) << server.log();
    server.launch();
    ASSERT_TRUE(server.await_ready()) << "killed before sync " << syncs + 1 << server.log();
    EXPECT_EQ(server.stop(), (Ending{0, 0}));
  }
  EXPECT_GT(syncs, 5);
  std::cout << "[ figures  ] " << syncs << " syncs of files and directories" << std::endl;
}

}  // namespace
}  // namespace carillon::test
