#include "tracing/tracer.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tracing/otlp.h"

namespace carillon {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class TracerTest : public testing::Test {
 protected:
  static Span span(const std::string& name) {
    return {.trace_id = "0af7651916cd43dd8448eb211c80319c",
            .span_id = "b7ad6b7169203331",
            .name = name};
  }
  ManualClock clock{WallTime(Millis(1'763'700'000'123))};
  Tracer tracer{clock, false};
};

TEST_F(TracerTest, HandsSpansOutInTheirOrder) {
  for (const char* name : {"a", "b", "c"}) tracer.record(span(name));
  const auto two = tracer.take(2);
  ASSERT_THAT(two, SizeIs(2));
  EXPECT_EQ(two[1].name, "b");
  EXPECT_EQ(tracer.take(2).at(0).name, "c");
  EXPECT_THAT(tracer.take(2), SizeIs(0));
}

TEST_F(TracerTest, DropsWhatThereIsNoRoomForAndCountsIt) {
  for (std::size_t i = 0; i < Tracer::kSpansMax + 10; ++i) tracer.record(span("a"));
  EXPECT_EQ(tracer.counts().made, Tracer::kSpansMax + 10);
  EXPECT_EQ(tracer.counts().dropped, 10U);
  EXPECT_THAT(tracer.take(2 * Tracer::kSpansMax), SizeIs(Tracer::kSpansMax));
  tracer.note_lost(5);
  EXPECT_EQ(tracer.counts().dropped, 15U);
}

TEST_F(TracerTest, MakesIdsThatNobodyHas) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_THAT(tracer.make_trace_id(), SizeIs(32));
    EXPECT_TRUE(ids.insert(tracer.make_span_id()).second);
  }
  EXPECT_THAT(*ids.begin(), SizeIs(16));
}

TEST_F(TracerTest, WritesWhatACollectorReads) {
  Span its = span("push \"1\"");
  its.from = tracer.now();
  its.to = its.from + std::chrono::microseconds(1500);
  its.attributes.emplace_back("carillon.attempt", std::int64_t{2});
  its.error = "503";
  its.link = {"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"};
  const std::string body = format_otlp({&its, 1}, "1.2");
  EXPECT_THAT(body, HasSubstr(R"("startTimeUnixNano":"1763700000123000000")"));
  EXPECT_THAT(body, HasSubstr(R"("endTimeUnixNano":"1763700000124500000")"));
  EXPECT_THAT(body, HasSubstr(R"({"key":"carillon.attempt","value":{"intValue":"2"}})"));
  EXPECT_THAT(body, HasSubstr(R"("status":{"message":"503","code":2})"));
  EXPECT_THAT(body, HasSubstr(R"("name":"push \"1\"")"));
}

}  // namespace
}  // namespace carillon
