#include "tools/load/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

namespace carillon::load {
namespace {

using ::testing::HasSubstr;

LoadResult some_load() {
  LoadResult result;
  result.requests = 1000;
  result.tasks = 990;
  result.refused = 10;
  result.seconds = 2;
  result.statuses = {{201, 990}, {409, 10}};
  result.time.record(std::chrono::microseconds(1500));
  return result;
}

TEST(Report, DurationsAreShownInTheirUnit) {
  EXPECT_EQ(format_micros(Histogram::Micros(412)), "412 us");
  EXPECT_EQ(format_micros(Histogram::Micros(1250)), "1.25 ms");
  EXPECT_EQ(format_micros(Histogram::Micros(3'200'000)), "3.20 s");
}

TEST(Report, HumanFormNamesThroughputErrorsAndLatency) {
  const std::string text = format_load("add", some_load(), nullptr, Format::human);
  EXPECT_THAT(text, HasSubstr("1,000 in 2.00 s = 500/s"));
  EXPECT_THAT(text, HasSubstr("10 refused"));
  EXPECT_THAT(text, HasSubstr("201: 990 409: 10"));
  EXPECT_THAT(text, HasSubstr("max 1.50 ms"));
}

TEST(Report, JsonFormIsOneObjectWithTheSameFigures) {
  BurstResult burst;
  burst.adds = some_load();
  burst.expected = 990;
  burst.due = WallTime(Millis(1'000));
  burst.receiver.received = burst.receiver.accepted = 990;
  burst.receiver.last = WallMicros(std::chrono::microseconds(1'250'000));
  simdjson::dom::parser parser;
  const std::string text = format_burst(burst, Format::json);
  simdjson::dom::element json;
  ASSERT_EQ(parser.parse(text).get(json), simdjson::SUCCESS) << text;
  EXPECT_EQ(std::int64_t(json["last_after_due_us"]), 250'000);
  EXPECT_EQ(std::int64_t(json["adds"]["statuses"]["409"]), 10);
  EXPECT_EQ(std::int64_t(json["adds"]["latency_us"]["max"]), 1500);
  EXPECT_EQ(std::int64_t(json["receiver"]["accepted"]), 990);
}

}  // namespace
}  // namespace carillon::load
