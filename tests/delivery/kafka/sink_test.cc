// The sink of Kafka against librdkafka's mock cluster.

#include "delivery/kafka/sink.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/delivery/broker/fixture.h"
#include "tests/delivery/broker/scripted_broker.h"
#include "tests/delivery/kafka/gate.h"
#include "tests/net/certificate.h"
#include "tests/support/kafka_server.h"
#include "tests/support/temp_dir.h"

namespace carillon {
namespace {

using test::KafkaMessage;
using test::KafkaServer;
using ::testing::HasSubstr;

constexpr const char* kTopic = "due";

class KafkaSinkTest : public BrokerSinkFixture {
 protected:
  KafkaSinkTest() {
    open({});
    server.make_topic(kTopic);
  }

  void open(const KafkaSinkOptions& own) {
    sink.reset();
    sink = std::make_unique<KafkaSink>(options(), own);
  }
  [[nodiscard]] static Target target_at(const std::string& broker, const std::string& more = {}) {
    const std::string topic =
        more.find("topic") == std::string::npos ? R"(,"topic":"due")" : std::string();
    return target_of(R"({"kind":"kafka","brokers":[")" + broker + "\"]" + topic + more + "}");
  }
  [[nodiscard]] Target target(const std::string& more = {}) const {
    return target_at(server.broker(), more);
  }
  [[nodiscard]] std::vector<KafkaMessage> arrived() const { return server.messages(kTopic); }

  KafkaServer server;
};

TEST_F(KafkaSinkTest, AMessageHasTheBodyByteForByteTheKeyAndTheHeaders) {
  const std::string body = every_byte();
  Push push = make_full_push(target(), body);
  push.content.key = "user 7";
  const PushResult result = deliver(std::move(push));
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  const std::vector<KafkaMessage> messages = arrived();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].body, body);
  EXPECT_EQ(messages[0].key, "user 7");
  EXPECT_EQ(messages[0].headers,
            (std::map<std::string, std::string>{{"webhook-id", "msg_1"},
                                                {"carillon-task-id", "{user:7}:a b"},
                                                {"carillon-due-at", "2027-01-15T08:00:00.123Z"},
                                                {"carillon-attempt", "3"},
                                                {"carillon-group", "coupon7"},
                                                {"content-type", "application/json"},
                                                {"x-team", "shop"},
                                                {"traceparent", "00-ab-cd-01"}}));
}

TEST_F(KafkaSinkTest, OneKeyLeadsToOnePartitionAndNoKeyIsNone) {
  const Target settings = target();
  EXPECT_EQ(deliver(settings).kind, Kind::delivered);
  for (int i = 0; i < 8; ++i) {
    Push push = make_push(settings);
    push.content.key = "order-19";
    EXPECT_EQ(deliver(std::move(push)).kind, Kind::delivered);
  }
  std::set<int> partitions;
  int without = 0;
  for (const KafkaMessage& message : arrived()) {
    if (message.key) partitions.insert(message.partition);
    without += message.key ? 0 : 1;
  }
  EXPECT_EQ(partitions.size(), 1U);
  EXPECT_EQ(without, 1);
}

TEST_F(KafkaSinkTest, EmptyAndLargeBodiesArrive) {
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(deliver(make_push(target(), "")).kind, Kind::delivered);
  const PushResult result = deliver(make_push(target(), large));
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  std::multiset<std::size_t> sizes;
  for (const KafkaMessage& message : arrived()) sizes.insert(message.body.size());
  EXPECT_EQ(sizes, (std::multiset<std::size_t>{0, large.size()}));
}

TEST_F(KafkaSinkTest, ThousandsAtOnceArriveOnce) {
  for (const std::string acks : {R"(,"acks":"all")", R"(,"acks":1)"}) {
    constexpr int kPushes = 5000;
    const std::size_t before = arrived().size();
    deliver_many(target(acks), kPushes);
    const std::vector<KafkaMessage> messages = arrived();
    EXPECT_EQ(messages.size() - before, static_cast<std::size_t>(kPushes));
    std::set<std::string> ids;
    for (const KafkaMessage& message : messages) ids.insert(message.headers.at("carillon-task-id"));
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(kPushes));
  }
}

TEST_F(KafkaSinkTest, WhatTheBrokerDoesNotAllowIsAFailedAttemptWithItsWords) {
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  server.refuse(1, 87);  // INVALID_RECORD
  const PushResult result = deliver(target());
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_EQ(result.status, 87U);
  EXPECT_THAT(result.error, HasSubstr("failed to validate record"));
  const PushResult after = deliver(target());
  EXPECT_EQ(after.kind, Kind::delivered) << after.error;
  EXPECT_EQ(arrived().size(), 2U);
  server.refuse(1, 29);
  const PushResult forbidden = deliver(target());
  EXPECT_EQ(forbidden.kind, Kind::failed);
  EXPECT_EQ(forbidden.status, 29U);
  EXPECT_THAT(forbidden.error, HasSubstr("Topic authorization failed"));
}

