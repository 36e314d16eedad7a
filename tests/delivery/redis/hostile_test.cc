// What becomes of pushes where a Redis server answers wrongly, late or not at all. The rules of all
// brokers' connections (delivery/broker/connection.h) are shown here, too.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/redis/sink.h"
#include "tests/delivery/broker/fixture.h"
#include "tests/delivery/broker/scripted_broker.h"

namespace carillon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::string_view kOk = "+OK\r\n";
constexpr std::string_view kAdded = "$3\r\n1-1\r\n";

class HostileRedis : public BrokerSinkFixture {
 protected:
  HostileRedis() { sink = make_sink(std::chrono::hours(1)); }

  [[nodiscard]] std::unique_ptr<Sink> make_sink(Millis silent_for) {
    return std::make_unique<RedisSink>(options(), BrokerSinkOptions{.silent_for = silent_for});
  }
  [[nodiscard]] Target target(const std::string& more = {}) const {
    return target_of(R"({"kind":"redis","url":")" + broker.url("redis") + R"(","stream":"due")" +
                     more + "}");
  }
  void wait_for(std::string_view words, std::size_t connection = 0) {
    run_until([&] { return has_received(words, connection); });
  }
  [[nodiscard]] bool has_received(std::string_view words, std::size_t connection = 0) const {
    return broker.received(connection).find(words) != std::string::npos;
  }
  void let_in(std::size_t connection = 0) {
    wait_for("SELECT", connection);
    broker.say(kOk, connection);
  }

  ScriptedBroker broker{loop};
};

// Answers.

TEST_F(HostileRedis, WhatIsNoAnswerToXaddIsNoDeliveryAndEndsTheConnection) {
  std::size_t connection = 0;
  for (const std::string_view answer :
       {"+OK\r\n", "+\r\n", ":1\r\n", "$0\r\n\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n",
        "*1\r\n$3\r\n1-1\r\n", "*2000000000\r\n", ">2\r\n+message\r\n$3\r\n1-1\r\n", ",1.5\r\n",
        "#t\r\n", "_\r\n", "%1\r\n$1\r\na\r\n$1\r\nb\r\n", "HTTP/1.1 200 OK\r\n\r\n"}) {
    const Outcome first = start(make_push(target(), "first"));
    const Outcome second = start(make_push(target(), "second"));
    let_in(connection);
    wait_for("second", connection);
    broker.say(answer, connection);
    // What would count as the second one's answer, if it still counted.
    broker.say(kAdded, connection);
    for (const Outcome& outcome : {first, second}) {
      const PushResult result = result_of(outcome);
      EXPECT_EQ(result.kind, Kind::failed) << answer;
      EXPECT_TRUE(result.may_be_seen) << answer;
      EXPECT_THAT(result.error, HasSubstr("the connection ended before the answer")) << answer;
    }
    run_until([&] { return broker.open_connections() == 0; });
    ++connection;
  }
}

TEST_F(HostileRedis, WhatIsNoAnswerToAuthOrSelectLetsNobodyIn) {
  std::size_t connection = 0;
  for (const std::string_view answers :
       {":1\r\n+OK\r\n", "+QUEUED\r\n+OK\r\n", "$2\r\nOK\r\n+OK\r\n", "+OK\r\n:0\r\n",
        "+OK\r\n+QUEUED\r\n", "+OK\r\n*0\r\n"}) {
    const Outcome outcome = start(make_push(target(R"(,"password":"s3cret")")));
    wait_for("SELECT", connection);
    broker.say(answers, connection);
    const PushResult result = result_of(outcome);
    EXPECT_EQ(result.kind, Kind::failed) << answers;
    EXPECT_FALSE(result.may_be_seen) << answers;
    EXPECT_FALSE(has_received("XADD", connection)) << answers;
    ++connection;
  }
}

TEST_F(HostileRedis, WhatIsNoAnswerToPingOrWaitEndsTheConnection) {
  sink = make_sink(Millis(0));
  EXPECT_EQ(sink->stats().connections_open, 0U);
  const Outcome first = start(make_push(target()));
  let_in();
  wait_for("XADD");
  broker.say(kAdded);
  EXPECT_EQ(result_of(first).kind, Kind::delivered);
  const Outcome second = start(make_push(target(), "second"));
  wait_for("PING");
  broker.say("$4\r\nPONG\r\n");
  let_in(1);
  wait_for("second", 1);
  EXPECT_FALSE(has_received("second"));
  broker.say(kAdded, 1);
  EXPECT_EQ(result_of(second).kind, Kind::delivered) << "over another connection";

  const Outcome third = start(make_push(target(R"(,"replicas":1)")));
  let_in(2);
  wait_for("WAIT", 2);
  broker.say(std::string(kAdded) + "+OK\r\n", 2);
  EXPECT_EQ(result_of(third).kind, Kind::failed);
}

