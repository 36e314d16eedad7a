// What was must not pile up: finished tasks and dead letters are bounded, live and after a restart.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/faults/attack.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kFlat = std::uint64_t{24} << 20;

class AttackOnBounds : public Attack {
 protected:
  /// 10,000 adds and one cancel of them all, again and again.
  void churn(Millis length) {
    const auto until = std::chrono::steady_clock::now() + length;
    const std::string batch = tasks(10'000, wall_millis() + std::chrono::hours(1), [](std::size_t) {
      return std::string(R"("target":"http://127.0.0.1:9/","group":"churn","payload":1)");
    });
    while (std::chrono::steady_clock::now() < until) {
      EXPECT_EQ(add(batch), 10'000U);
      EXPECT_TRUE(server.call("POST", "/v1/groups/churn:cancel").ok());
      added += 10'000;
    }
  }
  [[nodiscard]] std::uint64_t resident() { return usage_of(server.process().pid()).resident_bytes; }
  std::uint64_t added = 0;
};

TEST_F(AttackOnBounds, TasksThatAreAddedAndCancelledWithoutEndTakeNoMoreMemory) {
  const auto most = static_cast<std::int64_t>(sized(20'000, 1'000'000));
  ASSERT_NO_FATAL_FAILURE(start(fmt::format(
      "memory_max = \"100MiB\"\nretain_finished_max = {}\nlog_slack_bytes = \"4MiB\"\n", most)));
  std::uint64_t early = 0;
  beside("adds and cancels", [&] {
    churn(length() / 2);
    early = resident();
    churn(length() / 2);
  });
  EXPECT_GT(added, 2U * static_cast<std::uint64_t>(most)) << "too few to show anything";
  EXPECT_LE(stat(server, "/counts/cancelled"), most + 10'000);
  EXPECT_LE(resident(), early + kFlat);

  ASSERT_EQ(server.stop(), 0) << server.process().errors();
  ASSERT_TRUE(server.start());
  EXPECT_LE(stat(server, "/counts/cancelled"), most);
  EXPECT_GT(stat(server, "/counts/cancelled"), most / 2) << "the last ones are kept";
  beside("the same after a restart", [&] {
    churn(length() / 2);
    early = resident();
    churn(length() / 2);
  });
  EXPECT_LE(resident(), early + kFlat);
}

TEST_F(AttackOnBounds, DeadLettersWithoutEndFillTheServerAndItSaysWhatToDo) {
  const std::size_t most = sized(20'000, 400'000);
  ASSERT_NO_FATAL_FAILURE(start(fmt::format("max_pending = {}\n", most)));
  // A breaker would leave it alone after some.
  put_target(
      server, "gone",
      R"({"url":"http://127.0.0.1:9/","retry":{"max_attempts":1},"breaker":{"failures":0}})");
  std::string refusal;
  beside("dead letters", [&] {
    const auto until = std::chrono::steady_clock::now() + length();
    while (std::chrono::steady_clock::now() < until) {
      const std::string batch = tasks(2'000, wall_millis(), [](std::size_t) {
        return std::string(R"("target":"gone","payload":1)");
      });
      std::string answer;
      if (add(batch, &answer) < 2'000U) refusal = answer;
    }
  });
  wait_until_idle(server);
  const std::int64_t dead = stat(server, "/counts/dead");
  EXPECT_LE(dead, static_cast<std::int64_t>(most));
  EXPECT_GT(dead, static_cast<std::int64_t>(most / 2));
  EXPECT_THAT(refusal, AllOf(HasSubstr("\"status\":429"), HasSubstr("dead letters"),
                             HasSubstr("dead:purge"), HasSubstr("dead:redrive")));
  EXPECT_TRUE(server.call("POST", "/v1/dead:purge").ok());
  EXPECT_EQ(add(tasks(1'000, wall_millis() + std::chrono::hours(1),
                      [](std::size_t) { return std::string(R"("target":"gone","payload":1)"); })),
            1'000U);
}

}  // namespace
}  // namespace carillon::test