TEST_F(KafkaSinkTest, WhatTheClusterWillTakeSoonIsRepeatedWithinTheAttempt) {
  server.refuse(2, 19);  // NOT_ENOUGH_REPLICAS
  const PushResult result = deliver(target());
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  EXPECT_EQ(arrived().size(), 1U);
}

TEST_F(KafkaSinkTest, ABrokerThatIsNotThereIsAFailedAttemptAtOnce) {
  const Target gone = target(R"(,"timeout":"1m")");
  server.kill();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 2; ++i) {
    const PushResult result = deliver(gone);
    EXPECT_EQ(result.kind, Kind::failed);
    EXPECT_FALSE(result.may_be_seen);
    EXPECT_THAT(result.error, HasSubstr("refused"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(KafkaSinkTest, WhatWasGivenUpWhileTheBrokerWasDownNeverArrives) {
  EXPECT_EQ(deliver(make_push(target(), "before")).kind, Kind::delivered);
  server.go_down();
  const PushResult late = deliver(make_push(target(R"(,"timeout":"1s")"), "late"));
  EXPECT_EQ(late.kind, Kind::failed);
  EXPECT_FALSE(late.may_be_seen);
  server.come_up();
  EXPECT_EQ(deliver(make_push(target(), "after")).kind, Kind::delivered);
  std::multiset<std::string> bodies;
  for (const KafkaMessage& message : arrived()) bodies.insert(message.body);
  EXPECT_EQ(bodies, (std::multiset<std::string>{"before", "after"}));
}

TEST_F(KafkaSinkTest, WhatWasGivenUpWhileTheBrokerWasSilentNeverArrives) {
  // Each message is sent on a connection that is asked for a sign of life before.
  open({.silent_for = Millis(0)});
  const Target hasty = target(R"(,"timeout":"2s")");
  const PushResult before = deliver(make_push(hasty, "before"));
  EXPECT_EQ(before.kind, Kind::delivered) << before.error;
  server.freeze();
  EXPECT_EQ(deliver(make_push(hasty, "late")).kind, Kind::failed);
  EXPECT_EQ(deliver(make_push(target(R"(,"timeout":"1s")"), "late, too")).kind, Kind::failed)
      << "on a new connection";
  server.go_on();
  EXPECT_EQ(deliver(make_push(target(), "after")).kind, Kind::delivered);
  std::multiset<std::string> bodies;
  for (const KafkaMessage& message : arrived()) bodies.insert(message.body);
  EXPECT_EQ(bodies, (std::multiset<std::string>{"before", "after"}));
}

TEST_F(KafkaSinkTest, ABrokerThatIsSlowIsWaitedFor) {
  open({.silent_for = Millis(200)});
  server.slow_down(700);
  deliver_many(target(), 50);
  deliver_many(target(), 50);
  EXPECT_EQ(arrived().size(), 100U);
}

TEST_F(KafkaSinkTest, AFullQueueHasSaidNotNow) {
  open({.messages_max = 10});
  server.freeze();
  std::vector<Outcome> outcomes;
  outcomes.reserve(12);
  for (int i = 0; i < 12; ++i) outcomes.push_back(start(make_push(target(), std::to_string(i))));
  for (int i = 10; i < 12; ++i) {
    const PushResult refused = result_of(outcomes[static_cast<std::size_t>(i)]);
    EXPECT_EQ(refused.kind, Kind::failed);
    EXPECT_EQ(refused.not_now, NotNow::unavailable);
    EXPECT_FALSE(refused.may_be_seen);
  }
  server.go_on();
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(result_of(outcomes[i]).kind, Kind::delivered);
  EXPECT_EQ(arrived().size(), 10U);
}

TEST_F(KafkaSinkTest, TheEgressRulesHoldForEachAddressAndAlsoWhenTheyChange) {
  const Target settings = target();
  EXPECT_EQ(deliver(settings).kind, Kind::delivered);
  deny_loopback();
  for (int i = 0; i < 2; ++i) {
    const PushResult denied = deliver(settings);
    EXPECT_EQ(denied.kind, Kind::refused_for_good);
    // librdkafka takes for sent what it gave to the connection that there was.
    if (i > 0) {
      EXPECT_FALSE(denied.may_be_seen);
    }
    EXPECT_THAT(denied.error, HasSubstr("127.0.0.0/8"));
  }
  urls.set_egress(Egress());
  const PushResult again = deliver(settings);
  EXPECT_EQ(again.kind, Kind::delivered) << again.error;
  EXPECT_EQ(arrived().size(), 2U);
}

TEST_F(KafkaSinkTest, WhatIsNoKafkaIsAFailedAttemptThatSaysSo) {
  ScriptedBroker broker(loop);
  const std::string url = broker.url("kafka");
  const Outcome outcome =
      start(make_push(target_at(url.substr(url.rfind('/') + 1), R"(,"timeout":"1s")")));
  std::size_t answered = 0;
  run_until([&] {
    // Whoever was told so once comes back and asks again.
    for (; answered < broker.connections(); ++answered) {
      broker.say("HTTP/1.1 400 Bad Request\r\n\r\n", answered);
    }
    return outcome->has_value();
  });
  EXPECT_EQ((*outcome)->kind, Kind::failed);
  EXPECT_FALSE((*outcome)->may_be_seen);
  EXPECT_THAT((*outcome)->error, HasSubstr("does not speak Kafka"));
}

TEST_F(KafkaSinkTest, ABrokerThatTheClusterNamesIsHeldToTheEgressRulesToo) {
  names.set("kafka.test", {"127.0.0.1"});
  const std::string port = server.broker().substr(server.broker().find(':'));
  const Target named = target_at("kafka.test" + port, R"(,"timeout":"2s")");
  EXPECT_EQ(deliver(named).kind, Kind::delivered);
  // By its name it may be talked to, by the address that it calls itself it may not.
  urls.set_egress(*Egress::make({.allow = {"kafka.test"}, .deny = {}, .otherwise = "deny"}));
  const PushResult denied = deliver(named);
  EXPECT_EQ(denied.kind, Kind::failed);
  EXPECT_THAT(denied.error, HasSubstr("127.0.0.1"));
  EXPECT_EQ(arrived().size(), 1U);
}

TEST_F(KafkaSinkTest, OverTlsTheCertificateMustBeForTheHost) {
  const test::TempDir dir;
  const CertificateFiles files = make_certificate(dir, "kafka");
  KafkaGate gate(loop, server.broker(), {.tls = files});
  const std::string ca = R"(,"tls":{"ca_file":")" + files.certificate + "\"}";
  const PushResult result = deliver(target_at(gate.broker(), ca));
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  EXPECT_THAT(deliver(target_at(gate.broker(), R"(,"tls":{})")).error, HasSubstr("TLS"));
  names.set("kafka.test", {"127.0.0.1"});
  const std::string port = gate.broker().substr(gate.broker().find(':'));
  EXPECT_THAT(deliver(target_at("kafka.test" + port, ca)).error, HasSubstr("TLS"));
  EXPECT_EQ(arrived().size(), 1U);
}

TEST_F(KafkaSinkTest, AWrongPasswordSaysSoAndIsReadAgainForTheNextProducer) {
  KafkaGate gate(loop, server.broker(), {.username = "carillon", .password = "new-word"});
  const test::TempDir dir;
  test::write_file(dir / "password", "old-word\n");
  const Target settings = target_at(
      gate.broker(), R"(,"username":"carillon","password_file":")" + dir / "password" + "\"");
  const PushResult wrong = deliver(settings);
  EXPECT_EQ(wrong.kind, Kind::failed);
  EXPECT_FALSE(wrong.may_be_seen);
  EXPECT_THAT(wrong.error, HasSubstr("SASL"));
  EXPECT_THAT(wrong.error, ::testing::Not(HasSubstr("old-word")));
  test::write_file(dir / "password", "new-word\n");
  const PushResult right = deliver(settings);
  EXPECT_EQ(right.kind, Kind::delivered) << right.error;
  EXPECT_EQ(arrived().size(), 1U);
}

TEST_F(KafkaSinkTest, AProducerThatIsNotUsedIsEnded) {
  open({.look_each = Millis(50), .unused_for = Millis(100)});
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  EXPECT_GT(sink->stats().connections_open, 0U);
  run_until([&] { return sink->stats().connections_open == 0; });
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
}

TEST_F(KafkaSinkTest, ItStopsWithPushesUnderWayAndCallsNobodyBack) {
  server.freeze();
  for (int i = 0; i < 100; ++i) {
    sink->push(make_push(target()), [](const PushResult&) { ADD_FAILURE() << "called back"; });
  }
  sink->stop();
  EXPECT_EQ(sink->stats().in_flight, 0U);
  server.go_on();
}

TEST_F(KafkaSinkTest, ACallbackMayDestroyTheSink) {
  bool is_over = false;
  for (int i = 0; i < 10; ++i) {
    sink->push(make_push(target()), [&](const PushResult&) {
      sink.reset();
      is_over = true;
    });
  }
  run_until([&] { return is_over; });
}

}  // namespace
}  // namespace carillon
