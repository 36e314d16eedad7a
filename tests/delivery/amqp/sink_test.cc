// The sink of AMQP against a real RabbitMQ.

#include "delivery/amqp/sink.h"

#include <algorithm>
#include <deque>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/delivery/broker/fixture.h"
#include "tests/net/certificate.h"
#include "tests/support/rabbit_server.h"

namespace carillon {
namespace {

using test::RabbitMessage;
using test::RabbitServer;
using ::testing::HasSubstr;

class AmqpSinkTest : public BrokerSinkFixture {
 protected:
  static void SetUpTestSuite() {
    dir = std::make_unique<test::TempDir>();
    files = make_certificate(*dir, "rabbit");
    server = std::make_unique<RabbitServer>(
        RabbitServer::Options{.tls = RabbitServer::Tls{files.certificate, files.private_key},
                              .users = {{"carillon", "right"}, {"changing", "new"}}});
  }
  static void TearDownTestSuite() {
    server.reset();
    dir.reset();
  }

  AmqpSinkTest() {
    set_silent_for(std::chrono::hours(1));
    server->make_queue(queue);
  }
  void set_silent_for(Millis silent_for) {
    sink = std::make_unique<AmqpSink>(options(), BrokerSinkOptions{.silent_for = silent_for});
  }

  [[nodiscard]] Target target_at(const std::string& url, const std::string& more = {}) const {
    const std::string key = more.find("routing_key") == std::string::npos
                                ? R"(,"routing_key":")" + queue + "\""
                                : std::string();
    return target_of(R"({"kind":"amqp","url":")" + url + "\"" + key + more + "}");
  }
  [[nodiscard]] Target target(const std::string& more = {}) const {
    return target_at(server->url(), more);
  }

  static std::unique_ptr<test::TempDir> dir;
  static CertificateFiles files;
  static std::unique_ptr<RabbitServer> server;
  /// Of this test alone.
  const std::string queue = testing::UnitTest::GetInstance()->current_test_info()->name();
};

std::unique_ptr<test::TempDir> AmqpSinkTest::dir;
CertificateFiles AmqpSinkTest::files;
std::unique_ptr<RabbitServer> AmqpSinkTest::server;

TEST_F(AmqpSinkTest, AMessageHasTheBodyByteForByteAndThePropertiesAndHeaders) {
  const std::string body = every_byte();
  const PushResult result = deliver(make_full_push(target(), body));
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  const std::vector<RabbitMessage> messages = server->take(queue);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].body, body);
  EXPECT_EQ(messages[0].exchange, "");
  EXPECT_EQ(messages[0].routing_key, queue);
  EXPECT_EQ(messages[0].message_id, "msg_1");
  EXPECT_EQ(messages[0].content_type, "application/json");
  EXPECT_EQ(messages[0].app_id, "carillon");
  EXPECT_EQ(messages[0].delivery_mode, 2);
  EXPECT_EQ(messages[0].headers,
            (std::map<std::string, std::string>{{"carillon-task-id", "{user:7}:a b"},
                                                {"carillon-due-at", "2027-01-15T08:00:00.123Z"},
                                                {"carillon-attempt", "3"},
                                                {"carillon-group", "coupon7"},
                                                {"x-team", "shop"},
                                                {"traceparent", "00-ab-cd-01"}}));
}

TEST_F(AmqpSinkTest, EmptyAndLargeBodiesAndManyHeadersArrive) {
  EXPECT_EQ(deliver(make_push(target(), "")).kind, Kind::delivered);
  const std::string large(3 << 20, 'x');
  EXPECT_EQ(deliver(make_push(target(), large)).kind, Kind::delivered);
  const std::string value(240, 'v');
  std::vector<std::string> headers;
  for (int i = 0; i < 64; ++i) headers.push_back("x-" + std::to_string(i));
  Push push = make_push(target());
  for (const std::string& name : headers) push.content.headers.push_back({name, value});
  EXPECT_EQ(deliver(std::move(push)).kind, Kind::delivered);
  const std::vector<RabbitMessage> messages = server->take(queue);
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[0].body, "");
  EXPECT_EQ(messages[1].body, large);
  EXPECT_EQ(messages[2].headers.at("x-63"), value);
}

TEST_F(AmqpSinkTest, ThousandsAtOnceGoOverOneConnectionAndEachArrivesOnce) {
  constexpr int kPushes = 5000;
  deliver_many(target(), kPushes);
  std::set<std::string> ids;
  const std::vector<RabbitMessage> messages = server->take(queue);
  for (const RabbitMessage& message : messages) ids.insert(message.headers.at("carillon-task-id"));
  EXPECT_EQ(messages.size(), static_cast<std::size_t>(kPushes));
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kPushes));
  EXPECT_EQ(sink->stats().connections_made, 1U);
}

