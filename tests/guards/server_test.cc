// What an add may cost the server: system calls, allocations, commits, bytes.
//
// These are counts and not times, so that they hold on a busy machine, and each is bounded by the
// table below. Every figure seen is printed beside its bound, also when it passes: to tighten a
// bound, run this program and write down what it saw.
#include <cstdio>
#include <numeric>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/guards/watched_server.h"

namespace carillon::test {
namespace {

struct Bound {
  std::string_view figure;
  double most = 0;
  bool may_be_none = false;  // else a figure of nothing was not measured
};

// A request cannot do without one receive and one send; few receives are looks in vain. Where a
// figure depends on how much comes together (epoll_wait, futex, marks), the bound is the worst that
// may be on a busy machine. Allocations and bytes have the figure seen and room for less than one
// allocation more, since commits differ in size.
// Zeros ahead of the write-ahead log (storage/wal_space.h) are each byte of it a second time, a
// call for each page and a sync for each 256 KiB, with up to 8 MiB of them ahead at the end.
constexpr Bound kBounds[] = {
    // One add a request, 64 connections, one 150 B payload each.
    {"http: receives per add", 1.2},
    {"http: sends per add", 1.005},
    {"http: epoll_wait per add", 1.00},
    {"http: calls per connection", 5.0},
    {"http: epoll_ctl and futex per commit", 9.0},  // wakes the loop, and registers sockets
    {"http: other calls per commit", 0.8, /*may_be_none=*/true},
    {"loop: calls per commit", 16},
    {"others: calls per commit", 20},
    {"http: allocations per add", 11.5},
    {"loop: allocations per add", 7.2},
    {"others: allocations per add", 1.3},
    {"commits per add", 0.06},
    {"other syncs per 50 ms", 8.0, /*may_be_none=*/true},
    {"commit bytes per task", 290},
    {"written bytes per task", 1000},
    // One client that waits for each answer.
    {"lone client: other syncs per 50 ms", 2.0, /*may_be_none=*/true},
    // 1,000 a request, 8 connections.
    {"batch: http's allocations per task", 2.8},
    {"batch: loop's allocations per task", 0.2},
    {"batch: others' allocations per task", 0.5},
    {"batch: commits per request", 1.00},
    {"batch: commit bytes per task", 290},
};

void expect_within_bound(std::string_view figure, double seen) {
  for (const Bound& bound : kBounds) {
    if (bound.figure != figure) continue;
    std::printf("[ figures  ] %-36.*s %9.3f  at most %9.3f\n", static_cast<int>(figure.size()),
                figure.data(), seen, bound.most);
    EXPECT_TRUE(seen > 0 || bound.may_be_none) << figure;
    EXPECT_LE(seen, bound.most) << figure;
    return;
  }
  ADD_FAILURE() << "no bound for " << figure;
}

/// Each commit is a sync; what is synced beside them are marks of how far that is, and space ahead.
double other_syncs_per_50_ms(const Tally& tally) {
  EXPECT_GE(tally.syncs, tally.commits);
  return (tally.syncs - tally.commits) / (tally.seconds / 0.05);
}

using Calls = std::map<std::string, std::uint64_t>;

/// How many of these there were; they are taken out of `calls`.
double take(Calls& calls, std::initializer_list<const char*> names) {
  double sum = 0;
  for (const char* const name : names) {
    const auto found = calls.extract(name);
    if (found) sum += static_cast<double>(found.mapped());
  }
  return sum;
}

double sum_of(const Calls& calls) {
  return std::accumulate(calls.begin(), calls.end(), 0.0, [](double sum, const auto& call) {
    return sum + static_cast<double>(call.second);
  });
}

void print_calls(const char* whose, const Calls& calls) {
  for (const auto& [name, count] : calls)
    std::printf("[ calls    ] %s: %s %ju\n", whose, name.c_str(), std::uintmax_t{count});
}

TEST(AnAdd, TakesSoManySystemCalls) {
  constexpr Load kLoad{.tasks = 5'000};
  constexpr auto kAdds = static_cast<double>(kLoad.tasks);
  WatchedServer server;
  ASSERT_NO_FATAL_FAILURE(server.start());
  SystemCalls calls = server.trace(kLoad);
  print_calls("loop", calls.loop);
  print_calls("http", calls.http);
  print_calls("others", calls.other);
  expect_within_bound("http: receives per add",
                      take(calls.http, {"recvfrom", "recvmsg", "read", "readv"}) / kAdds);
  expect_within_bound("http: sends per add",
                      take(calls.http, {"sendto", "sendmsg", "write", "writev"}) / kAdds);
  expect_within_bound("http: epoll_wait per add",
                      take(calls.http, {"epoll_wait", "epoll_pwait"}) / kAdds);
  const double connecting = take(calls.http, {"accept", "accept4", "close", "ioctl", "setsockopt"});
  expect_within_bound("http: calls per connection",
                      connecting / static_cast<double>(kLoad.connections));
  expect_within_bound("http: epoll_ctl and futex per commit",
                      take(calls.http, {"epoll_ctl", "futex"}) / calls.commits);
  expect_within_bound("http: other calls per commit", sum_of(calls.http) / calls.commits);
  expect_within_bound("loop: calls per commit", sum_of(calls.loop) / calls.commits);
  expect_within_bound("others: calls per commit", sum_of(calls.other) / calls.commits);
}

TEST(AnAdd, SharesItsCommitAndTakesSoManyAllocationsAndBytes) {
  constexpr Load kLoad{.tasks = 20'000};
  constexpr auto kAdds = static_cast<double>(kLoad.tasks);
  WatchedServer server;
  ASSERT_NO_FATAL_FAILURE(server.start());
  const Tally tally = server.tally(kLoad);
  expect_within_bound("http: allocations per add", tally.http_allocations / kAdds);
  expect_within_bound("loop: allocations per add", tally.loop_allocations / kAdds);
  expect_within_bound("others: allocations per add", tally.other_allocations / kAdds);
  expect_within_bound("commits per add", tally.commits / kAdds);
  expect_within_bound("other syncs per 50 ms", other_syncs_per_50_ms(tally));
  expect_within_bound("commit bytes per task", tally.commit_bytes / kAdds);
  expect_within_bound("written bytes per task", tally.written_bytes / kAdds);
}

TEST(ALoneClient, HasACommitForEachAdd) {
  constexpr Load kLoad{.connections = 1, .tasks = 200};
  WatchedServer server;
  ASSERT_NO_FATAL_FAILURE(server.start());
  const Tally tally = server.tally(kLoad);
  EXPECT_EQ(tally.commits, kLoad.tasks);
  expect_within_bound("lone client: other syncs per 50 ms", other_syncs_per_50_ms(tally));
}

TEST(ABatch, TakesFewAllocationsATask) {
  constexpr Load kLoad{.connections = 8, .batch = 1'000, .tasks = 50'000};
  constexpr auto kTasks = static_cast<double>(kLoad.tasks);
  WatchedServer server;
  ASSERT_NO_FATAL_FAILURE(server.start());
  const Tally tally = server.tally(kLoad);
  expect_within_bound("batch: http's allocations per task", tally.http_allocations / kTasks);
  expect_within_bound("batch: loop's allocations per task", tally.loop_allocations / kTasks);
  expect_within_bound("batch: others' allocations per task", tally.other_allocations / kTasks);
  expect_within_bound("batch: commits per request", tally.commits * kLoad.batch / kTasks);
  expect_within_bound("batch: commit bytes per task", tally.commit_bytes / kTasks);
}

}  // namespace
}  // namespace carillon::test
