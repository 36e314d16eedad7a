// What becomes of pushes where a NATS server answers wrongly, late or not at all. What the rules of
// all brokers' connections are is shown in tests/delivery/redis/hostile_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/nats/sink.h"
#include "tests/delivery/broker/fixture.h"
#include "tests/delivery/broker/scripted_broker.h"
#include "tests/delivery/nats/operator.h"
#include "tests/support/temp_dir.h"

namespace carillon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kInfo =
    "INFO {\"headers\":true,\"max_payload\":1048576,\"nonce\":\"abc\"}\r\n";
constexpr std::string_view kStored = R"({"stream":"orders","seq":7})";

class HostileNats : public BrokerSinkFixture {
 protected:
  HostileNats() { sink = make_sink(std::chrono::hours(1)); }

  [[nodiscard]] std::unique_ptr<Sink> make_sink(Millis silent_for) {
    return std::make_unique<NatsSink>(options(), BrokerSinkOptions{.silent_for = silent_for});
  }
  [[nodiscard]] Target target(const std::string& more = {}, const std::string& subject = "due",
                              std::string_view scheme = "nats") const {
    return target_of(R"({"kind":"nats","url":")" + broker.url(scheme) + R"(","subject":")" +
                     subject + "\"" + more + "}");
  }
  void wait_for(std::string_view words, std::size_t connection = 0) {
    run_until([&] { return has_received(words, connection); });
  }
  [[nodiscard]] bool has_received(std::string_view words, std::size_t connection = 0) const {
    return broker.received(connection).find(words) != std::string::npos;
  }
  void let_in(std::size_t connection = 0, std::string_view info = kInfo) {
    run_until([&] { return broker.connections() > connection; });
    broker.say(info, connection);
    wait_for("PING\r\n", connection);
    broker.say("PONG\r\n", connection);
  }
  /// A push that is on its way to a server that has let us in.
  [[nodiscard]] Outcome start_sent(const std::string& body, const std::string& subject = "due") {
    const Outcome outcome = start(make_push(target({}, subject), body));
    if (broker.connections() == 0) let_in();
    wait_for(body);
    return outcome;
  }
  /// Of all answers, as the client has told it.
  [[nodiscard]] std::string inbox(std::size_t connection = 0) const {
    const std::string& all = broker.received(connection);
    const std::size_t begin = all.find("_INBOX.");
    return all.substr(begin, all.find(".*", begin) - begin);
  }
  [[nodiscard]] std::string answer(int number, std::string_view body = kStored,
                                   std::size_t connection = 0) const {
    return "MSG " + inbox(connection) + "." + std::to_string(number) + " 1 " +
           std::to_string(body.size()) + "\r\n" + std::string(body) + "\r\n";
  }
  [[nodiscard]] std::string no_responders(int number) const {
    return "HMSG " + inbox() + "." + std::to_string(number) +
           " 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n";
  }

  ScriptedBroker broker{loop};
};

// The greeting.

TEST_F(HostileNats, NothingIsSaidBeforeTheServerAndNoMessageBeforeItHasLetUsIn) {
  const Outcome outcome = start(make_push(target(R"(,"username":"user","password":"s3cret")")));
  run_until([&] { return broker.connections() == 1; });
  settle();
  EXPECT_EQ(broker.received(), "");
  broker.say(kInfo);
  wait_for("PING\r\n");
  EXPECT_TRUE(has_received("CONNECT {"));
  EXPECT_TRUE(has_received(R"("user":"user","pass":"s3cret")"));
  EXPECT_TRUE(has_received("SUB " + inbox() + ".* 1\r\n"));
  settle();
  EXPECT_FALSE(has_received("HPUB"));
  broker.say("PONG\r\n");
  wait_for("{\"n\":1}\r\n");
  EXPECT_TRUE(has_received("HPUB due " + inbox() + ".1 "));
  EXPECT_FALSE(outcome->has_value());
  broker.say(answer(1));
  EXPECT_EQ(result_of(outcome).kind, Kind::delivered);
}

