// What becomes of pushes where an AMQP broker answers wrongly, late or not at all. What the rules
// of all brokers' connections are is shown in tests/delivery/redis/hostile_test.cc.

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/amqp/sink.h"
#include "tests/delivery/amqp/scripted_amqp.h"
#include "tests/delivery/broker/fixture.h"
#include "tests/delivery/broker/scripted_broker.h"

namespace carillon {
namespace {

namespace says = amqp_broker;
using ::testing::HasSubstr;
using ::testing::Not;

class HostileAmqp : public BrokerSinkFixture {
 protected:
  HostileAmqp() { sink = make_sink({.silent_for = std::chrono::hours(1)}); }

  [[nodiscard]] std::unique_ptr<Sink> make_sink(const BrokerSinkOptions& own) {
    return std::make_unique<AmqpSink>(options(), own);
  }
  [[nodiscard]] Target target(const std::string& more = {}) const {
    return target_of(R"({"kind":"amqp","url":")" + broker.url("amqp") +
                     R"(","exchange":"x","routing_key":"key")" + more + "}");
  }
  [[nodiscard]] Outcome start(const std::string& body, const std::string& message_id = "msg_1") {
    Push push = make_push(target(), body);
    push.content.webhook_id = ids.emplace_back(message_id);
    return BrokerSinkFixture::start(std::move(push));
  }
  void wait_for(std::string_view bytes, std::size_t connection = 0) {
    run_until([&] { return has_received(bytes, connection); });
  }
  [[nodiscard]] bool has_received(std::string_view bytes, std::size_t connection = 0) const {
    return broker.received(connection).find(bytes) != std::string::npos;
  }
  void let_in(std::size_t connection = 0) {
    wait_for("AMQP", connection);
    broker.say(says::start() + says::tune() + says::open_ok() + says::channel_open_ok() +
                   says::select_ok(),
               connection);
  }
  /// A push that is on its way to a broker that has let us in.
  [[nodiscard]] Outcome start_sent(const std::string& body,
                                   const std::string& message_id = "msg_1") {
    const Outcome outcome = start(body, message_id);
    if (broker.received().empty()) let_in();
    wait_for(body);
    return outcome;
  }

  ScriptedBroker broker{loop};
  std::deque<std::string> ids;  // of messages
};

// The greeting.

