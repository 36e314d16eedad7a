// The generator against the receiver, which answers any HTTP request with a length.

#include "tools/load/generator.h"

#include <algorithm>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/load/receiver.h"

namespace carillon::load {
namespace {

/// Requests that the receiver takes for pushes.
class Counted final : public Workload {
 public:
  explicit Counted(std::uint64_t count) : left_(count) {}
  bool next(Request& request) override {
    if (left_ == 0) return false;
    --left_;
    request.bytes = "POST / HTTP/1.1\r\nContent-Length: 0\r\ncarillon-attempt: 1\r\n\r\n";
    request.tasks = 1;
    most_under_way = std::max(most_under_way, ++under_way_);
    return true;
  }
  void answered(const Request&, unsigned status) override {
    ok += status == 200 ? 1 : 0;
    --under_way_;
  }
  std::uint64_t ok = 0;
  std::uint64_t most_under_way = 0;

 private:
  std::uint64_t left_;
  std::uint64_t under_way_ = 0;
};

client::Endpoint endpoint_of(const Receiver& receiver) {
  return client::parse_endpoint(receiver.url()).value();
}

/// What the receiver has seen once `there` holds, or after ten seconds: it counts after it answers.
template <typename There>
ReceiverSummary summary_when(const Receiver& receiver, const There& there) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  ReceiverSummary summary = receiver.summary();
  while (!there(summary) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
    summary = receiver.summary();
  }
  return summary;
}

TEST(Generator, ClosedLoopSendsAllAndCountsTheAnswers) {
  const auto receiver = Receiver::start({});
  ASSERT_TRUE(receiver);
  Counted work(500);
  const auto result = run_load(endpoint_of(**receiver), {.connections = 8}, work);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->requests, 500U);
  EXPECT_EQ(result->tasks, 500U);
  EXPECT_EQ(result->time.count(), 500U);
  EXPECT_EQ(work.ok, 500U);
  EXPECT_EQ(work.most_under_way, 8U) << "one on each connection";
  EXPECT_EQ(
      summary_when((**receiver), [](const auto& seen) { return seen.received >= 500; }).received,
      500U);
}

TEST(Generator, OpenLoopKeepsItsSchedule) {
  const auto receiver = Receiver::start({});
  ASSERT_TRUE(receiver);
  Counted work(100);
  const auto result =
      run_load(endpoint_of(**receiver), {.connections = 4, .per_second = 500}, work);
  ASSERT_TRUE(result);
  EXPECT_GE(result->seconds, 0.197);  // the last of 100 is due after 99 / 500 s
  EXPECT_EQ(result->requests, 100U);
}

TEST(Generator, StalledServerIsChargedForTheRequestsItHeldUp) {
  // One connection and answers after 40 ms carry 25 a second; at 100 a second the n-th request is
  // sent about n * 30 ms too late, which only an honest measure shows.
  Receiver::Options options;
  options.answer_delay = Millis(40);
  const auto receiver = Receiver::start(options);
  ASSERT_TRUE(receiver);
  Counted work(20);
  const auto result =
      run_load(endpoint_of(**receiver), {.connections = 1, .per_second = 100}, work);
  ASSERT_TRUE(result);
  EXPECT_GE(result->time.max(), std::chrono::milliseconds(500));
}

TEST(Generator, PipelineIsKeptFullAndEachAnswerIsCounted) {
  const auto receiver = Receiver::start({});
  ASSERT_TRUE(receiver);
  Counted work(1000);
  const auto result = run_load(endpoint_of(**receiver), {.connections = 2, .pipeline = 16}, work);
  ASSERT_TRUE(result);
  EXPECT_EQ(work.most_under_way, 32U);
  EXPECT_EQ(result->requests, 1000U);
  EXPECT_EQ(result->time.count(), 1000U);
  EXPECT_EQ(result->broken, 0U);
  EXPECT_EQ(work.ok, 1000U);
}

TEST(Generator, PipelineLetsAnOpenLoopKeepItsScheduleWhileAnswersAreAwaited) {
  // One request at a time would be 25 a second (see above); here each waits for its own answer.
  Receiver::Options options;
  options.answer_delay = Millis(40);
  const auto receiver = Receiver::start(options);
  ASSERT_TRUE(receiver);
  Counted work(100);
  const auto result = run_load(endpoint_of(**receiver),
                               {.connections = 1, .per_second = 100, .pipeline = 100}, work);
  ASSERT_TRUE(result);
  EXPECT_EQ(work.ok, 100U);
  EXPECT_LT(result->time.quantile(0.5), std::chrono::milliseconds(500));
}

