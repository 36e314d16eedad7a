#include "tracing/traced_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon {
namespace {

using testing::SizeIs;

constexpr const char* kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Keeps pushes until it is told how they went.
class HeldSink final : public Sink {
 public:
  void push(Push push, std::function<void(PushResult)> done) override {
    pushes.push_back(std::move(push));
    waiting.push_back(std::move(done));
  }
  void reload_files() override {}
  void stop() override {}
  [[nodiscard]] DeliveryStats stats() const override { return {}; }

  std::vector<Push> pushes;
  std::vector<std::function<void(PushResult)>> waiting;
};

class TracedSinkTest : public testing::Test {
 protected:
  void push(bool continues, std::vector<Header> headers, std::uint32_t attempt = 1) {
    tracer.emplace(clock, continues);
    TracedSink sink(held, *tracer);
    Push push;
    push.target = std::make_shared<const TargetSettings>();
    push.row = std::make_shared<const std::string>("row");
    push.content.id = "task";
    push.content.headers = std::move(headers);
    push.content.created_at = clock.wall() - Millis(500);
    push.attempt = attempt;
    sink.push(std::move(push), [this](const PushResult& result) { status = result.status; });
    clock.set(clock.wall() + Millis(20));
    held.waiting.back()({.kind = PushResult::Kind::delivered, .status = 204});
  }
  std::string_view header(std::string_view name) const {
    for (const Header& header : held.pushes.back().content.headers) {
      if (header.name == name) return header.value;
    }
    return {};
  }

  ManualClock clock{WallTime(Millis(1'763'700'000'000))};
  HeldSink held;
  std::optional<Tracer> tracer;
  std::uint32_t status = 0;
};

TEST_F(TracedSinkTest, APushBeginsATraceOfItsOwnWithALinkToItsAdd) {
  push(false, {{"x-a", "1"}, {"traceparent", kParent}, {"tracestate", "a=1"}});
  EXPECT_EQ(status, 204U);
  const auto spans = tracer->take(9);
  ASSERT_THAT(spans, SizeIs(2));
  EXPECT_EQ(spans[0].name, "wait");
  EXPECT_EQ(spans[0].parent_id, "b7ad6b7169203331");
  EXPECT_EQ(spans[0].to - spans[0].from, Millis(500));
  const Span& pushed = spans[1];
  EXPECT_EQ(pushed.name, "push");
  EXPECT_EQ(pushed.parent_id, "");
  ASSERT_TRUE(pushed.link);
  EXPECT_EQ(pushed.link->span_id, "b7ad6b7169203331");
  EXPECT_EQ(pushed.to - pushed.from, Millis(20));
  EXPECT_EQ(header("traceparent"), "00-" + pushed.trace_id + "-" + pushed.span_id + "-01");
  EXPECT_EQ(header("tracestate"), "");
  EXPECT_EQ(header("x-a"), "1");
  EXPECT_EQ(*held.pushes.back().row, "row");
}

TEST_F(TracedSinkTest, APushGoesOnWithTheTraceWhereItShould) {
  push(true, {{"traceparent", kParent}, {"tracestate", "a=1"}});
  const Span pushed = tracer->take(9).at(1);
  EXPECT_EQ(pushed.trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(pushed.parent_id, "b7ad6b7169203331");
  EXPECT_FALSE(pushed.link);
  EXPECT_EQ(pushed.trace_state, "a=1");
  EXPECT_EQ(header("tracestate"), "a=1");
}

TEST_F(TracedSinkTest, OnlyTheFirstAttemptWaitedForItsDue) {
  push(false, {{"traceparent", kParent}}, 2);
  EXPECT_THAT(tracer->take(9), SizeIs(1));
}

TEST_F(TracedSinkTest, WhatIsNotSampledPassesAsItIs) {
  const std::string unsampled = std::string(kParent).replace(53, 2, "00");
  for (const std::string& parent : {unsampled, std::string("nonsense")}) {
    push(false, {{"traceparent", parent}, {"tracestate", "a=1"}});
    EXPECT_EQ(header("traceparent"), parent);
    EXPECT_EQ(header("tracestate"), "a=1");
    EXPECT_THAT(tracer->take(9), SizeIs(0));
  }
  push(false, {});
  EXPECT_THAT(tracer->take(9), SizeIs(0));
}

}  // namespace
}  // namespace carillon
