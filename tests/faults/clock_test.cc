// The clock is set, or the process stands still for a while: nothing is early by the server's
// clock, nothing is lost, nothing comes twice, and what became overdue is paced.
#include <atomic>
#include <csignal>
#include <iostream>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr Millis kPatience = minutes(3);
constexpr std::size_t kBatch = 1000;
constexpr std::size_t kCatchUp = 1000;  // overdue tasks a second

/// The clock of a server under stepped_clock.cc.
class SteppedClock {
 public:
  explicit SteppedClock(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CARILLON_CHECK(fd >= 0 && ::ftruncate(fd, sizeof(Shared)) == 0);
    void* const shared = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    CARILLON_CHECK(shared != MAP_FAILED);
    ahead_ms_ = new (shared) Shared(0);
  }
  ~SteppedClock() { ::munmap(ahead_ms_, sizeof(Shared)); }
  SteppedClock(const SteppedClock&) = delete;
  SteppedClock& operator=(const SteppedClock&) = delete;

  void step(Millis by) { *ahead_ms_ += by.count(); }
  /// How far it is ahead of the machine's.
  [[nodiscard]] Millis ahead() const { return Millis(*ahead_ms_); }
  [[nodiscard]] WallTime now() const { return wall_millis() + ahead(); }

 private:
  using Shared = std::atomic<std::int64_t>;
  Shared* ahead_ms_;
};

/// Tasks of one target and their receiver.
struct Crowd {
  Crowd(const std::string& name, const Carillond& server, int concurrency,
        Millis answer_delay = Millis(0))
      : receiver(start_receiver(answer_delay)), people(name) {
    const auto answer = server.call("PUT", "/v1/targets/" + name,
                                    R"({"url":")" + receiver->url() + R"(","concurrency":)" +
                                        std::to_string(concurrency) + "}");
    EXPECT_TRUE(answer.ok()) << answer.body;
  }
  /// Adds tasks that are due evenly between the two.
  void add(const Carillond& server, const std::string& id, std::size_t count, WallTime from,
           WallTime to) {
    std::vector<Subscribers::Index> tasks;
    for (std::size_t i = 0; i < count; ++i) {
      const auto share = static_cast<std::int64_t>(i);
      tasks.push_back(people.plan(id + std::to_string(i),
                                  from + (to - from) * share / static_cast<std::int64_t>(count)));
    }
    ASSERT_EQ(people.add_all(*server.connect(), tasks, kBatch), count);
  }
  /// Enters what came while the server's clock was `ahead`; how many that were.
  std::size_t take(Millis ahead) {
    const auto arrivals = receiver->take_arrivals();
    for (const load::Arrival& arrival : arrivals) {
      people.ledger().pushed({.id = arrival.task_id,
                              .body = arrival.body_hash,
                              .webhook = arrival.webhook_hash,
                              .due = arrival.due,
                              .at = arrival.at + ahead,
                              .attempt = arrival.attempt,
                              .accepted = arrival.answered < 300});
    }
    return arrivals.size();
  }
  [[nodiscard]] std::uint64_t received() const { return receiver->summary().received; }
  [[nodiscard]] bool wait_for(std::uint64_t accepted) const {
    return receiver->wait_for_accepted(accepted, kPatience);
  }
  void expect_good(const Ledger::Rules& rules, std::uint64_t delivered) {
    const auto verdict = people.ledger().judge(rules);
    EXPECT_TRUE(verdict.good()) << verdict.text();
    EXPECT_EQ(verdict.delivered, delivered) << verdict.text();
    std::cout << "[ figures  ] " << verdict.text() << '\n';
  }

  std::unique_ptr<load::Receiver> receiver;
  Subscribers people;
};

class ClockSteps : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(dir / "carillon.toml", fmt::format("catch_up_per_second = {}\n", kCatchUp));
    server.run_under({"/usr/bin/env", "LD_PRELOAD=" + program("stepped_clock.so"),
                      "STEPPED_CLOCK=" + (dir / "clock"), "ASAN_OPTIONS=verify_asan_link_order=0"});
    ASSERT_TRUE(server.start());
  }

  /// That it logs a step of this length, give or take the rounding.
  void expect_told(Millis step) {
    const auto line = server.process().wait_for_line("the clock was set.*step=(\\S+)");
    ASSERT_TRUE(line) << server.process().errors();
    const Millis told = parse_duration(line->at(1), /*allow_negative=*/true).value();
    EXPECT_LE(std::chrono::abs(told - step), Millis(100)) << line->at(1);
  }
  void expect_counted(int steps) {
    EXPECT_THAT(server.call("GET", "/metrics").body,
                HasSubstr(fmt::format("\ncarillon_clock_steps_total {}\n", steps)));
  }
  void wait_for_count(const std::string& state, std::int64_t count) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (stat(server, "/counts/" + state) != count) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << state << " is not " << count;
      std::this_thread::sleep_for(Millis(10));
    }
  }
  void step_forward(Millis by);

  TempDir dir;
  SteppedClock clock{dir / "clock"};
  Carillond server{dir / "data", {"--config", dir / "carillon.toml"}};
};