TEST_F(HostileAmqp, EachStepOfTheGreetingFollowsTheBrokersLast) {
  const Outcome outcome =
      BrokerSinkFixture::start(make_push(target(R"(,"username":"user","password":"s3cret")")));
  wait_for(std::string("AMQP\0\0\x09\x01", 8));
  EXPECT_EQ(broker.received().size(), 8U);
  broker.say(says::start());
  wait_for(std::string("\0user\0s3cret", 12));
  EXPECT_TRUE(has_received("PLAIN"));
  broker.say(says::tune(65'536));
  wait_for(
      says::method(0, 10, 31, says::number(1, 2) + says::number(65'536, 4) + says::number(60, 2)));
  wait_for(
      says::method(0, 10, 40, says::short_text("/") + says::short_text("") + says::number(0, 1)));
  broker.say(says::open_ok());
  wait_for(says::method(1, 20, 10, says::short_text("")));
  broker.say(says::channel_open_ok() + says::select_ok());
  wait_for("{\"n\":1}");
  EXPECT_FALSE(outcome->has_value());
  broker.say(says::ack(1));
  EXPECT_EQ(result_of(outcome).kind, Kind::delivered);
}

TEST_F(HostileAmqp, WhatIsNoAmqpOrNotForUsLetsNobodyIn) {
  std::size_t connection = 0;
  const struct {
    std::string answer;
    std::string_view why;
  } table[] = {
      {"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak AMQP"},
      {std::string("AMQP\0\0\x09\x01", 8), "does not speak AMQP"},
      {says::frame(1, 0, "abc"), "does not speak AMQP"},
      {says::frame(1, 0, ""), "does not speak AMQP"},
      {says::method(0, 10, 10,
                    says::number(0x0108, 2) + says::long_text("") + says::long_text("PLAIN")),
       "does not speak AMQP"},
      {says::method(0, 10, 10, says::number(9, 2)), "does not speak AMQP"},
      {says::method(0, 10, 10, says::number(9, 2) + "\xff\xff\xff\xff"), "does not speak AMQP"},
      {says::start("EXTERNAL"), "PLAIN"},
      {says::start() + says::tune(4096), "frames of 4096 bytes"},
      {says::tune(), "nobody asked"},
      {says::start() + says::start(), "nobody asked"},
      {says::start() + says::tune() + says::open_ok() + says::select_ok(), "nobody asked"},
      {says::start() + says::ack(1), "nobody asked"},
      {says::start() + says::method(0, 10, 30, "x"), "cut short"},
      {says::frame(2, 0, "x"), "nobody asked"},
      {says::frame(1, 2, says::start().substr(7)), "nobody asked"},
      {says::frame(1, 0, std::string(20'000, 'x')), "a frame of 20000 bytes"},
      {says::start().substr(0, says::start().size() - 1) + "x", "does not speak AMQP"},
      {says::start() + says::close(403, "ACCESS_REFUSED - Login was refused"),
       "403 ACCESS_REFUSED - Login was refused"},
  };
  for (const auto& [answer, why] : table) {
    const Outcome outcome = start("body");
    wait_for("AMQP", connection);
    broker.say(answer, connection);
    const PushResult result = result_of(outcome);
    EXPECT_EQ(result.kind, Kind::failed);
    EXPECT_THAT(result.error, HasSubstr(why));
    EXPECT_FALSE(result.may_be_seen) << why;
    run_until([&] { return broker.open_connections() == 0; });
    EXPECT_FALSE(has_received("body", connection)) << why;
    ++connection;
  }
}

// Confirms.

TEST_F(HostileAmqp, ConfirmsMayComeInAnyOrderAndSeveralInOne) {
  std::vector<Outcome> outcomes;
  for (int i = 1; i <= 6; ++i) {
    outcomes.push_back(start_sent("body" + std::to_string(i), "msg_" + std::to_string(i)));
  }
  broker.say(says::ack(2));
  EXPECT_EQ(result_of(outcomes[1]).kind, Kind::delivered);
  EXPECT_FALSE(outcomes[0]->has_value());
  broker.say(says::nack(3, true));
  EXPECT_THAT(result_of(outcomes[0]).error, HasSubstr("basic.nack"));
  EXPECT_THAT(result_of(outcomes[2]).error, HasSubstr("basic.nack"));
  EXPECT_TRUE(result_of(outcomes[2]).may_be_seen);
  broker.say(says::heartbeat() + says::ack(5));
  EXPECT_EQ(result_of(outcomes[4]).kind, Kind::delivered);
  EXPECT_FALSE(outcomes[3]->has_value());
  broker.say(says::ack(0, true));
  EXPECT_EQ(result_of(outcomes[3]).kind, Kind::delivered);
  EXPECT_EQ(result_of(outcomes[5]).kind, Kind::delivered);
  EXPECT_EQ(sink->stats().connections_open, 1U);
}

TEST_F(HostileAmqp, AConfirmOfWhatWasNotSentEndsTheConnectionAndNothingIsDelivered) {
  std::size_t connection = 0;
  for (const std::string& answer :
       {says::ack(2), says::ack(0), says::ack(3, true), says::ack(~std::uint64_t{0}),
        says::ack(~std::uint64_t{0}, true), says::nack(7), says::method(1, 60, 80, "short"),
        says::method(1, 60, 60, "x"), says::qos_ok(), says::select_ok(), says::start(),
        says::method(1, 20, 20, says::number(0, 1)), says::channel_close(404, "NOT_FOUND - no x"),
        says::close(320, "CONNECTION_FORCED")}) {
    const Outcome outcome = start("body");
    let_in(connection);
    wait_for("body", connection);
    broker.say(answer + says::ack(1), connection);
    const PushResult result = result_of(outcome);
    EXPECT_EQ(result.kind, Kind::failed);
    EXPECT_TRUE(result.may_be_seen);
    EXPECT_THAT(result.error, HasSubstr("the connection ended before the answer"));
    run_until([&] { return broker.open_connections() == 0; });
    ++connection;
  }
}

TEST_F(HostileAmqp, ASecondConfirmOfTheSameMessageEndsTheConnection) {
  const Outcome first = start_sent("first", "msg_1");
  const Outcome second = start_sent("second", "msg_2");
  const Outcome third = start_sent("third", "msg_3");
  broker.say(says::ack(2) + says::ack(2));
  EXPECT_EQ(result_of(second).kind, Kind::delivered);
  EXPECT_EQ(result_of(first).kind, Kind::failed);
  EXPECT_EQ(result_of(third).kind, Kind::failed);
}

TEST_F(HostileAmqp, TheSinkMayGoInAConfirm) {
  int told = 0;
  for (int i = 0; i < 5; ++i) {
    sink->push(make_push(target(), "body" + std::to_string(i)), [&](const PushResult&) {
      ++told;
      sink.reset();
    });
  }
  let_in();
  wait_for("body4");
  broker.say(says::ack(3) + says::ack(5, true));
  run_until([&] { return sink == nullptr; });
  settle();
  EXPECT_EQ(told, 1);
}

TEST_F(HostileAmqp, WhatIsPushedInAConfirmIsConfirmedByItsOwnNumber) {
  Outcome next;
  sink->push(make_push(target(), "first"),
             [&](const PushResult&) { next = start("next", "msg_2"); });
  let_in();
  wait_for("first");
  broker.say(says::ack(1, true));
  wait_for("next");
  broker.say(says::ack(2));
  EXPECT_EQ(result_of(next).kind, Kind::delivered);
}

// Returns.

TEST_F(HostileAmqp, AReturnedMessageIsAFailedAttemptThatSaysSoAndNoOtherIs) {
  const Outcome first = start_sent("first", "msg_1");
  const Outcome second = start_sent("second", "msg_2");
  const Outcome third = start_sent("third", "msg_3");
  broker.say(says::returned() + says::header("msg_2", 6) + says::body("sec"));
  // What is said of the connection may come between.
  broker.say(says::heartbeat() + says::unblocked() + says::body("ond") + says::ack(3, true));
  EXPECT_EQ(result_of(first).kind, Kind::delivered);
  const PushResult result = result_of(second);
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_EQ(result.status, 312U);
  EXPECT_THAT(result.error, HasSubstr("no queue takes it: 312 NO_ROUTE"));
  EXPECT_FALSE(result.not_now);
  EXPECT_EQ(result_of(third).kind, Kind::delivered);
}

TEST_F(HostileAmqp, AReturnThatMakesNoSenseEndsTheConnection) {
  std::size_t connection = 0;
  for (const std::string& answer :
       {says::header("msg_1", 4), says::body("x"), says::returned() + says::body(""),
        says::returned() + says::ack(1), says::returned() + says::header("msg_9", 4),
        says::returned() + says::header("msg_1", 4) + says::body("bodybody"),
        says::returned() + says::header("msg_1", 4) + says::header("msg_1", 4),
        says::returned() + says::header("msg_1", 4) + says::ack(1),
        says::returned() + says::frame(2, 1, "short"),
        says::returned() + says::header("msg_1", 0) + says::returned() +
            says::header("msg_1", 0)}) {
    const Outcome outcome = start("body");
    let_in(connection);
    wait_for("body", connection);
    broker.say(answer, connection);
    EXPECT_THAT(result_of(outcome).error, HasSubstr("the connection ended before the answer"));
    ++connection;
  }
}

// Blocked.

TEST_F(HostileAmqp, ABlockedBrokerHasSaidNotNowAndIsSentNothingUntilItIsNot) {
  sink = make_sink({.silent_for = Millis(0)});
  const Outcome sent = start_sent("first", "msg_1");
  const Outcome held_back = start("second", "msg_2");
  settle();
  broker.say(says::blocked("low on memory"));
  const PushResult result = result_of(held_back);
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_EQ(result.not_now, NotNow::unavailable);
  EXPECT_FALSE(result.may_be_seen);
  EXPECT_THAT(result.error, HasSubstr("low on memory"));
  EXPECT_FALSE(sent->has_value()) << "it may still be taken";
  const PushResult next = result_of(start("third", "msg_3"));
  EXPECT_EQ(next.not_now, NotNow::unavailable);
  EXPECT_FALSE(next.may_be_seen);
  settle();
  EXPECT_FALSE(has_received("second"));
  EXPECT_FALSE(has_received("third"));
  EXPECT_EQ(broker.connections(), 1U);
  broker.say(says::unblocked() + says::ack(1));
  EXPECT_EQ(result_of(sent).kind, Kind::delivered);
  const Outcome after = start("after", "msg_4");
  wait_for(says::method(1, 60, 10, says::number(0, 7)));
  broker.say(says::qos_ok());
  wait_for("after");
  broker.say(says::ack(2));
  EXPECT_EQ(result_of(after).kind, Kind::delivered);
}

// Silence.

TEST_F(HostileAmqp, ASilentBrokerIsAskedForASignOfLifeBeforeMoreIsSent) {
  sink = make_sink({.silent_for = Millis(0)});
  const Outcome first = start_sent("first", "msg_1");
  const Outcome second = start("second", "msg_2");
  settle();
  EXPECT_FALSE(has_received("second")) << "the first is not confirmed";
  broker.say(says::ack(1));
  EXPECT_EQ(result_of(first).kind, Kind::delivered);
  wait_for(says::method(1, 60, 10, says::number(0, 7)));
  settle();
  EXPECT_FALSE(has_received("second"));
  broker.say(says::qos_ok());
  wait_for("second");
  broker.say(says::ack(2));
  EXPECT_EQ(result_of(second).kind, Kind::delivered);
}

TEST_F(HostileAmqp, ABrokerIsKeptFromTakingUsForDead) {
  sink = make_sink({.silent_for = std::chrono::hours(1), .look_each = Millis(20)});
  const Outcome outcome = start_sent("body");
  wait_for(says::heartbeat());
  EXPECT_FALSE(outcome->has_value());
  broker.say(says::ack(1));
  EXPECT_EQ(result_of(outcome).kind, Kind::delivered);
  // An idle one is asked, which also tells whether it is there.
  wait_for(says::method(1, 60, 10, says::number(0, 7)));
}

// Keys.

TEST_F(HostileAmqp, ATasksKeyIsTheRoutingKeyWhereTheTargetStillAllowsIt) {
  Push push = make_push(target(R"(,"keys":["order.*"])"), "body");
  push.content.key = "order.due";
  const Outcome outcome = BrokerSinkFixture::start(push);
  let_in();
  wait_for("body");
  EXPECT_TRUE(has_received(says::short_text("x") + says::short_text("order.due")));
  broker.say(says::ack(1));
  EXPECT_EQ(result_of(outcome).kind, Kind::delivered);
  push.target = target(R"(,"keys":["audit"])");
  expect_no_message(push, "allows this `key`");
}

// What a push may not be.

TEST_F(HostileAmqp, AHeaderThatNamesFurtherQueuesIsRefusedForGood) {
  const std::string name(129, 'n');
  for (const std::string_view header :
       {std::string_view("CC"), std::string_view("bcc"), std::string_view(name)}) {
    Push push = make_push(target());
    push.content.headers = {{header, "x"}};
    expect_no_message(std::move(push), "header");
  }
  EXPECT_EQ(broker.connections(), 0U);
}

}  // namespace
}  // namespace carillon