TEST(Generator, DurationEndsAnEndlessWorkload) {
  const auto receiver = Receiver::start({});
  ASSERT_TRUE(receiver);
  Counted work(UINT64_MAX);
  const auto result = run_load(endpoint_of(**receiver),
                               {.connections = 2, .per_second = 0, .duration = Millis(100)}, work);
  ASSERT_TRUE(result);
  EXPECT_GT(result->requests, 0U);
}

TEST(Generator, DurationEndsWhatIsUnderWayWhereItIsAbandoned) {
  Receiver::Options options;
  options.answer_delay = std::chrono::hours(1);
  const auto receiver = Receiver::start(options);
  ASSERT_TRUE(receiver);
  Counted work(UINT64_MAX);
  const auto result =
      run_load(endpoint_of(**receiver),
               {.connections = 2, .duration = Millis(50), .abandons = true, .pipeline = 3}, work);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->requests, 0U);
  EXPECT_EQ(result->abandoned, 6U);
  EXPECT_EQ(result->broken, 0U);
}

TEST(Generator, RefusalsAreToldFromSuccess) {
  const auto receiver = Receiver::start({});
  ASSERT_TRUE(receiver);
  (*receiver)->set_failing({.share = 1, .attempts = 0, .status = 429});
  Counted work(10);
  const auto result = run_load(endpoint_of(**receiver), {.connections = 1}, work);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->tasks, 0U);
  EXPECT_EQ(result->refused, 10U);
  EXPECT_EQ(result->statuses.at(429), 10U);
}

/// Speaks another protocol than HTTP: lines. The receiver knows none of it and answers with a 400
/// of several lines and closes, so each answer here is what comes up to the end of the connection.
class Lines final : public Workload {
 public:
  explicit Lines(int count) : left_(count) {}
  bool next(Request& request) override {
    if (left_ == 0) return false;
    --left_;
    request.number = 10 + static_cast<std::uint64_t>(left_);
    request.bytes = "hello\r\n\r\n";
    request.tasks = 1;
    return true;
  }
  Parsed read(std::string_view bytes, const Request&, Answer& answer) override {
    if (!bytes.ends_with("\r\n\r\n")) return Parsed::incomplete;
    answer = {bytes.starts_with("HTTP/1.1 400") ? 299U : 500U, bytes.size(), 0, true};
    return Parsed::complete;
  }
  void answered(const Request&, unsigned) override {}

 private:
  int left_;
};

TEST(Generator, AnswersAreReadAsTheWorkloadSays) {
  const auto receiver = Receiver::start({});
  ASSERT_TRUE(receiver);
  Lines work(5);
  const auto result = run_load(endpoint_of(**receiver), {.connections = 1}, work);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->statuses.at(299), 5U);
  EXPECT_EQ(result->tasks, 5U);
  EXPECT_EQ(result->number_sum, 10U + 11 + 12 + 13 + 14);
  // One to see whether it is there, one each, and one for a next request that does not come.
  const auto seen = summary_when(**receiver, [](const auto& now) { return now.connections >= 6; });
  EXPECT_THAT(seen.connections, testing::AnyOf(6U, 7U));
}

TEST(Generator, RequestsBehindTheLastAnswerOfAConnectionAreCountedAsUnanswered) {
  const auto receiver = Receiver::start({});
  ASSERT_TRUE(receiver);
  Lines work(5);
  const auto result = run_load(endpoint_of(**receiver), {.connections = 1, .pipeline = 4}, work);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->requests, 2U) << "the first of four, then the fifth";
  EXPECT_EQ(result->broken, 3U);
}

/// What it reads is no answer at all.
class Nonsense final : public Workload {
 public:
  bool next(Request& request) override {
    request.bytes = "POST / HTTP/1.1\r\nContent-Length: 0\r\ncarillon-attempt: 1\r\n\r\n";
    return left_-- > 0;
  }
  Parsed read(std::string_view, const Request&, Answer&) override { return Parsed::bad; }
  void answered(const Request&, unsigned) override {}

 private:
  int left_ = 3;
};

TEST(Generator, AnswerThatMakesNoSenseIsCountedAsNone) {
  const auto receiver = Receiver::start({});
  ASSERT_TRUE(receiver);
  Nonsense work;
  const auto result = run_load(endpoint_of(**receiver), {.connections = 2}, work);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->broken, 3U);
  EXPECT_EQ(result->requests, 0U);

  Nonsense pipelined;
  const auto all = run_load(endpoint_of(**receiver), {.connections = 1, .pipeline = 8}, pipelined);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->broken, 3U);
}

TEST(Generator, NobodyListeningIsAnError) {
  std::string url;
  {
    const auto receiver = Receiver::start({});
    ASSERT_TRUE(receiver);
    url = (*receiver)->url();
  }
  Counted work(1);
  const auto result = run_load(client::parse_endpoint(url).value(), {}, work);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().slug, "unreachable");
}

}  // namespace
}  // namespace carillon::load