/// 3,000 tasks become due at once.
void ClockSteps::step_forward(Millis by) {
  const std::size_t count = sized(3'000, 30'000);
  Crowd many("many", server, 64);
  Crowd ordered("ordered", server, 1);  // one push at a time: they arrive as they are fired
  const WallTime begin = clock.now();
  const WallTime end = begin + std::min<Millis>(by, days(30)) - minutes(1);
  many.add(server, "m", count, begin + minutes(1), end);
  ordered.add(server, "o", 300, begin + minutes(1), end);
  if (by < hours(2)) many.add(server, "later", 100, begin + hours(2), begin + hours(3));
  EXPECT_EQ(many.received() + ordered.received(), 0U);

  const auto stepped = std::chrono::steady_clock::now();
  clock.step(by);
  ASSERT_TRUE(many.wait_for(count)) << server.process().errors();
  const auto took = std::chrono::steady_clock::now() - stepped;
  EXPECT_TRUE(ordered.wait_for(300));
  std::cout << fmt::format("[ figures  ] step of {}: {} overdue in {} ms\n", format_duration(by),
                           count, std::chrono::duration_cast<Millis>(took).count());
  // A tenth of a second's worth may come at once.
  const Millis paced(count * 1000 / kCatchUp);
  EXPECT_GE(took, paced - Millis(150)) << "not paced";
  EXPECT_LE(took, paced + seconds(30)) << "the step was not noticed by itself";
  expect_told(by);
  expect_counted(1);

  many.add(server, "new", 200, clock.now() + seconds(1), clock.now() + seconds(2));
  EXPECT_TRUE(many.wait_for(count + 200));
  wait_for_count("firing", 0);
  many.take(clock.ahead());
  ordered.take(clock.ahead());
  many.people.take_pending(*server.connect());
  many.expect_good({}, count + 200);
  ordered.expect_good({.may_repeat = false, .in_due_order = true}, 300);
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

TEST_F(ClockSteps, ForwardAnHourWhatBecameDueComesOnceAndPaced) {
  step_forward(hours(1));
}

TEST_F(ClockSteps, ForwardFortyDaysWhatBecameDueComesOnceAndPaced) {
  step_forward(days(40));
}

TEST_F(ClockSteps, BackAnHourNothingIsEarlyAndNothingComesTwice) {
  Crowd crowd("crowd", server, 64);
  Crowd slow("slow", server, 1, Millis(300));  // so that most of its tasks are still queued
  const WallTime begin = clock.now();
  crowd.add(server, "past", 500, begin, begin + Millis(500));
  EXPECT_TRUE(crowd.wait_for(500));
  crowd.add(server, "future", 500, clock.now() + seconds(1), clock.now() + seconds(3));
  slow.add(server, "queued", 20, clock.now(), clock.now());
  EXPECT_TRUE(slow.wait_for(1));

  clock.step(-Millis(hours(1)));
  expect_told(-hours(1));
  expect_counted(1);
  wait_for_count("firing", 0);
  const std::uint64_t before = crowd.received() + slow.received();
  EXPECT_LT(before, 510U);
  crowd.take(Millis(0));
  slow.take(Millis(0));
  // The time in which they would come is what is tested.
  std::this_thread::sleep_for(seconds(4));
  EXPECT_EQ(crowd.received() + slow.received(), before) << "early by the server's clock";

  // A start finds a log that was written later than now.
  server.kill();
  ASSERT_TRUE(server.start());
  std::this_thread::sleep_for(seconds(1));
  EXPECT_EQ(crowd.received() + slow.received(), before) << "early by the server's clock";

  clock.step(hours(1));
  expect_told(hours(1));
  expect_counted(1);  // since the start
  ASSERT_TRUE(crowd.wait_for(1'000)) << server.process().errors();
  EXPECT_TRUE(slow.wait_for(20));
  wait_until_idle(server);
  crowd.take(clock.ahead());
  slow.take(clock.ahead());
  crowd.expect_good({.may_repeat = false}, 1'000);
  slow.expect_good({.may_repeat = false}, 20);
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

TEST_F(ClockSteps, InQuickSuccessionAreAllSurvived) {
  Crowd crowd("crowd", server, 64);
  crowd.add(server, "t", 1'000, clock.now() + seconds(10), clock.now() + seconds(11));
  for (int i = 0; i < 200; ++i) {
    clock.step(i % 2 == 0 ? Millis(-hours(1)) : hours(1));
    std::this_thread::sleep_for(Millis(1 + i % 5));  // the clock's own pace of following
  }
  ASSERT_TRUE(crowd.wait_for(1'000)) << server.process().errors();
  wait_until_idle(server);
  crowd.take(clock.ahead());
  crowd.expect_good({}, 1'000);
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

std::unique_ptr<client::ApiClient> patient_client(const Carillond& server) {
  client::ApiClient::Options options;
  options.timeout = kPatience;
  return std::make_unique<client::ApiClient>(client::parse_endpoint(server.url()).value(), options);
}

TEST(StoppedProcess, GoesOnWithWhatIsOverduePacedAndAnswersWhoWaited) {
  const TempDir dir;
  write_file(dir / "carillon.toml", fmt::format("catch_up_per_second = {}\n", kCatchUp));
  Carillond server(dir / "data", {"--config", dir / "carillon.toml"});
  ASSERT_TRUE(server.start());
  Crowd crowd("crowd", server, 64);
  const Millis stop = seconds(sized(4, 60));
  const WallTime begin = wall_millis() + seconds(sized(2, 10));
  const auto rate = static_cast<std::int64_t>(kCatchUp);
  const auto count = static_cast<std::size_t>(rate * (stop + seconds(1)).count() / 1000);
  crowd.add(server, "t", count, begin, begin + stop + seconds(1));
  ASSERT_LT(wall_millis(), begin) << "this machine is too slow for the time given";
  EXPECT_TRUE(crowd.wait_for(rate / 2));

  server.process().signal(SIGSTOP);
  const auto api = patient_client(server);
  std::optional<client::ApiAnswer> answer;
  std::thread caller([&] {
    const auto added =
        api->call("POST", "/v1/tasks", R"({"id":"x","delay":"1d","target":"crowd","payload":1})");
    if (added) answer = *added;
  });
  std::this_thread::sleep_for(stop);
  server.process().signal(SIGCONT);
  const auto went_on = std::chrono::steady_clock::now();
  EXPECT_TRUE(crowd.wait_for(count));
  const auto took = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - went_on);
  caller.join();
  ASSERT_TRUE(answer) << "who asked meanwhile was not answered";
  EXPECT_EQ(answer->status, 201U) << answer->body;
  std::cout << fmt::format("[ figures  ] stopped for {}: caught up after {} ms\n",
                           format_duration(stop), took.count());
  // What was overdue by more than a second is caught up with at that rate, and no faster.
  EXPECT_GE(took, stop - seconds(1) - Millis(200)) << "not paced";
  EXPECT_TRUE(server.call("DELETE", "/v1/tasks/x").ok());
  wait_until_idle(server);
  crowd.take(Millis(0));
  // Pushes that were under way for longer than their timeout may come again.
  crowd.expect_good({.may_repeat = full_size()}, count);
  EXPECT_EQ(server.stop(), 0) << server.process().errors();
}

class ClockByHand : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(dir / "carillon.toml", fmt::format("catch_up_per_second = {}\n", kCatchUp));
    ASSERT_TRUE(server.start());
  }
  [[nodiscard]] WallTime now() const {
    return parse_moment(text_at(server.call("GET", "/v1/stats").body, "/now")).value();
  }
  void advance(Millis by) {
    const auto answer = patient_client(server)->call("POST", "/v1/clock:advance",
                                                     fmt::format("{{\"by\":{}}}", by.count()));
    ASSERT_TRUE(answer && answer->ok());
  }
  /// What came until now, judged by the server's clock.
  void take(Crowd& crowd) const {
    crowd.take(now() - wall_millis() + seconds(1));  // more than a call takes
  }

  TempDir dir;
  Carillond server{dir / "data", {"--clock", "manual", "--config", dir / "carillon.toml"}};
};

TEST_F(ClockByHand, MovedFortyDaysHandsAllOverInDueOrderAndStaysThereAcrossACrash) {
  const std::size_t count = sized(2'000, 20'000);
  Crowd crowd("crowd", server, 1);
  const WallTime begin = now();
  crowd.add(server, "t", count, begin + seconds(1), begin + days(30));
  advance(days(40));
  EXPECT_EQ(now(), begin + days(40));
  EXPECT_TRUE(crowd.wait_for(count));
  wait_until_idle(server);
  take(crowd);
  crowd.expect_good({.may_repeat = false, .in_due_order = true}, count);
  server.kill();
  ASSERT_TRUE(server.start());
  EXPECT_GE(now() + minutes(1), begin + days(40)) << "time ran backward";
}

TEST_F(ClockByHand, WhatIsOverdueIsPacedByIt) {
  const std::size_t count = 3 * kCatchUp;
  Crowd crowd("crowd", server, 64);
  const WallTime begin = now();
  crowd.add(server, "t", count, begin + seconds(1), begin + hours(1));
  EXPECT_TRUE(server.call("POST", "/v1/targets/crowd:pause").ok());
  advance(hours(2));
  EXPECT_EQ(crowd.received(), 0U);
  EXPECT_TRUE(server.call("POST", "/v1/targets/crowd:resume").ok());
  std::uint64_t allowed = kCatchUp / 10;  // a tenth of a second's worth may come at once
  for (int second = 0; second < 3; ++second) {
    advance(seconds(1));
    allowed += kCatchUp;
    EXPECT_LE(crowd.received(), allowed);
  }
  advance(seconds(1));
  EXPECT_TRUE(crowd.wait_for(count));
  wait_until_idle(server);
  take(crowd);
  crowd.expect_good({}, count);
}

}  // namespace
}  // namespace carillon::test
