// Bad clients by the thousand, one kind at a time: who behaves is answered as soon as ever, tasks
// stay punctual, memory stays flat, and the bad ones are got rid of within the limits' times.
#include <functional>
#include <iostream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/scenarios.h"
#include "tests/faults/socket_crowd.h"
#include "tests/faults/watch.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Millis kLead{500};
// For the last to be closed, under the limits below.
const Millis kGone = seconds(sized(20, 90));
constexpr int kRate = 100;
constexpr std::size_t kMib = std::size_t{1} << 20;

// Waiting for a bad client would take as long as its time-out.
const Millis kMore{sized(300, 1'000)};

class HostileClients : public ::testing::Test {
 protected:
  void SetUp() override {
    // Idle for longer than connecting takes, so that they are all there at once.
    write_file(dir / "carillon.toml",
               fmt::format("retain_finished = \"1s\"\n[limits]\nconnections_max = {}\n"
                           "header_timeout = \"2s\"\nbody_timeout = \"2s\"\n"
                           "idle_timeout = \"{}s\"\n",
                           crowd / 2, sized(2, 20)));
    ASSERT_TRUE(server.start());
    during("nobody", 0, [] { std::this_thread::sleep_for(seconds(2)); });
  }
  void TearDown() override {
    if (HasFatalFailure()) return;
    EXPECT_EQ(server.stop(), 0) << server.process().errors();
  }

  /// `attack` goes on while a good client and a customer are served.
  void during(const std::string& name, std::uint64_t growth_max,
              const std::function<void()>& attack) {
    SCOPED_TRACE(name);
    const int pid = server.process().pid();
    Customer customer(server);
    forget_peak(pid);
    const ProcessUsage before = usage_of(pid);
    const MachineStalls stalls(dir.path());
    customer.add(kRate, seconds(sized(3, 10)), wall_millis() + kLead);
    GoodClient client(server, customer.target());
    const auto begin = std::chrono::steady_clock::now();
    attack();
    const auto took = std::chrono::steady_clock::now() - begin;
    const auto& figures = client.stop();
    const Histogram lateness = customer.finish();
    const ProcessUsage after = usage_of(pid);
    std::cout << fmt::format(
        "[ figures  ] {}: {} ms; healthz {}; adds {}; lateness {}; resident {:.0f} MiB, peak "
        "{:.0f}, after {:.0f}; files {} and {}; the machine took {} ms\n",
        name, std::chrono::duration_cast<Millis>(took).count(), quantiles(figures.health),
        quantiles(figures.add), quantiles(lateness), mib(before.resident_bytes),
        mib(after.peak_bytes), mib(after.resident_bytes), before.open_files, after.open_files,
        stalls.longest().count() / 1000);
    EXPECT_EQ(figures.refused + figures.cut_off, 0U) << figures.first_refusal;
    if (growth_max == 0) {
      alone_health = figures.health;
      alone_lateness = lateness;
      return;
    }
    EXPECT_LE(figures.health.quantile(0.99), p99_max(alone_health, kMore, stalls));
    EXPECT_LE(lateness.quantile(0.99), p99_max(alone_lateness, kMore, stalls));
    EXPECT_LE(after.peak_bytes, before.resident_bytes + growth_max);
  }

  /// A crowd that goes on with `step` until the server has closed all of it.
  void crowd_during(const std::string& name, std::size_t members, std::string_view opening,
                    const std::function<void(SocketCrowd&)>& step, int status, int kernel_bytes = 0,
                    std::uint64_t growth_max = 64 * kMib) {
    during(name, growth_max, [&] {
      SocketCrowd bad(server, members, kernel_bytes);
      bad.send(opening);
      EXPECT_TRUE(bad.until_closed(kGone, Millis(50), [&] { step(bad); }))
          << bad.closed() << " of " << bad.size() << " were closed";
      if (status != 0) {
        // Or it had no time left for as much as it takes to be refused for that.
        EXPECT_GE(bad.answered(status) + bad.answered(408), members * 9 / 10) << "say " << status;
      }
    });
  }

  TempDir dir;
  Carillond server{dir / "data", {"--config", dir / "carillon.toml"}};
  const std::size_t crowd = sockets_at_most(sized(2'000, 20'000));
  Histogram alone_health, alone_lateness;
};

TEST_F(HostileClients, WhoComeInMassesAreTurnedAwayAndWhoAreIdleAreClosed) {
  during("connections, twice as many as may be", 256 * kMib, [&] {
    SocketCrowd bad(server, crowd);
    EXPECT_TRUE(bad.until_closed(kGone, Millis(20), [&] { bad.receive(16'384); }));
    // Beyond a hundred or so at a time, those turned away are only closed.
    EXPECT_GE(bad.answered(503), 1U);
    EXPECT_LE(bad.answered(503), crowd - crowd / 2 + 1);
  });
}

TEST_F(HostileClients, WhoVanishHalfwayAreForgotten) {
  // The customer's receiver may have many connections, too.
  const std::size_t files = usage_of(server.process().pid()).open_files + 150;
  during("half-open", 128 * kMib, [&] {
    SocketCrowd bad(server, crowd / 4);
    bad.send("POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Le");
    bad.vanish();
    const auto deadline = std::chrono::steady_clock::now() + kGone;
    while (usage_of(server.process().pid()).open_files > files &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(Millis(100));
    }
    EXPECT_LE(usage_of(server.process().pid()).open_files, files);
  });
}

TEST_F(HostileClients, WhoAreSlowAreCutOff) {
  const std::size_t members = crowd / 4;
  const auto a_byte = [](SocketCrowd& bad) {
    bad.send("x");
    bad.receive(16'384);
  };
  crowd_during("head a byte at a time", members,
               "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", a_byte, 408);
  crowd_during("body a byte at a time", members,
               "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               "Content-Length: 9999\r\n\r\n",
               a_byte, 408);
}

TEST_F(HostileClients, WhoDoNotReadTheirAnswersAreCutOff) {
  std::string requests;
  for (int i = 0; i < 2'000; ++i)
    requests += "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::size_t members = sized(250, 500);
  const std::uint64_t kernel_before = tcp_kernel_bytes();
  std::uint64_t kernel_most = kernel_before;
  for (const std::size_t read : {0U, 1U}) {
    crowd_during(
        read == 0 ? "never read" : "read a byte at a time", members, requests,
        [&](SocketCrowd& bad) {
          bad.send(requests);
          if (read > 0) bad.receive(read);
          kernel_most = std::max(kernel_most, tcp_kernel_bytes());
        },
        0, 8'192, members * kMib / 4 + 64 * kMib);
  }
  const std::uint64_t kernel = kernel_most - kernel_before;
  std::cout << fmt::format("[ figures  ] the kernel held {:.0f} MiB for {} of them\n", mib(kernel),
                           members);
  EXPECT_LE(kernel, members * kMib + 32 * kMib);
}

TEST_F(HostileClients, WhoSendWithoutEndAreRefused) {
  const std::string zeros(64 * 1024, '0');
  std::string chunks;
  for (int i = 0; i < 256; ++i) chunks += "400\r\n" + std::string(1024, '0') + "\r\n";
  const std::string head =
      "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  std::size_t sent = 0;
  const auto pour = [&](const std::string& what) {
    return [&sent, &what](SocketCrowd& bad) {
      sent += bad.send(what);
      bad.receive(16'384);
    };
  };
  const std::size_t members = sized(50, 500);
  crowd_during("10 GB body", members, head + "Content-Length: 10737418240\r\n\r\n", pour(zeros),
               413);
  crowd_during("endless chunks", members, head + "Transfer-Encoding: chunked\r\n\r\n", pour(chunks),
               413, 0, std::uint64_t{members} * 2 * kMib + 64 * kMib);
  crowd_during("endless chunk extension", members, head + "Transfer-Encoding: chunked\r\n\r\n1;",
               pour(zeros), 400);
  crowd_during("endless head", members,
               "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ", pour(zeros), 431);
  crowd_during("endless request line", members, "GET /", pour(zeros), 414);
  std::cout << fmt::format("[ figures  ] {:.0f} MiB were sent in vain\n", mib(sent));
}

TEST_F(HostileClients, WhoStallInTheMiddleOfLargeBodiesCostNoMoreThanTheirBound) {
  const std::string half(8 * kMib, ' ');
  // More than the server may hold for all clients together.
  const std::size_t members = sized(40, 200);
  crowd_during(
      "half a batch", members,
      "POST /v1/tasks:batchCreate HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Type: application/json\r\nContent-Length: 16777216\r\n\r\n",
      [&, left = half.size() * members](SocketCrowd& bad) mutable {
        const std::string_view piece =
            std::string_view(half).substr(0, std::min(half.size(), left / members));
        left -= std::min(left, bad.send(piece));
        bad.receive(16'384);
      },
      0, 0, (128 + 64) * kMib);
}

TEST_F(HostileClients, WithMonstersOfRequestsAreRefused) {
  std::string many_headers;
  for (int i = 0; i < 100'000; ++i) many_headers += fmt::format("h{}: x\r\n", i);
  const std::string deep(1'000'000, '[');
  std::string deep_task = R"({"id":"x","delay":1,"target":"customer","payload":)";
  for (int i = 0; i < 100'000; ++i) deep_task += "{\"a\":";
  during("monsters", 128 * kMib, [&] {
    for (std::size_t round = 0; round < sized(20, 200); ++round) {
      EXPECT_EQ(HttpClient(server.url())
                    .request("GET", "/healthz", "", {{"a", "b\r\n" + many_headers + "c: d"}})
                    .status,
                431);
      HttpClient client(server.url());
      EXPECT_EQ(client.post("/v1/tasks", deep).status, 400);
      EXPECT_EQ(client.post("/v1/tasks", deep_task).status, 400);
      EXPECT_EQ(client.post("/v1/tasks:batchCreate", deep).status, 400);
      EXPECT_EQ(client.post("/v1/groups/g:shift", deep).status, 400);
      EXPECT_EQ(client.request("PUT", "/v1/targets/t", deep).status, 400);
    }
  });
}

TEST_F(HostileClients, OfSlowhttptestDoNotMakeItUnavailable) {
  const std::string count = std::to_string(crowd / 4);
  const std::string length = std::to_string(sized(5, 60));
  for (const char* kind : {"-H", "-B", "-R", "-X"}) {
    during(std::string("slowhttptest ") + kind, 128 * kMib + crowd / 4 * kMib / 8, [&] {
      const Finished finished = run_program(
          {"/usr/bin/slowhttptest", kind, "-c", count, "-r", count, "-i", "1", "-l", length, "-p",
           "2", "-x", "10", "-t", kind == std::string_view("-B") ? "POST" : "GET", "-u",
           server.url() + "/openapi.json"},
          {}, {}, std::chrono::minutes(5));
      EXPECT_EQ(finished.ending.code, 0) << finished.errors;
      EXPECT_THAT(finished.output, HasSubstr("service available:"));
      EXPECT_THAT(finished.output, Not(::testing::ContainsRegex("service available: *[^ ]*NO")));
    });
  }
}

}  // namespace
}  // namespace carillon::test
