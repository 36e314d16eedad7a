// carillon-replay seed: what a node on its own had, a cluster has.
#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/carillond.h"
#include "tests/end_to_end/json_find.h"
#include "tests/storage/jetstream/nats_servers.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using ::testing::HasSubstr;

class Seed : public ::testing::Test {
 protected:
  Seed() {
    write_file(dir_ / "secret", "0123456789abcdef0123456789abcdef\n");
    std::filesystem::permissions(dir_ / "secret", std::filesystem::perms::owner_read);
    write_file(config_,
               fmt::format("[cluster]\nname = \"seeded\"\nnode = \"a\"\nnats = [\"{}\"]\n"
                           "advertise = \"http://127.0.0.1:1\"\nshards = 4\nstream_replicas = 1\n"
                           "secret_file = \"{}\"\nstream_bytes_max = \"64MiB\"\n",
                           servers_.urls().front(), dir_ / "secret"));
  }

  Finished seed() const {
    return run_program({program("carillon-replay"), "seed", dir_ / "alone", "--config", config_});
  }
  static std::set<std::string> lines_of(const std::string& text) {
    std::set<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.insert(line);
    return lines;
  }
  static void wait_for(const Carillond& server, const std::string& state, std::int64_t count) {
    for (int i = 0; i < 200; ++i) {
      if (number_at(server.call("GET", "/v1/stats").body, "/counts/" + state) == count) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    FAIL() << "never so many are " << state << ": " << count;
  }
  /// Tasks in all states that last, targets, lanes, and a named operation.
  static void fill(const Carillond& server) {
    ASSERT_TRUE(server.call("PUT", "/v1/lanes/bulk", R"({"weight":3,"reserved":0.2})").ok());
    ASSERT_TRUE(
        server
            .call("PUT", "/v1/targets/shop",
                  R"({"url":"http://127.0.0.1:1/","concurrency":7,"breaker":{"failures":0},)"
                  R"("retry":{"backoff_min":"1h","backoff_max":"1h"}})")
            .ok());
    ASSERT_TRUE(server.call("PUT", "/v1/targets/paused", R"({"url":"http://127.0.0.1:1/"})").ok());
    ASSERT_TRUE(server.call("POST", "/v1/targets/paused:pause").ok());
    for (int i = 0; i < 300; ++i) {
      const std::string task = fmt::format(
          R"({{"id":"{{user:{}}}:c{}","delay":"{}m","group":"g{}","lane":"{}","target":"{}",)"
          R"("payload":{{"n":{}}}}})",
          i / 2, i, 60 + i, i % 3, i % 4 == 0 ? "bulk" : "default",
          i % 5 == 0 ? "http://127.0.0.1:1/x" : "shop", i);
      ASSERT_EQ(server.call("POST", "/v1/tasks", task).status, 201);
    }
    ASSERT_TRUE(server.call("POST", "/v1/groups/g0:cancel").ok());
    ASSERT_TRUE(
        server.call("POST", "/v1/groups/g1:shift", R"({"by":"30m","operation":"once"})").ok());
    ASSERT_TRUE(
        server
            .call("POST", "/v1/tasks",
                  R"({"id":"dead","delay":"0s","target":"shop","retry":{"max_attempts":1}})")
            .ok());
    ASSERT_TRUE(
        server.call("POST", "/v1/tasks", R"({"id":"again","delay":"0s","target":"shop"})").ok());
    ASSERT_TRUE(
        server.call("POST", "/v1/tasks", R"({"id":"waits","delay":"0s","target":"paused"})").ok());
    wait_for(server, "dead", 1);
    wait_for(server, "retrying", 1);
  }

  NatsServers servers_{1};
  TempDir dir_;
  const std::string config_ = dir_ / "cluster.toml";
};

TEST_F(Seed, AClusterHasWhatTheNodeHad) {
  Carillond alone(dir_ / "alone");
  ASSERT_TRUE(alone.start());
  fill(alone);
  const auto had = lines_of(alone.call("GET", "/v1/export").body);
  ASSERT_EQ(had.size(), 202U);
  const std::string dead = alone.call("GET", "/v1/dead").body;
  const std::string again = alone.call("GET", "/v1/tasks/again").body;
  const std::string target = alone.call("GET", "/v1/targets/paused").body;
  EXPECT_EQ(alone.stop(), 0);

  const Finished seeded = seed();
  ASSERT_EQ(seeded.ending.code, 0) << seeded.errors;
  EXPECT_THAT(seeded.output, HasSubstr("in 4 shards"));
  Carillond node(dir_ / "node", {"--config", config_});
  ASSERT_TRUE(node.start());
  EXPECT_EQ(lines_of(node.call("GET", "/v1/export").body), had);
  EXPECT_EQ(node.call("GET", "/v1/dead").body, dead);
  EXPECT_EQ(node.call("GET", "/v1/tasks/again").body, again);
  EXPECT_EQ(node.call("GET", "/v1/targets/paused").body, target);
  EXPECT_EQ(number_at(node.call("GET", "/v1/targets/shop").body, "/concurrency"), 7);
  EXPECT_EQ(number_at(node.call("GET", "/v1/lanes/bulk").body, "/weight"), 3);

  const auto shifted =
      node.call("POST", "/v1/groups/g1:shift", R"({"by":"30m","operation":"once"})");
  EXPECT_EQ(number_at(shifted.body, "/shifted"), 100) << shifted.body;
  EXPECT_EQ(lines_of(node.call("GET", "/v1/export").body), had) << "it is not done again";
  EXPECT_EQ(node.call("POST", "/v1/tasks", R"({"id":"waits","delay":"1h","target":"shop"})").status,
            409);
  EXPECT_TRUE(node.call("POST", "/v1/dead/dead:redrive").ok());
  wait_for(node, "dead", 1);
  EXPECT_THAT(node.call("GET", "/v1/dead").body, HasSubstr("redriven_at")) << "and failed again";
  EXPECT_TRUE(node.call("DELETE", "/v1/tasks/%7Buser:1%7D:c2").ok());
  EXPECT_EQ(node.stop(), 0);

  const Finished twice = seed();
  EXPECT_EQ(twice.ending.code, 1);
  EXPECT_THAT(twice.errors, HasSubstr("there is a cluster \"seeded\" already"));
}

TEST_F(Seed, WithoutAClusterInTheConfigFileSaysSo) {
  Carillond alone(dir_ / "alone");
  ASSERT_TRUE(alone.start());
  EXPECT_EQ(alone.stop(), 0);
  write_file(config_, "[log]\nlevel = \"info\"\n");
  const Finished seeded = seed();
  EXPECT_EQ(seeded.ending.code, 1);
  EXPECT_THAT(seeded.errors, HasSubstr("cluster.name is not set"));
}

}  // namespace
}  // namespace carillon::test
