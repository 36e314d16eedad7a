// Who is told of alarms: over the real engine and delivery, with a receiver that the test tells
// what to answer.
#include "monitor/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/engine_fixture.h"

namespace carillon {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class MonitorTest : public EngineTest {
 protected:
  MonitorTest() { put_target(); }

  void watch(MonitorOptions wanted) {
    monitor.emplace(Monitor::Parts{.loop = loop,
                                   .tasks = *engine,
                                   .sink = *delivery,
                                   .cluster = nullptr,
                                   .url_defaults = {}},
                    std::move(wanted));
  }
  void bury_a_task() {
    reaction = Reaction{http_answer("410 Gone")};
    ASSERT_TRUE(add(task("a", Millis(0))));
    run_until([&] { return count(State::dead) == 1; });
    reaction = Reaction{http_answer("200 OK")};
  }
  void look() {
    advance(std::chrono::seconds(10));
    run(monitor->look());
  }
  /// What came to that path.
  std::vector<ReceivedRequest> told(const std::string& path) {
    std::vector<ReceivedRequest> found;
    for (const ReceivedRequest& request : receiver.requests()) {
      if (request.head.find(" " + path + " ") != std::string::npos) found.push_back(request);
    }
    return found;
  }

  std::optional<Monitor> monitor;
};

TEST_F(MonitorTest, AUrlIsToldWhenAnAlarmOpensAndWhenItCloses) {
  watch({.limits = {}, .alarm_url = receiver.url("/alarms"), .alarm_target = {}});
  bury_a_task();
  look();
  run_until([&] { return told("/alarms").size() == 1; });
  const std::string opened = told("/alarms")[0].body;
  EXPECT_THAT(opened, HasSubstr(R"("alarm":"dead_letters","state":"open")")) << opened;
  EXPECT_THAT(opened, HasSubstr("Dead letters: 1."));
  EXPECT_THAT(monitor->alarms().open(), SizeIs(1));
  ASSERT_TRUE(run(engine->purge_dead({})));
  for (int i = 0; i < 8; ++i) look();
  run_until([&] { return told("/alarms").size() == 2; });
  EXPECT_THAT(told("/alarms")[1].body, HasSubstr(R"("state":"closed")"));
  EXPECT_THAT(monitor->history().points(start, clock.wall(), History::kStep), SizeIs(9));
}

TEST_F(MonitorTest, ATargetIsToldAlthoughItIsPaused) {
  watch({.limits = {}, .alarm_url = {}, .alarm_target = "shop"});
  bury_a_task();
  ASSERT_TRUE(run(engine->pause_target("shop", true)));
  look();
  run_until([&] { return told("/hook").size() == 2; });  // the task's, and this
  ASSERT_THAT(told("/hook"), SizeIs(2));
  EXPECT_THAT(told("/hook")[1].body, HasSubstr("dead_letters"));
}

TEST_F(MonitorTest, WhatFailsIsToldAgainAndTheOrderStays) {
  watch({.limits = {}, .alarm_url = receiver.url("/alarms"), .alarm_target = {}});
  bury_a_task();
  reaction = Reaction{http_answer("500 Oops")};
  look();
  run_until([&] { return told("/alarms").size() == 1; });
  ASSERT_TRUE(run(engine->purge_dead({})));
  for (std::size_t i = 0; i < 8; ++i) {
    look();
    run_until([&] { return told("/alarms").size() == 2 + i; });
  }
  reaction = Reaction{http_answer("200 OK")};
  look();
  run_until([&] { return told("/alarms").size() == 11; });
  EXPECT_THAT(told("/alarms")[9].body, HasSubstr(R"("state":"open")"));
  EXPECT_THAT(told("/alarms")[10].body, HasSubstr(R"("state":"closed")"));
  EXPECT_EQ(told("/alarms")[9].header("webhook-id"), told("/alarms")[0].header("webhook-id"));
}

TEST_F(MonitorTest, AHoldIsSeen) {
  watch({});
  monitor->hold_changed("shop", TargetView::Held{.until = start + std::chrono::hours(1),
                                                 .since = start - std::chrono::hours(1),
                                                 .reason = HoldReason::unavailable});
  look();
  ASSERT_THAT(monitor->alarms().open(), SizeIs(1));
  EXPECT_EQ(monitor->alarms().open()[0].of, "shop");
  monitor->hold_changed("shop", std::nullopt);
  for (int i = 0; i < 8; ++i) look();
  EXPECT_THAT(monitor->alarms().open(), SizeIs(0));
}

}  // namespace
}  // namespace carillon
