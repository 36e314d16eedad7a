// Whoever reads much at once, by lists, exports or large payloads that fall due together, harms
// nobody's tasks, and memory stays bounded.
#include <algorithm>
#include <functional>
#include <iostream>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/scenarios.h"
#include "tests/faults/socket_crowd.h"
#include "tests/faults/watch.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using std::chrono::seconds;

constexpr Millis kLead{1000};
constexpr std::size_t kRate = 100;
constexpr std::size_t kMib = std::size_t{1} << 20;
constexpr std::string_view kNowhere = "http://127.0.0.1:9/";

class Reading : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server.start());
    alone = during("nobody", [] {}).lateness;
  }
  void TearDown() override {
    if (HasFatalFailure()) return;
    EXPECT_EQ(server.stop(), 0) << server.process().errors();
  }

  struct Figures {
    Histogram lateness;
    std::uint64_t growth_bytes = 0;  // of resident memory, at most
    Histogram::Micros lateness_max{};
  };
  /// A customer is served while `read` goes on, or for a moment where that is over sooner.
  Figures during(const std::string& name, const std::function<void()>& read) {
    const int pid = server.process().pid();
    Customer customer(server);
    forget_peak(pid);
    const ProcessUsage before = usage_of(pid);
    const MachineStalls stalls(dir.path());
    const Millis length = seconds(sized(3, 20));
    customer.add(kRate, length, wall_millis() + kLead);
    std::this_thread::sleep_for(kLead);
    read();
    const Histogram lateness = customer.finish();
    const std::uint64_t peak_bytes = std::max(usage_of(pid).peak_bytes, before.resident_bytes);
    const Figures figures{lateness, peak_bytes - before.resident_bytes,
                          p99_max(alone, Millis(100), stalls)};
    std::cout << fmt::format(
        "[ figures  ] {}: lateness {}; {:.0f} MiB more; the machine took {} ms\n", name,
        quantiles(figures.lateness), mib(figures.growth_bytes), stalls.longest().count() / 1000);
    return figures;
  }
  void add_small(std::size_t count) {
    for (std::size_t first = 0; first < count; first += 5000) {
      std::string batch;
      for (std::size_t i = first; i < std::min(first + 5000, count); ++i) {
        batch += fmt::format(R"({{"id":"s{}","target":"{}","delay":{},"payload":"{}"}})"
                             "\n",
                             i, kNowhere, 3'600'000 + i * 7919 % 86'400'000, std::string(100, 'x'));
      }
      const auto answer =
          server.connect()->call("POST", "/v1/tasks:batchCreate", batch, "application/x-ndjson");
      ASSERT_TRUE(answer && answer->ok());
    }
  }
  /// Of a million bytes each, for `target`.
  void add_large(std::size_t count, const std::string& target, const std::string& due) {
    const auto client = server.connect();
    const std::string payload(1'000'000, 'x');
    for (std::size_t i = 0; i < count; ++i) {
      const auto answer =
          client->call("POST", "/v1/tasks",
                       fmt::format(R"({{"id":"l{}","target":"{}",{},"payload":"{}"}})", i, target,
                                   due, payload));
      ASSERT_TRUE(answer && answer->ok()) << (answer ? answer->body : answer.error().detail);
    }
  }
  /// Pages from the first on, until `pages` or the end; how many tasks.
  std::size_t walk(std::size_t pages) {
    const auto client = server.connect();
    std::size_t tasks = 0;
    std::string cursor;
    while (pages-- > 0) {
      const auto page = client->call("GET", "/v1/tasks?state=scheduled&limit=1000" + cursor);
      EXPECT_TRUE(page && page->ok());
      if (!page) break;
      for (std::size_t at = 0; (at = page->body.find(R"("id":)", at)) != std::string::npos; ++at) {
        ++tasks;
      }
      const std::size_t next = page->body.find(R"("next_cursor":")");
      if (next == std::string::npos) break;
      cursor =
          "&cursor=" + page->body.substr(next + 15, page->body.find('"', next + 15) - next - 15);
    }
    return tasks;
  }
  static void all_at_once(std::size_t count, const std::function<void()>& read) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back(read);
    for (std::thread& thread : threads) thread.join();
  }
  std::size_t export_all() {
    std::size_t lines = 0;
    const auto answer = server.connect()->stream("/v1/export", [&lines](std::string_view piece) {
      lines += static_cast<std::size_t>(std::count(piece.begin(), piece.end(), '\n'));
      return true;
    });
    EXPECT_TRUE(answer && answer->ok());
    return lines;
  }

  TempDir dir;
  Carillond server{dir / "data"};
  Histogram alone;
};

TEST_F(Reading, AWalkManyCursorsAndManyExportsMakeNothingLate) {
  const std::size_t count = sized(100'000, 5'000'000);
  add_small(count);
  const Figures one = during("a walk", [&] {
    // The customer's own are in it, or not any more.
    EXPECT_GE(walk(count), count);
  });
  EXPECT_LE(one.lateness.quantile(0.99), one.lateness_max);
  const Figures many = during("200 cursors", [&] { all_at_once(200, [&] { walk(3); }); });
  EXPECT_LE(many.lateness.quantile(0.99), many.lateness_max);
  EXPECT_LE(many.growth_bytes, 100 * kMib);
  const Figures exports =
      during("20 exports", [&] { all_at_once(20, [&] { EXPECT_GE(export_all(), count); }); });
  EXPECT_LE(exports.lateness.quantile(0.99), exports.lateness_max);
  EXPECT_LE(exports.growth_bytes, 100 * kMib);
}

TEST_F(Reading, LargePayloadsCostAPieceEachWhetherTheirReadersReadOrNot) {
  const std::size_t count = sized(300, 1'000);
  add_large(count, std::string(kNowhere), R"("delay":"10h")");
  const Figures list = during("a list", [&] { EXPECT_GE(walk(1), count); });
  EXPECT_LE(list.lateness.quantile(0.99), list.lateness_max);
  EXPECT_LE(list.growth_bytes, 64 * kMib);
  const Figures whole = during("an export", [&] { EXPECT_GE(export_all(), count); });
  EXPECT_LE(whole.lateness.quantile(0.99), whole.lateness_max);
  EXPECT_LE(whole.growth_bytes, 128 * kMib);
  const Figures idle = during("30 exports that nobody reads", [&] {
    SocketCrowd bad(server, 30, 8'192);
    bad.send("GET /v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n");
    std::this_thread::sleep_for(seconds(3));
  });
  EXPECT_LE(idle.lateness.quantile(0.99), idle.lateness_max);
  EXPECT_LE(idle.growth_bytes, 200 * kMib);
}

TEST_F(Reading, LargePayloadsThatFallDueTogetherArePushedInTurn) {
  const std::size_t count = sized(300, 1'200);
  const auto receiver = start_receiver();
  put_target(server, *receiver, 10'000);
  const WallTime due = wall_millis() + seconds(sized(20, 60));
  add_large(count, "receiver", fmt::format(R"("due_at":{})", due.time_since_epoch().count()));
  ASSERT_LT(wall_millis() + kLead, due) << "the machine is too slow for this size";
  std::this_thread::sleep_for(due - wall_millis() - kLead);
  const Figures burst = during("large payloads", [&] { wait_until_idle(server); });
  EXPECT_LE(burst.lateness.quantile(0.99), burst.lateness_max);
  EXPECT_LE(burst.growth_bytes, 280 * kMib);
  EXPECT_EQ(static_cast<std::size_t>(stat(server, "/counts/delivered")),
            count + 2 * kRate * sized(3, 20));
}

}  // namespace
}  // namespace carillon::test