TEST_F(AmqpSinkTest, AnExchangeRoutesByTheKeyAndTransientMessagesAreSo) {
  server->make_exchange("orders", "topic");
  server->bind(queue, "orders", "order.*");
  EXPECT_EQ(
      deliver(target(R"(,"exchange":"orders","routing_key":"order.due","persistent":false)")).kind,
      Kind::delivered);
  const std::vector<RabbitMessage> messages = server->take(queue);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].exchange, "orders");
  EXPECT_EQ(messages[0].routing_key, "order.due");
  EXPECT_EQ(messages[0].delivery_mode, 1);
}

TEST_F(AmqpSinkTest, WhatNoQueueTakesIsAFailedAttemptUnlessThatIsWanted) {
  const Target nowhere = target(R"(,"routing_key":"no such queue")");
  std::vector<Outcome> lost;
  std::vector<Outcome> kept;
  std::deque<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    Push unroutable = make_push(nowhere, std::string(1000, 'x'));
    unroutable.content.webhook_id = ids.emplace_back("msg_" + std::to_string(i));
    lost.push_back(start(std::move(unroutable)));
    Push routable = make_push(target(), "{}");
    routable.content.webhook_id = ids.emplace_back("msg_k" + std::to_string(i));
    kept.push_back(start(std::move(routable)));
  }
  for (const Outcome& outcome : lost) {
    const PushResult result = result_of(outcome);
    EXPECT_EQ(result.kind, Kind::failed);
    EXPECT_EQ(result.status, 312U);
    EXPECT_FALSE(result.not_now);
    EXPECT_THAT(result.error, HasSubstr("no queue takes it: 312 NO_ROUTE"));
  }
  for (const Outcome& outcome : kept) EXPECT_EQ(result_of(outcome).kind, Kind::delivered);
  EXPECT_EQ(sink->stats().connections_made, 1U) << "both are of one exchange";
  EXPECT_EQ(deliver(target(R"(,"routing_key":"no such queue","mandatory":false)")).kind,
            Kind::delivered);
  EXPECT_EQ(server->length(queue), 100U);
}

TEST_F(AmqpSinkTest, AnExchangeThatIsMissingSaysSoAndDisturbsNoOther) {
  const PushResult missing = deliver(target(R"(,"exchange":"none")"));
  EXPECT_EQ(missing.kind, Kind::failed);
  EXPECT_THAT(missing.error, HasSubstr("404 NOT_FOUND - no exchange 'none'"));
  std::vector<Outcome> failing;
  std::vector<Outcome> others;
  for (int i = 0; i < 20; ++i) {
    failing.push_back(start(make_push(target(R"(,"exchange":"none")"))));
    others.push_back(start(make_push(target())));
  }
  for (const Outcome& outcome : others) EXPECT_EQ(result_of(outcome).kind, Kind::delivered);
  for (const Outcome& outcome : failing) EXPECT_EQ(result_of(outcome).kind, Kind::failed);
}

TEST_F(AmqpSinkTest, AQueueThatIsFullRefuses) {
  const std::string small = "a small queue";
  server->make_queue(small, 1);
  const Target full = target(R"(,"routing_key":"a small queue")");
  EXPECT_EQ(deliver(full).kind, Kind::delivered);
  const PushResult refused = deliver(full);
  EXPECT_EQ(refused.kind, Kind::failed);
  EXPECT_THAT(refused.error, HasSubstr("basic.nack"));
  EXPECT_EQ(server->length(small), 1U);
}

TEST_F(AmqpSinkTest, WrongCredentialsAndVirtualHostsAreFailedAttemptsThatSaySo) {
  EXPECT_EQ(deliver(target(R"(,"username":"carillon","password":"right")")).kind, Kind::delivered);
  const PushResult wrong = deliver(target(R"(,"username":"carillon","password":"wrong")"));
  EXPECT_EQ(wrong.kind, Kind::failed);
  EXPECT_FALSE(wrong.may_be_seen);
  EXPECT_THAT(wrong.error, HasSubstr("403 ACCESS_REFUSED"));
  const PushResult nowhere = deliver(target_at(server->url() + "/nowhere"));
  EXPECT_FALSE(nowhere.may_be_seen);
  EXPECT_THAT(nowhere.error, HasSubstr("nowhere"));
  EXPECT_EQ(deliver(target_at(server->url() + "/%2F")).kind, Kind::delivered);
}