TEST_F(HostileNats, WhatIsNoNatsOrNotForUsLetsNobodyIn) {
  std::size_t connection = 0;
  const std::string info(kInfo);
  const struct {
    std::string answer;
    std::string_view why;
  } table[] = {
      {"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak NATS"},
      {"INFO x\r\n", "does not speak NATS"},
      {"INFO []\r\n", "does not speak NATS"},
      {"PING\r\n", "nobody asked"},
      {"PONG\r\n", "nobody asked"},
      {"MSG a 1 0\r\n\r\n", "nobody asked"},
      {"INFO {}\r\n", "no messages with headers"},
      {"INFO {\"headers\":true,\"tls_required\":true}\r\n", "wants TLS"},
      {info + "-ERR 'Authorization Violation'\r\n", "the server said: Authorization Violation"},
      {info + "-ERR 'Permissions Violation for Subscription to \"_INBOX.x.*\"'\r\nPONG\r\n",
       "Permissions Violation for Subscription"},
      {info + "MSG _INBOX.x.1 1 0\r\n\r\n", "nobody asked"},
  };
  for (const auto& [answer, why] : table) {
    const Outcome outcome = start(make_push(target(), "body"));
    run_until([&] { return broker.connections() > connection; });
    broker.say(answer, connection);
    const PushResult result = result_of(outcome);
    EXPECT_EQ(result.kind, Kind::failed);
    EXPECT_THAT(result.error, HasSubstr(why));
    EXPECT_FALSE(result.may_be_seen) << why;
    EXPECT_FALSE(result.not_now) << why;
    run_until([&] { return broker.open_connections() == 0; });
    EXPECT_FALSE(has_received("body", connection)) << why;
    ++connection;
  }
}

TEST_F(HostileNats, AServerWithTooManyClientsHasSaidNotNow) {
  const Outcome outcome = start(make_push(target()));
  run_until([&] { return broker.connections() == 1; });
  broker.say(std::string(kInfo) + "-ERR 'maximum connections exceeded'\r\n");
  EXPECT_EQ(result_of(outcome).not_now, NotNow::unavailable);
}

