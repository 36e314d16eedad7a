// Bad receivers, one kind at a time, with hundreds of tasks at each, beside a good customer's: the
// customer's tasks stay as punctual as without them, memory stays flat, and every task ends up as
// documented.
#include <deque>
#include <iostream>
#include <regex>

#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/faults/hostile_receiver.h"
#include "tests/faults/watch.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

constexpr Millis kTimeout{1000};
constexpr Millis kLead{700};  // to add a round's tasks before the first is due
constexpr int kRate = 200;
constexpr std::uint64_t kGrowthMax = std::uint64_t{64} << 20;

// Another's slots or look-ups in the way would cost the customer at least kTimeout for each push
// before its own: seconds.
constexpr Millis kMore{300};

class HostileReceivers : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(dir / "carillon.toml",
               "retain_finished = \"1s\"\n"
               "[url_defaults]\ntimeout = \"1s\"\n"
               "retry = { max_attempts = 2, backoff_min = \"10ms\", backoff_max = \"50ms\" }\n");
    server.run_under(starter());
    ASSERT_TRUE(server.start());
    alone = round(nullptr, {});
    std::cout << "[ figures  ] alone: lateness " << quantiles(alone) << '\n';
    resident = usage_of(server.process().pid()).resident_bytes;
  }

  /// What starts the server.
  [[nodiscard]] virtual std::vector<std::string> starter() const {
    return {"/usr/bin/env", "LD_PRELOAD=" + program("slow_names.so"),
            "ASAN_OPTIONS=verify_asan_link_order=0"};
  }

  /// Tasks for very many origins of their own that take each connection and never answer.
  void expect_silent_origins_leave_the_others_their_share() {
    // Nobody accepts, but the kernel does, up to the backlog.
    boost::asio::io_context loop;
    std::deque<boost::asio::ip::tcp::acceptor> silent;
    for (int i = 0; i < 160; ++i) {
      silent.emplace_back(
          loop, boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
    }
    count = silent.size() * sized(24, 60);
    growth_max *= 4;  // of buffers of thousands of connections
    const Hostility hostility{.name = "160 origins that accept and never answer",
                              .url = {},
                              .reaction = {},
                              .certificate = {},
                              .error = "no answer within"};
    SCOPED_TRACE(hostility.name);
    cancel_rest = true;
    round(&hostility, tasks_to([&](std::size_t task) {
      const auto& origin = silent[task % silent.size()];
      return fmt::format("http://127.0.0.1:{}/", origin.local_endpoint().port());
    }));
  }

  /// The customer's lateness while `tasks` (NDJSON) fall due elsewhere.
  Histogram round(const Hostility* hostility, const std::string& tasks) {
    const std::string name = hostility == nullptr ? "nobody" : hostility->name;
    forget_peak(server.process().pid());
    Customer customer(server, "customer", "customer.test");
    const MachineStalls stalls(dir.path());
    const WallTime start = wall_millis() + kLead;
    customer.add(kRate, length, start);
    GoodClient client(server, customer.target());
    if (!tasks.empty()) add(tasks);
    Histogram lateness = customer.finish();
    if (cancel_rest || (hostility != nullptr && hostility->state == "retrying")) {
      EXPECT_TRUE(server.call("POST", "/v1/groups/bad:cancel").ok());
    }
    wait_until_idle(server);
    const auto took = wall_millis() - start;
    const auto& figures = client.stop();
    EXPECT_EQ(figures.refused + figures.cut_off, 0U) << figures.first_refusal;
    EXPECT_LT(figures.add.quantile(0.99), Millis(500) + stalls.longest() * 2) << "adds are delayed";
    if (hostility == nullptr) return lateness;
    const ProcessUsage usage = usage_of(server.process().pid());
    std::cout << fmt::format(
        "[ figures  ] {}: lateness {}; adds {}; over after {} ms; resident {:.0f} MiB, peak "
        "{:.0f}\n",
        name, quantiles(lateness), quantiles(figures.add), took.count(), mib(usage.resident_bytes),
        mib(usage.peak_bytes));
    EXPECT_LE(lateness.quantile(0.99), p99_max(alone, kMore, stalls));
    EXPECT_LE(usage.peak_bytes, resident + growth_max);
    return lateness;
  }

  void add(const std::string& tasks) {
    const auto answer =
        server.connect()->call("POST", "/v1/tasks:batchCreate", tasks, "application/x-ndjson");
    ASSERT_TRUE(answer) << answer.error().detail;
    ASSERT_EQ(number_at(answer->body, "/created"), static_cast<std::int64_t>(count))
        << answer->body.substr(0, 500);
  }

  /// All due at one moment, right when the customer's begin.
  [[nodiscard]] std::string tasks_to(const std::function<std::string(std::size_t)>& target) const {
    const WallTime due = wall_millis() + kLead;
    std::string lines;
    for (std::size_t i = 0; i < count; ++i) {
      lines +=
          fmt::format(R"({{"id":"bad{}","due_at":{},"target":"{}","group":"bad","payload":1}})", i,
                      due.time_since_epoch().count(), target(i)) +
          "\n";
    }
    return lines;
  }

  void expect_ends_as(const Hostility& hostility) {
    if (hostility.state == "delivered") {
      const std::string task = server.call("GET", "/v1/tasks/bad0").body;
      // It may be forgotten already, but a dead letter would not be.
      EXPECT_TRUE(task.find("delivered") != task.npos || task.find("not_found") != task.npos)
          << task;
      EXPECT_EQ(stat(server, "/counts/dead"), 0);
      return;
    }
    if (hostility.state == "retrying") {
      EXPECT_EQ(stat(server, "/counts/dead"), 0);
      return;
    }
    const std::string page = server.call("GET", "/v1/dead?group=bad&limit=1000").body;
    simdjson::dom::parser parser;
    std::vector<std::string> other;
    const std::regex error(hostility.error);
    for (const auto task : parser.parse(page)["tasks"].get_array()) {
      const std::string text = simdjson::minify(task);
      const bool as_promised = number_at(text, "/attempt") == hostility.attempts &&
                               std::regex_search(text_at(text, "/last_error"), error);
      if (!as_promised) other.push_back(text);
    }
    EXPECT_TRUE(other.empty()) << other.size() << " end otherwise, such as " << other.front();
    EXPECT_EQ(stat(server, "/counts/dead"), static_cast<std::int64_t>(count));
    EXPECT_TRUE(server.call("POST", "/v1/dead:purge").ok());
  }

  void expect_survives(const Hostility& hostility, const std::string& target) {
    SCOPED_TRACE(hostility.name);
    round(&hostility, tasks_to([&](std::size_t) { return target; }));
    expect_ends_as(hostility);
  }

  TempDir dir;
  Carillond server{dir / "data", {"--config", dir / "carillon.toml"}};
  std::size_t count = sized(128, 2'000);
  const Millis length{static_cast<int>(sized(2'000, 15'000))};
  std::uint64_t growth_max = kGrowthMax;
  bool cancel_rest = false;  // what is left once the customer's tasks are pushed
  Histogram alone;
  std::uint64_t resident = 0;
};

TEST_F(HostileReceivers, OfEachKindHarmNobodyButTheirOwnTasks) {
  for (const Hostility& hostility : hostilities()) {
    const HostileReceiver receiver(hostility);
    put_target(server, "hostile", receiver.target(kTimeout, 2));
    // A hold that the round before left would make the first push a probe, which costs no attempt.
    EXPECT_TRUE(server.call("POST", "/v1/targets/hostile:resume").ok());
    expect_survives(hostility, "hostile");
    EXPECT_GE(receiver.shortest_pause(), hostility.retry_pause) << hostility.name;
  }
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

TEST_F(HostileReceivers, ThatDoNotEvenAcceptAreATimeout) {
  // A listener whose backlog is full drops what comes.
  boost::asio::io_context loop;
  boost::asio::ip::tcp::acceptor full(loop, {boost::asio::ip::make_address("127.0.0.1"), 0}, false);
  full.listen(0);
  const Hostility hostility{
      .name = "accept nothing",
      .url = "http://127.0.0.1:" + std::to_string(full.local_endpoint().port()) + "/",
      .reaction = {},
      .certificate = {},
      .error = "no answer within|no connection in time"};
  const HostileReceiver receiver(hostility);
  put_target(server, "hostile", receiver.target(kTimeout, 2));
  expect_survives(hostility, "hostile");
}

TEST_F(HostileReceivers, WithANameOfItsOwnEachThatNobodyAnswersForAreATimeout) {
  const Hostility hostility{.name = "many names that take long",
                            .url = {},
                            .reaction = {},
                            .certificate = {},
                            .error = "no answer within"};
  SCOPED_TRACE(hostility.name);
  round(&hostility, tasks_to([](std::size_t i) { return fmt::format("http://{}.slow.test/", i); }));
  expect_ends_as(hostility);
}

TEST_F(HostileReceivers, OfManyOriginsThatAcceptAndNeverAnswerLeaveTheOthersTheirShare) {
  expect_silent_origins_leave_the_others_their_share();
}

class HostileReceiversOfFewFiles : public HostileReceivers {
 protected:
  [[nodiscard]] std::vector<std::string> starter() const override {
    std::vector<std::string> all = {"/bin/sh", "-c", "ulimit -n 1024; exec \"$@\"", "sh"};
    const std::vector<std::string> rest = HostileReceivers::starter();
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
  }
};

TEST_F(HostileReceiversOfFewFiles, OfManyOriginsThatAcceptAndNeverAnswerLeaveTheOthersTheirShare) {
  expect_silent_origins_leave_the_others_their_share();
}

}  // namespace
}  // namespace carillon::test