TEST_F(AmqpSinkTest, APasswordFileIsReadAgainForTheNextConnection) {
  test::write_file(*dir / "password", "old\n");
  const Target settings =
      target(R"(,"username":"changing","password_file":")" + *dir / "password" + "\"");
  EXPECT_EQ(deliver(settings).kind, Kind::failed);
  test::write_file(*dir / "password", "new\n");
  EXPECT_EQ(deliver(settings).kind, Kind::delivered);
}

TEST_F(AmqpSinkTest, OverTlsTheCertificateMustBeForTheHost) {
  const std::string ca = R"(,"tls":{"ca_file":")" + files.certificate + "\"}";
  const std::string at = ":" + std::to_string(server->tls_port());
  EXPECT_EQ(deliver(target_at("amqps://127.0.0.1" + at, ca)).kind, Kind::delivered);
  EXPECT_EQ(server->take(queue).size(), 1U);
  EXPECT_THAT(deliver(target_at("amqps://127.0.0.1" + at)).error, HasSubstr("TLS"));
  names.set("rabbit.test", {"127.0.0.1"});
  EXPECT_THAT(deliver(target_at("amqps://rabbit.test" + at, ca)).error, HasSubstr("TLS"));
}

TEST_F(AmqpSinkTest, ABrokerThatIsShortOfMemoryHasSaidNotNow) {
  const Target patient = target(R"(,"timeout":"10m")");
  EXPECT_EQ(deliver(patient).kind, Kind::delivered);
  server->set_memory_alarm(true);
  // The broker says so to the first who publishes, and takes that message when it has memory again.
  std::vector<Outcome> all;
  run_until([&] {
    all.push_back(start(make_push(patient)));
    return std::ranges::any_of(all, [](const Outcome& one) {
      return one->has_value() && (*one)->kind != Kind::delivered;
    });
  });
  const PushResult held = result_of(start(make_push(patient)));
  EXPECT_EQ(held.not_now, NotNow::unavailable);
  EXPECT_FALSE(held.may_be_seen);
  EXPECT_THAT(held.error, HasSubstr("low on memory"));
  server->set_memory_alarm(false);
  std::size_t taken = 1;
  for (const Outcome& outcome : all) {
    const PushResult result = result_of(outcome);
    if (result.kind == Kind::delivered) {
      ++taken;
    } else {
      EXPECT_EQ(result.not_now, NotNow::unavailable) << result.error;
    }
  }
  EXPECT_EQ(server->length(queue), taken);
  EXPECT_EQ(deliver(make_push(patient, "after")).kind, Kind::delivered);
  EXPECT_EQ(sink->stats().connections_made, 1U);
}

TEST_F(AmqpSinkTest, WhatWasGivenUpWhileTheBrokerWasBlockedNeverArrives) {
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  server->set_memory_alarm(true);
  const Target hasty = target(R"(,"timeout":"1s")");
  std::size_t delivered = 1;
  PushResult last;
  while ((last = deliver(hasty)).kind == Kind::delivered) ++delivered;
  EXPECT_THAT(last.error, HasSubstr("no answer within 1s"));
  server->set_memory_alarm(false);
  EXPECT_EQ(deliver(make_push(target(), "after")).kind, Kind::delivered);
  EXPECT_EQ(server->length(queue), delivered + 1);
}

TEST_F(AmqpSinkTest, AServerThatIsGoneIsAFailedAttemptAndTheNextOneConnectsAgain) {
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  server->sync_queues();
  server->kill();
  EXPECT_EQ(deliver(target()).kind, Kind::failed);
  const PushResult gone = deliver(target());
  EXPECT_FALSE(gone.may_be_seen);
  EXPECT_THAT(gone.error, HasSubstr("127.0.0.1"));
  server->start();
  const PushResult again = deliver(target());
  EXPECT_EQ(again.kind, Kind::delivered) << again.error;
  EXPECT_EQ(server->take(queue).size(), 2U) << "what was confirmed outlives it";
}

TEST_F(AmqpSinkTest, WhatWasGivenUpWhileTheServerWasSilentNeverArrives) {
  set_silent_for(Millis(0));
  give_up_while_silent(*server, [&](const std::string& more, const std::string& body) {
    return make_push(target(more), body);
  });
  const std::vector<RabbitMessage> messages = server->take(queue);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[1].body, "after");
}

}  // namespace
}  // namespace carillon