TEST_F(HostileNats, WithTlsNothingIsSaidInTheClearAndNothingIsBelievedThatCameBehindTheGreeting) {
  const Outcome outcome =
      start(make_push(target(R"(,"username":"user","password":"s3cret")", "due", "tls")));
  run_until([&] { return broker.connections() == 1; });
  settle();
  EXPECT_EQ(broker.received(), "");
  broker.say(std::string(kInfo) + "PONG\r\n");
  EXPECT_THAT(result_of(outcome).error, HasSubstr("more than its greeting before TLS"));
  EXPECT_EQ(broker.received(), "");

  const Outcome plain = start(
      make_push(target(R"(,"timeout":"2s","username":"user","password":"s3cret")", "due", "tls")));
  run_until([&] { return broker.connections() == 2; });
  broker.say(kInfo, 1);
  run_until([&] { return !broker.received(1).empty(); });
  broker.say("PONG\r\n", 1);
  EXPECT_THAT(result_of(plain).error, HasSubstr("TLS"));
  EXPECT_FALSE(has_received("CONNECT", 1));
  EXPECT_FALSE(has_received("s3cret", 1));

  const Outcome endless = start(make_push(target({}, "due", "tls")));
  run_until([&] { return broker.connections() == 3; });
  broker.say("INFO " + std::string(20'000, 'x'), 2);
  EXPECT_THAT(result_of(endless).error, HasSubstr("no greeting"));
}

TEST_F(HostileNats, CredentialsAreReadForEachConnectionAndTheSeedIsNotSent) {
  const test::TempDir dir;
  const Target settings = target(R"(,"creds_file":")" + dir / "creds" + "\"");
  const Outcome early = start(make_push(settings));
  run_until([&] { return broker.connections() == 1; });
  broker.say(kInfo);
  EXPECT_THAT(result_of(early).error, HasSubstr("there is no file"));
  test::write_file(dir / "creds", nats_operator::credentials("SUAB22"));
  const Outcome broken = start(make_push(settings));
  run_until([&] { return broker.connections() == 2; });
  broker.say(kInfo, 1);
  const PushResult result = result_of(broken);
  EXPECT_THAT(result.error, HasSubstr("seed"));
  EXPECT_THAT(result.error, Not(HasSubstr("SUAB22")));
  test::write_file(dir / "creds", nats_operator::credentials());
  const Outcome outcome = start(make_push(settings));
  let_in(2);
  EXPECT_TRUE(has_received("\"jwt\":\"" + nats_operator::kUserJwt + "\",\"sig\":\"", 2));
  EXPECT_FALSE(has_received(nats_operator::kUserSeed, 2));
  wait_for("{\"n\":1}\r\n", 2);
  broker.say(answer(1, kStored, 2), 2);
  EXPECT_EQ(result_of(outcome).kind, Kind::delivered);
}

// Answers.

TEST_F(HostileNats, AnswersMayComeInAnyOrder) {
  std::vector<Outcome> outcomes;
  for (int i = 1; i <= 4; ++i) outcomes.push_back(start_sent("body" + std::to_string(i)));
  broker.say(answer(3));
  EXPECT_EQ(result_of(outcomes[2]).kind, Kind::delivered);
  broker.say(no_responders(1));
  const PushResult lost = result_of(outcomes[0]);
  EXPECT_EQ(lost.kind, Kind::failed);
  EXPECT_EQ(lost.status, 503U);
  EXPECT_THAT(lost.error, HasSubstr("no stream takes it"));
  EXPECT_FALSE(outcomes[1]->has_value());
  broker.say(answer(4) + answer(2, R"({"stream":"orders","seq":0,"duplicate":true})"));
  EXPECT_EQ(result_of(outcomes[1]).kind, Kind::failed) << "nobody knows where the first one went";
  EXPECT_EQ(result_of(outcomes[3]).kind, Kind::delivered);
  EXPECT_EQ(sink->stats().connections_open, 1U);
}

TEST_F(HostileNats, AnAnswerToWhatWasNotSentEndsTheConnectionAndNothingIsDelivered) {
  std::size_t connection = 0;
  for (const std::string_view subject :
       {"INBOX.2", "INBOX.18446744073709551615", "INBOX.18446744073709551616", "INBOX.-1",
        "INBOX.1x", "INBOX.", "INBOX", "INBOX1", "due", "_INBOX.other.1"}) {
    const Outcome outcome = start(make_push(target(), "body"));
    let_in(connection);
    wait_for("body", connection);
    std::string to(subject);
    if (to.starts_with("INBOX")) to = inbox(connection) + to.substr(5);
    const std::string size = std::to_string(kStored.size());
    broker.say("MSG " + to + " 1 " + size + "\r\n" + std::string(kStored) + "\r\n" +
                   answer(1, kStored, connection),
               connection);
    const PushResult result = result_of(outcome);
    EXPECT_EQ(result.kind, Kind::failed) << to;
    EXPECT_TRUE(result.may_be_seen) << to;
    run_until([&] { return broker.open_connections() == 0; });
    ++connection;
  }
}

TEST_F(HostileNats, TheFirstAnswerCountsAndLaterOnesArePassedOver) {
  const Outcome first = start_sent("first");
  const Outcome second = start_sent("second");
  broker.say(answer(2) + answer(2, "not me") + answer(1, "not me") + answer(1));
  EXPECT_EQ(result_of(second).kind, Kind::delivered);
  EXPECT_THAT(result_of(first).error, HasSubstr("no stream of JetStream: not me"));
  EXPECT_EQ(sink->stats().connections_open, 1U);
}

TEST_F(HostileNats, TheSinkMayGoInAnAnswer) {
  int told = 0;
  for (int i = 0; i < 5; ++i) {
    sink->push(make_push(target(), "body" + std::to_string(i)), [&](const PushResult&) {
      ++told;
      sink.reset();
    });
  }
  let_in();
  wait_for("body4");
  broker.say(answer(3) + answer(1));
  run_until([&] { return sink == nullptr; });
  settle();
  EXPECT_EQ(told, 1);
}

// Keys.

TEST_F(HostileNats, ATasksKeyIsTheSubjectWhereTheTargetStillAllowsIt) {
  Push push = make_push(target(R"(,"keys":["orders.*"])"), "body");
  push.content.key = "orders.eu";
  const Outcome outcome = start(push);
  let_in();
  wait_for("body");
  EXPECT_TRUE(has_received("HPUB orders.eu " + inbox() + ".1 "));
  broker.say("-ERR 'Permissions Violation for Publish to \"orders.eu\"'\r\n");
  EXPECT_THAT(result_of(outcome).error, HasSubstr("Permissions Violation"));
  push.target = target(R"(,"keys":["other"])");
  expect_no_message(push, "allows this `key`");
}

// Errors.

TEST_F(HostileNats, WhereWeMayNotPublishOnlyThatMessageFails) {
  const Outcome first = start_sent("first", "secret");
  const Outcome other = start_sent("other");
  const Outcome second = start_sent("second", "secret");
  const std::string error = "-ERR 'Permissions Violation for Publish to \"secret\"'\r\n";
  broker.say(error);
  const PushResult result = result_of(first);
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_THAT(result.error, HasSubstr("Permissions Violation for Publish to \"secret\""));
  EXPECT_FALSE(second->has_value());
  broker.say(error + answer(2));
  EXPECT_EQ(result_of(second).kind, Kind::failed);
  EXPECT_EQ(result_of(other).kind, Kind::delivered);
  EXPECT_EQ(sink->stats().connections_open, 1U);
}

TEST_F(HostileNats, AnErrorThatNamesNoMessageOfOursEndsTheConnection) {
  std::size_t connection = 0;
  for (const std::string_view error :
       {"-ERR 'Permissions Violation for Publish to \"other\"'\r\n", "-ERR 'Stale Connection'\r\n",
        "-ERR\r\n", "-ERR 'Permissions Violation for Publish to \"'\r\n"}) {
    const Outcome outcome = start(make_push(target(), "body"));
    let_in(connection);
    wait_for("body", connection);
    broker.say(error, connection);
    EXPECT_THAT(result_of(outcome).error, HasSubstr("the connection ended before the answer"));
    run_until([&] { return broker.open_connections() == 0; });
    ++connection;
  }
}

// What a server says beside answers.

TEST_F(HostileNats, AServerThatAsksWhetherWeAreThereIsAnswered) {
  const Outcome outcome = start_sent("body");
  broker.say("PING\r\n");
  wait_for("PONG\r\n");
  broker.say("+OK\r\n" + answer(1));
  EXPECT_EQ(result_of(outcome).kind, Kind::delivered);
  broker.say("PONG\r\n");
  run_until([&] { return broker.open_connections() == 0; });
}

TEST_F(HostileNats, AServerThatIsAboutToStopIsSentNothingMoreAndStillHeard) {
  const Outcome sent = start_sent("first");
  broker.say("INFO {\"headers\":true,\"ldm\":true}\r\n");
  settle();
  const Outcome next = start(make_push(target(), "second"));
  let_in(1);
  wait_for("second", 1);
  EXPECT_FALSE(has_received("second"));
  broker.say(answer(1));
  EXPECT_EQ(result_of(sent).kind, Kind::delivered);
  broker.say(answer(1, kStored, 1), 1);
  EXPECT_EQ(result_of(next).kind, Kind::delivered);
  run_until([&] { return broker.open_connections() == 1; });
}

TEST_F(HostileNats, AMessageThatIsTooLongIsNotSentAndDisturbsNoOther) {
  const std::string_view info = "INFO {\"headers\":true,\"max_payload\":1000}\r\n";
  const std::string large(1000, 'x');
  const Outcome early = start(make_push(target(), large));
  const Outcome small = start(make_push(target(), "small"));
  let_in(0, info);
  const PushResult result = result_of(early);
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_FALSE(result.may_be_seen);
  EXPECT_THAT(result.error, HasSubstr("takes messages of 1000 bytes"));
  const Outcome late = start(make_push(target(), large));
  EXPECT_THAT(result_of(late).error, HasSubstr("takes messages of 1000 bytes"));
  wait_for("small");
  broker.say(answer(1));
  EXPECT_EQ(result_of(small).kind, Kind::delivered);
  EXPECT_FALSE(has_received(large));
  EXPECT_EQ(broker.connections(), 1U);
}

// Silence.

TEST_F(HostileNats, ASilentServerIsAskedForASignOfLifeBeforeMoreIsSent) {
  sink = make_sink(Millis(0));
  const Outcome first = start_sent("first");
  const Outcome second = start(make_push(target(), "second"));
  settle();
  EXPECT_FALSE(has_received("second")) << "the first is not answered";
  broker.say(answer(1));
  EXPECT_EQ(result_of(first).kind, Kind::delivered);
  run_until([&] { return broker.received().ends_with("PING\r\n"); });
  settle();
  EXPECT_FALSE(has_received("second"));
  broker.say("PONG\r\n");
  wait_for("second");
  broker.say(answer(2));
  EXPECT_EQ(result_of(second).kind, Kind::delivered);
}

// What a push may not be.

TEST_F(HostileNats, AHeaderThatSpeaksToTheServersIsRefusedForGood) {
  for (const std::string_view header : {"Nats-Msg-Id", "nats-rollup", "NATS-Expected-Stream"}) {
    Push push = make_push(target());
    push.content.headers = {{header, "x"}};
    expect_no_message(std::move(push), "header");
  }
  EXPECT_EQ(broker.connections(), 0U);
}

}  // namespace
}  // namespace carillon