TEST_F(HostileRedis, AnAnswerWithoutAQuestionEndsTheConnection) {
  const Outcome outcome = start(make_push(target()));
  let_in();
  wait_for("XADD");
  broker.say(std::string(kAdded) + std::string(kAdded));
  EXPECT_EQ(result_of(outcome).kind, Kind::delivered);
  run_until([&] { return broker.open_connections() == 0; });
  EXPECT_EQ(sink->stats().connections_open, 0U);
}

// What errors show.

TEST_F(HostileRedis, AnErrorOfAuthShowsItsFirstWordAndNoPassword) {
  const Outcome outcome = start(make_push(target(R"(,"username":"user","password":"s3cret")")));
  wait_for("SELECT");
  broker.say("-ERR unknown command `AUTH`, with args beginning with: `user`, `s3cret`, \r\n");
  const PushResult result = result_of(outcome);
  EXPECT_THAT(result.error, HasSubstr("ERR"));
  EXPECT_THAT(result.error, Not(HasSubstr("s3cret")));
  EXPECT_THAT(result.error, Not(HasSubstr("user")));

  const Outcome bare = start(make_push(target(R"(,"password":"s3cret")")));
  wait_for("SELECT", 1);
  broker.say("-s3cret\r\n", 1);
  EXPECT_THAT(result_of(bare).error, Not(HasSubstr("s3cret")));
}

