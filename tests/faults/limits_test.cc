// What the system gives runs out: descriptors, memory. The server refuses early, goes on with what
// there is or ends with a message, and recovers.
#include <iostream>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/faults/socket_crowd.h"
#include "tests/faults/watch.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr Millis kPatience = seconds(60);
constexpr std::uint64_t kMib = std::uint64_t{1} << 20;

/// From now on the process may have so much of it; it is told nothing.
void limit(const Carillond& server, int pid, __rlimit_resource resource, std::uint64_t most) {
  rlimit now{};
  ASSERT_EQ(::prlimit(pid, resource, nullptr, &now), 0) << server.url();
  now.rlim_cur = most;
  ASSERT_EQ(::prlimit(pid, resource, &now, nullptr), 0) << std::strerror(errno);
}

TEST(FewDescriptors, ClientsAreTurnedAwayEarlyAndPushesAndStorageHaveTheirs) {
  const TempDir dir;
  Carillond server(dir / "data");
  server.run_under({"/usr/bin/prlimit", "--nofile=256:256"});
  ASSERT_TRUE(server.start());
  EXPECT_THAT(server.process().errors(), HasSubstr("limits.connections_max lowered"));
  Customer customer(server);
  const WallTime begin = wall_millis() + seconds(1);
  customer.add(100, seconds(4), begin);
  GoodClient client(server, customer.target());
  {
    SocketCrowd bad(server, 500);
    const auto until = std::chrono::steady_clock::now() + seconds(3);
    while (std::chrono::steady_clock::now() < until) {
      bad.receive(16'384);
      EXPECT_LT(usage_of(server.process().pid()).open_files, 250U);
      std::this_thread::sleep_for(Millis(100));
    }
    EXPECT_GE(bad.closed(), 400U) << "who is too much is not left waiting";
    EXPECT_GE(bad.answered(503), 1U);
  }
  const auto& figures = client.stop();
  EXPECT_EQ(figures.refused + figures.cut_off, 0U) << figures.first_refusal;
  std::cout << "[ figures  ] 256 descriptors, 500 clients: lateness "
            << quantiles(customer.finish()) << "; healthz " << quantiles(figures.health) << '\n';
  EXPECT_EQ(server.call("GET", "/readyz").status, 200U);
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

TEST(NoDescriptors, WhoIsConnectedIsServedPushesGoOnAndItRecovers) {
  const TempDir dir;
  Carillond server(dir / "data");
  ASSERT_TRUE(server.start());
  const int pid = server.process().pid();
  Customer first(server, "first");
  Customer second(server, "second");
  first.add(100, seconds(1), wall_millis() + Millis(300));
  first.finish();  // its connections are idle now

  const auto api = server.connect();
  ASSERT_TRUE(api->call("GET", "/healthz"));
  second.add(100, seconds(3), wall_millis() + seconds(1));
  // A new descriptor is at least as high as the number of open ones.
  const ProcessUsage before = usage_of(pid);
  ASSERT_NO_FATAL_FAILURE(limit(server, pid, RLIMIT_NOFILE, before.open_files));
  HttpClient newcomer(server.url(), seconds(20));
  ASSERT_TRUE(newcomer.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  // The second customer's pushes need connections: the first one's are given up for them.
  const Histogram lateness = second.finish();
  std::cout << "[ figures  ] no descriptor left: lateness " << quantiles(lateness) << '\n';
  const auto answer = api->call("GET", "/readyz");
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 200U) << answer->body;

  ASSERT_NO_FATAL_FAILURE(limit(server, pid, RLIMIT_NOFILE, 10'000));
  EXPECT_EQ(newcomer.read_answer().status, 200) << server.process().errors();
  EXPECT_EQ(server.call("GET", "/readyz").status, 200U);
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

TEST(LittleMemory, MoreTasksThanFitAreRefusedAndTheRestGoesOn) {
  const TempDir dir;
  write_file(dir / "carillon.toml", "memory_max = \"1MiB\"\n");
  Carillond server(dir / "data", {"--config", dir / "carillon.toml"});
  ASSERT_TRUE(server.start());
  Customer customer(server);
  std::string batch;
  std::int64_t created = 0;
  unsigned rounds = 0;
  const auto api = server.connect();
  for (bool full = false; !full && rounds < 50; ++rounds) {
    batch.clear();
    for (int i = 0; i < 1'000; ++i) {
      batch += fmt::format(R"({{"id":"{}.{}","delay":"1d","target":"customer","payload":1}})",
                           rounds, i) +
               "\n";
    }
    const auto answer = api->call("POST", "/v1/tasks:batchCreate", batch, "application/x-ndjson");
    ASSERT_TRUE(answer);
    created += number_at(answer->body, "/created");
    full = number_at(answer->body, "/failed") > 0;
    if (full) {
      EXPECT_THAT(answer->body, HasSubstr("/problems/full"));
    }
  }
  EXPECT_GE(created, 10'000);
  EXPECT_LT(rounds, 50U) << "never full";
  EXPECT_EQ(
      api->call("POST", "/v1/tasks", R"({"delay":1,"target":"customer","payload":1})")->status,
      429U);
  EXPECT_TRUE(api->call("DELETE", "/v1/tasks/0.0")->ok());
  EXPECT_EQ(
      api->call("POST", "/v1/tasks", R"({"delay":1,"target":"customer","payload":1})")->status,
      201U);
  EXPECT_TRUE(customer.receiver().wait_for_accepted(1, kPatience));
  EXPECT_EQ(server.stop(), 0);
}

/// Adds large tasks until the server is gone; all of it goes into the ledger.
void add_until_it_ends(const Carillond& server, Subscribers& people, const std::string& round) {
  const auto api = server.connect();
  const WallTime due = wall_millis() + std::chrono::hours(1);
  for (int batch = 0; batch < 2'000; ++batch) {
    std::vector<Subscribers::Index> tasks;
    for (int i = 0; i < 500; ++i) {
      tasks.push_back(
          people.plan(fmt::format("{}.{}.{}", round, batch, i), due, fmt::format("group {}", i)));
    }
    if (!people.add(*api, tasks)) return;
  }
  ADD_FAILURE() << "it never ran out of memory";
}

TEST(NoMemory, ItEndsWithAMessageAndACodeAndNothingAcknowledgedIsLost) {
  const TempDir dir;
  Carillond server(dir / "data");
  // With more arenas, malloc finds tens of megabytes that it has reserved before.
  server.run_under({"/usr/bin/env", "MALLOC_ARENA_MAX=1"});
  Subscribers people("receiver");
  std::mt19937_64 random(std::random_device{}());
  for (std::size_t round = 0; round < sized(3, 30); ++round) {
    ASSERT_TRUE(server.start());
    const auto receiver = start_receiver();
    put_target(server, *receiver, 8);
    const int pid = server.process().pid();
    const std::uint64_t spare = random() % (8 * kMib);
    ASSERT_NO_FATAL_FAILURE(
        limit(server, pid, RLIMIT_AS, usage_of(pid).address_space_bytes + spare));
    add_until_it_ends(server, people, std::to_string(round));
    const auto ending = server.process().wait(kPatience);
    ASSERT_TRUE(ending);
    EXPECT_EQ(*ending, (Ending{4, 0})) << server.process().errors();
    EXPECT_THAT(server.process().errors(), HasSubstr("out of memory"));
    std::cout << fmt::format("[ figures  ] {} KiB more than at rest: ended after {} tasks in all\n",
                             spare >> 10, people.planned());
  }
  ASSERT_TRUE(server.start());
  EXPECT_TRUE(people.take_pending(*server.connect()));
  const auto verdict = people.ledger().judge({});
  EXPECT_TRUE(verdict.good()) << verdict.text();
  EXPECT_GE(verdict.pending, verdict.added);
  std::cout << "[ figures  ] " << verdict.text() << '\n';
  EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace carillon::test
