// Starting, stopping and starting again: exit codes, and what survives.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

constexpr Millis kPatience = std::chrono::seconds(60);

class OperationTest : public ::testing::Test {
 protected:
  std::string task(const std::string& id, const std::string& delay,
                   const std::string& target = "receiver") {
    return R"({"id":")" + id + R"(","delay":")" + delay + R"(","target":")" + target +
           R"(","payload":{"x":1}})";
  }
  void add(const std::string& id, const std::string& delay,
           const std::string& target = "receiver") {
    const auto answer = server.call("POST", "/v1/tasks", task(id, delay, target));
    ASSERT_EQ(answer.status, 201U) << answer.body;
  }
  [[nodiscard]] std::string state_of(const std::string& id) const {
    return text_at(server.call("GET", "/v1/tasks/" + id).body, "/state");
  }

  TempDir dir;
  std::unique_ptr<load::Receiver> receiver = start_receiver();
  Carillond server{dir / "data"};
};

TEST_F(OperationTest, CleanRestartKeepsTasksTargetsAndPausing) {
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, 9);
  add("later", "1h");
  add("soon", "1ms");
  EXPECT_TRUE(receiver->wait_for_accepted(1, kPatience));
  server.call("POST", "/v1/targets/receiver:pause");
  const std::string before = server.call("GET", "/v1/tasks/later").body;
  EXPECT_EQ(server.stop(), 0) << server.process().errors();

  ASSERT_TRUE(server.start());
  EXPECT_EQ(server.call("GET", "/v1/tasks/later").body, before);
  EXPECT_EQ(state_of("soon"), "delivered");
  const std::string target = server.call("GET", "/v1/targets/receiver").body;
  EXPECT_EQ(number_at(target, "/concurrency"), 9);
  EXPECT_THAT(target, HasSubstr("\"paused\":true"));
  add("held", "1ms");
  EXPECT_EQ(receiver->summary().received, 1U);
  server.call("POST", "/v1/targets/receiver:resume");
  EXPECT_TRUE(receiver->wait_for_accepted(2, kPatience));
}

TEST_F(OperationTest, TermFinishesThePushesUnderWayAndExitsZero) {
  receiver = start_receiver(std::chrono::seconds(1));
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, 50);
  for (int i = 0; i < 20; ++i) add("t" + std::to_string(i), "1ms");
  EXPECT_TRUE(receiver->wait_for_accepted(20, kPatience));  // come, but not answered yet
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
  ASSERT_TRUE(server.start());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(state_of("t" + std::to_string(i)), "delivered");
  EXPECT_EQ(receiver->summary().received, 20U) << "their outcomes were kept";
}

TEST_F(OperationTest, DeadLettersSurviveAndAreRedriven) {
  receiver->set_failing({.share = 1, .attempts = 0, .status = 500});
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, 8, R"(,"retry":{"max_attempts":2,"backoff_min":"1ms"})");
  add("a", "1ms");
  wait_until_idle(server);
  EXPECT_EQ(state_of("a"), "dead");
  server.kill();
  ASSERT_TRUE(server.start());
  EXPECT_EQ(state_of("a"), "dead");
  EXPECT_EQ(number_at(server.call("GET", "/v1/dead/a").body, "/attempt"), 2);
  receiver->set_failing({});
  EXPECT_TRUE(server.call("POST", "/v1/dead/a:redrive").ok());
  EXPECT_TRUE(receiver->wait_for_accepted(1, kPatience));
  wait_until_idle(server);
  EXPECT_EQ(state_of("a"), "delivered");
  const auto arrivals = receiver->take_arrivals();
  for (const auto& arrival : arrivals) {
    EXPECT_EQ(arrival.webhook_hash, arrivals.front().webhook_hash);
  }
}

TEST_F(OperationTest, RetryGoesOnAfterACrashWithTheSameWebhookId) {
  receiver->set_failing({.share = 0, .attempts = 2, .status = 503});
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, 8, R"(,"retry":{"backoff_min":"300ms","backoff_max":"300ms"})");
  Subscribers people("receiver");
  const std::vector<Subscribers::Index> one{people.plan("a", wall_millis())};
  ASSERT_TRUE(people.add(*server.connect(), one));
  while (receiver->summary().received == 0) std::this_thread::yield();
  server.kill();
  ASSERT_TRUE(server.start());
  EXPECT_TRUE(receiver->wait_for_accepted(1, kPatience));
  wait_until_idle(server);
  people.take_arrivals(*receiver);
  const auto verdict = people.ledger().judge({.may_repeat = true});
  EXPECT_TRUE(verdict.good()) << verdict.text();
}

TEST_F(OperationTest, SecondServerOnTheSameDirectoryExitsOne) {
  ASSERT_TRUE(server.start());
  const Finished second = run_program(
      {program("carillond"), "--data-dir", server.data_dir(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(second.ending, (Ending{1, 0})) << second.errors;
  EXPECT_EQ(server.call("GET", "/readyz").status, 200U);
}

TEST_F(OperationTest, BadConfigurationExitsOneAndNamesTheNearestKey) {
  write_file(dir / "bad.toml", "horizn = \"1d\"\n");
  const Finished finished = run_program({program("carillond"), "--config", dir / "bad.toml"});
  EXPECT_EQ(finished.ending, (Ending{1, 0}));
  EXPECT_THAT(finished.errors, HasSubstr("horizon"));
  write_file(dir / "good.toml", "horizon = \"1d\"\n");
  EXPECT_EQ(run_program({program("carillond"), "--check-config", "--config", dir / "good.toml"})
                .ending.code,
            0);
}

TEST_F(OperationTest, UnknownFlagExitsTwo) {
  EXPECT_EQ(run_program({program("carillond"), "--nonsense"}).ending, (Ending{2, 0}));
}

TEST_F(OperationTest, OffLoopbackWithoutATokenItRefusesToStart) {
  const Finished finished =
      run_program({program("carillond"), "--data-dir", dir / "open", "--listen", "0.0.0.0:0"});
  EXPECT_EQ(finished.ending, (Ending{1, 0})) << finished.errors;
  EXPECT_THAT(finished.errors, HasSubstr("insecure"));
}

TEST_F(OperationTest, ClientsUnderWayWhenItStopsAreAnswered) {
  ASSERT_TRUE(server.start());
  put_target(server, *receiver, 8);
  const auto api = server.connect();
  ASSERT_TRUE(api->call("GET", "/healthz"));
  EXPECT_EQ(server.stop(), 0);
  const auto late = api->call("GET", "/healthz");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().slug, "unreachable");
}

}  // namespace
}  // namespace carillon::test