TEST_F(HostileRedis, TheTextOfAnErrorIsCutAndPlain) {
  const Outcome refused = start(make_push(target()));
  wait_for("SELECT");
  broker.say("-ERR " + std::string(30'000, 'x') + "\r\n");
  EXPECT_THAT(result_of(refused).error, SizeIs(::testing::Lt(400U)));

  const Outcome outcome = start(make_push(target()));
  let_in(1);
  wait_for("XADD", 1);
  broker.say("-ERR \x1b[31m\xff" + std::string(30'000, 'x') + "\r\n", 1);
  const PushResult result = result_of(outcome);
  EXPECT_THAT(result.error, SizeIs(::testing::Lt(400U)));
  EXPECT_THAT(result.error, HasSubstr("ERR ?[31m?xxx"));
}

TEST_F(HostileRedis, AServerThatLetsNobodyInForTheMomentHasSaidNotNow) {
  const Outcome outcome = start(make_push(target()));
  wait_for("SELECT");
  broker.say("-BUSY Redis is busy running a script.\r\n");
  const PushResult result = result_of(outcome);
  EXPECT_EQ(result.not_now, NotNow::unavailable);
  EXPECT_FALSE(result.may_be_seen);
}

// Silence.

TEST_F(HostileRedis, WhileAnAnswerIsLateNothingMoreIsWritten) {
  sink = make_sink(Millis(0));  // from the first moment on it is late
  const Outcome first = start(make_push(target(), "first"));
  let_in();
  wait_for("first");
  const Outcome second = start(make_push(target(), "second"));
  settle();
  EXPECT_FALSE(has_received("second"));
  EXPECT_FALSE(has_received("PING")) << "an answer is awaited already";
  broker.say(kAdded);
  EXPECT_EQ(result_of(first).kind, Kind::delivered);
  wait_for("PING");
  settle();
  EXPECT_FALSE(has_received("second"));
  broker.say("+PONG\r\n");
  wait_for("second");
  broker.say(kAdded);
  EXPECT_EQ(result_of(second).kind, Kind::delivered);
}

TEST_F(HostileRedis, WhatWasHeldBackFromASilentServerAndGivenUpNeverLeaves) {
  sink = make_sink(Millis(0));
  const Target hasty = target(R"(,"timeout":"1s")");
  const Outcome first = start(make_push(hasty, "first"));
  let_in();
  wait_for("first");
  const Outcome second = start(make_push(hasty, "second"));
  const PushResult late = result_of(first);
  EXPECT_TRUE(late.may_be_seen);
  EXPECT_THAT(late.error, HasSubstr("no answer within 1s"));
  const PushResult held_back = result_of(second);
  EXPECT_FALSE(held_back.may_be_seen);
  EXPECT_THAT(held_back.error, HasSubstr("not sent within 1s"));
  settle();
  for (std::size_t i = 0; i < broker.connections(); ++i) EXPECT_FALSE(has_received("second", i));
}

TEST_F(HostileRedis, AServerThatAnswersIsSentMoreWhileAnswersAreAwaited) {
  const Outcome first = start(make_push(target(), "first"));
  let_in();
  wait_for("first");
  const Outcome second = start(make_push(target(), "second"));
  wait_for("second");
  broker.say(std::string(kAdded) + std::string(kAdded));
  EXPECT_EQ(result_of(first).kind, Kind::delivered);
  EXPECT_EQ(result_of(second).kind, Kind::delivered);
}

TEST_F(HostileRedis, WhereOneAnswerIsLateAllThatWasSentBesideItFails) {
  const Target hasty = target(R"(,"timeout":"1s")");
  const Outcome first = start(make_push(hasty, "first"));
  let_in();
  wait_for("first");
  const auto later = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  run_until([&] { return std::chrono::steady_clock::now() > later; });
  const Outcome second = start(make_push(hasty, "second"));
  wait_for("second");
  EXPECT_THAT(result_of(first).error, HasSubstr("no answer within 1s"));
  const PushResult beside = result_of(second);
  EXPECT_THAT(beside.error, HasSubstr("another message was not answered in time"));
  EXPECT_TRUE(beside.may_be_seen);
  run_until([&] { return broker.open_connections() == 0; });
}

// WAIT.

TEST_F(HostileRedis, WhileReplicasAreWaitedForNothingMoreIsWritten) {
  const Target replicated = target(R"(,"replicas":2)");
  const Outcome first = start(make_push(replicated, "first"));
  let_in();
  wait_for("WAIT");
  broker.say(kAdded);
  const Outcome second = start(make_push(replicated, "second"));
  settle();
  EXPECT_FALSE(has_received("second"));
  EXPECT_FALSE(first->has_value());
  broker.say(":2\r\n");
  EXPECT_EQ(result_of(first).kind, Kind::delivered);
  wait_for("second");
  broker.say(std::string(kAdded) + ":1\r\n");
  EXPECT_THAT(result_of(second).error, HasSubstr("1 of 2 replicas have it"));
}

// Connections that take no more.

TEST_F(HostileRedis, AConnectionThatTakesNoMoreIsClosedWhenItsLastPushIsTakenBack) {
  const Outcome waiting = start(make_push(target(R"(,"timeout":"1s")")));
  wait_for("SELECT");
  deny_loopback();
  EXPECT_EQ(deliver(target(R"(,"timeout":"1s")")).kind, Kind::refused_for_good);
  EXPECT_EQ(broker.open_connections(), 1U) << "a push still waits on it";
  EXPECT_EQ(result_of(waiting).kind, Kind::failed);
  run_until([&] { return broker.open_connections() == 0; });
  broker.say(kOk);
  settle();
  EXPECT_EQ(sink->stats().connections_open, 0U);
}

TEST_F(HostileRedis, AConnectionThatIsAskedForLifeAndTakesNoMoreIsClosed) {
  sink = make_sink(Millis(0));
  const Outcome first = start(make_push(target()));
  let_in();
  wait_for("XADD");
  broker.say(kAdded);
  EXPECT_EQ(result_of(first).kind, Kind::delivered);
  const Outcome second = start(make_push(target()));
  wait_for("PING");
  deny_loopback();
  broker.say("+PONG\r\n");
  EXPECT_EQ(result_of(second).kind, Kind::refused_for_good);
  run_until([&] { return broker.open_connections() == 0; });
}

// Egress rules.

TEST_F(HostileRedis, WhatWaitedIsNotSentWhereTheRulesHaveComeToDenyIt) {
  const Outcome waiting = start(make_push(target()));
  wait_for("SELECT");
  deny_loopback();
  broker.say(kOk);
  const PushResult result = result_of(waiting);
  EXPECT_EQ(result.kind, Kind::refused_for_good);
  EXPECT_FALSE(result.may_be_seen);
  settle();
  EXPECT_FALSE(has_received("XADD"));
  EXPECT_EQ(broker.connections(), 1U);
}

TEST_F(HostileRedis, WhatWasSentBeforeTheRulesChangedIsStillAnswered) {
  const Target replicated = target(R"(,"replicas":1)");
  const Outcome sent = start(make_push(replicated));
  let_in();
  wait_for("WAIT");
  const Outcome waiting = start(make_push(replicated, "second"));
  deny_loopback();
  broker.say(std::string(kAdded) + ":1\r\n");
  EXPECT_EQ(result_of(sent).kind, Kind::delivered);
  EXPECT_EQ(result_of(waiting).kind, Kind::refused_for_good);
  run_until([&] { return broker.open_connections() == 0; });
  EXPECT_FALSE(has_received("second"));
}

TEST_F(HostileRedis, TheSinkMayGoWhilePushesAreToldThatTheyFailed) {
  for (const bool is_let_in : {false, true}) {
    sink = make_sink(std::chrono::hours(1));
    const std::size_t connection = broker.connections();
    int told = 0;
    for (int i = 0; i < 3; ++i) {
      sink->push(make_push(target()), [&](const PushResult&) {
        ++told;
        sink.reset();
      });
    }
    wait_for("SELECT", connection);
    broker.say(is_let_in ? "+OK\r\n+OK\r\n" : "-ERR no\r\n", connection);
    run_until([&] { return sink == nullptr; });
    settle();
    EXPECT_EQ(told, 1);
  }
}

}  // namespace
}  // namespace carillon
