// The sink of NATS against a real server.

#include "delivery/nats/sink.h"

#include <deque>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/delivery/broker/fixture.h"
#include "tests/delivery/nats/operator.h"
#include "tests/net/certificate.h"
#include "tests/support/nats_server.h"

namespace carillon {
namespace {

using test::NatsServer;
using test::StreamMessage;
using ::testing::HasSubstr;

constexpr const char* kStream = "orders";

class NatsSinkTest : public BrokerSinkFixture {
 protected:
  NatsSinkTest() { set_silent_for(std::chrono::hours(1)); }

  void set_silent_for(Millis silent_for) {
    sink = std::make_unique<NatsSink>(options(), BrokerSinkOptions{.silent_for = silent_for});
  }
  /// With a stream that listens to "due.>".
  void serve(NatsServer::Options options = {}) {
    server = std::make_unique<NatsServer>(std::move(options));
    server->make_stream(kStream, "due.>");
  }
  [[nodiscard]] Target target_at(const std::string& url, const std::string& more = {}) const {
    const std::string subject =
        more.find("subject") == std::string::npos ? R"(,"subject":"due.today")" : std::string();
    return target_of(R"({"kind":"nats","url":")" + url + "\"" + subject + more + "}");
  }
  [[nodiscard]] Target target(const std::string& more = {}) const {
    return target_at(server->url(), more);
  }
  /// Another message than all others: a stream knows them by their ids.
  [[nodiscard]] Push make_new(const Target& target, const std::string& body = "{}") {
    Push push = make_push(target, body);
    push.content.webhook_id = ids.emplace_back("msg_n" + std::to_string(ids.size()));
    return push;
  }
  PushResult deliver_new(const Target& target) { return deliver(make_new(target)); }

  std::unique_ptr<NatsServer> server;
  std::deque<std::string> ids;
};

TEST_F(NatsSinkTest, AMessageHasTheBodyByteForByteAndTheHeaders) {
  serve();
  const std::string body = every_byte();
  const PushResult result = deliver(make_full_push(target(), body));
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  const std::vector<StreamMessage> messages = server->take(kStream);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].body, body);
  EXPECT_EQ(messages[0].subject, "due.today");
  EXPECT_EQ(messages[0].headers,
            (std::map<std::string, std::string>{{"Nats-Msg-Id", "msg_1"},
                                                {"carillon-task-id", "{user:7}:a b"},
                                                {"carillon-due-at", "2027-01-15T08:00:00.123Z"},
                                                {"carillon-attempt", "3"},
                                                {"carillon-group", "coupon7"},
                                                {"content-type", "application/json"},
                                                {"x-team", "shop"},
                                                {"traceparent", "00-ab-cd-01"}}));
}

TEST_F(NatsSinkTest, ARepeatIsDeliveredAndIsInTheStreamOnce) {
  serve();
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  EXPECT_EQ(server->length(kStream), 1U);
}

TEST_F(NatsSinkTest, EmptyAndLargeBodiesAndManyHeadersArriveAndTooLargeOnesDoNot) {
  serve();
  EXPECT_EQ(deliver(make_new(target(), "")).kind, Kind::delivered);
  const std::string large(1'000'000, 'x');
  EXPECT_EQ(deliver(make_new(target(), large)).kind, Kind::delivered);
  const std::string value(240, 'v');
  std::vector<std::string> headers;
  for (int i = 0; i < 64; ++i) headers.push_back("x-" + std::to_string(i));
  Push push = make_new(target());
  for (const std::string& name : headers) push.content.headers.push_back({name, value});
  EXPECT_EQ(deliver(std::move(push)).kind, Kind::delivered);
  const PushResult refused = deliver(make_new(target(), std::string(1'048'576, 'x')));
  EXPECT_EQ(refused.kind, Kind::failed);
  EXPECT_THAT(refused.error, HasSubstr("takes messages of 1048576 bytes"));
  const std::vector<StreamMessage> messages = server->take(kStream);
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[0].body, "");
  EXPECT_EQ(messages[1].body, large);
  EXPECT_EQ(messages[2].headers.at("x-63"), value);
  EXPECT_EQ(sink->stats().connections_made, 1U);
}

TEST_F(NatsSinkTest, ThousandsAtOnceGoOverOneConnectionAndEachArrivesOnce) {
  serve();
  constexpr int kPushes = 2000;
  // The server syncs each of them, one after the other.
  deliver_many(target(R"(,"timeout":"1m")"), kPushes);
  std::set<std::string> arrived;
  for (const StreamMessage& message : server->take(kStream)) {
    arrived.insert(message.headers.at("Nats-Msg-Id"));
  }
  EXPECT_EQ(arrived.size(), static_cast<std::size_t>(kPushes));
  EXPECT_EQ(sink->stats().connections_made, 1U);
}

TEST_F(NatsSinkTest, WhatNoStreamTakesIsAFailedAttemptThatSaysSo) {
  serve();
  const PushResult result = deliver_new(target(R"(,"subject":"elsewhere")"));
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_EQ(result.status, 503U);
  EXPECT_FALSE(result.not_now);
  EXPECT_THAT(result.error, HasSubstr("no stream takes it"));
  EXPECT_EQ(deliver_new(target()).kind, Kind::delivered);
  EXPECT_EQ(sink->stats().connections_made, 1U);
}

TEST_F(NatsSinkTest, AStreamThatIsFullHasSaidNotNow) {
  serve();
  server->make_stream("small", "small", 1);
  const Target full = target(R"(,"subject":"small")");
  EXPECT_EQ(deliver_new(full).kind, Kind::delivered);
  const PushResult refused = deliver_new(full);
  EXPECT_EQ(refused.kind, Kind::failed);
  EXPECT_EQ(refused.not_now, NotNow::unavailable);
  EXPECT_THAT(refused.error, HasSubstr("maximum messages exceeded"));
  EXPECT_EQ(server->length("small"), 1U);
  EXPECT_EQ(deliver_new(target()).kind, Kind::delivered);
}

TEST_F(NatsSinkTest, UsersMayDoWhatTheyMayAndWrongPasswordsSaySo) {
  serve({.users = R"({user: carillon, password: right},
                     {user: narrow, password: right,
                      permissions: {publish: ["due.narrow"], subscribe: ["_INBOX.>"]}},
                     {user: deaf, password: right, permissions: {subscribe: ["nothing"]}})"});
  EXPECT_EQ(deliver_new(target(R"(,"username":"carillon","password":"right")")).kind,
            Kind::delivered);
  const PushResult wrong = deliver_new(target(R"(,"username":"carillon","password":"wrong")"));
  EXPECT_EQ(wrong.kind, Kind::failed);
  EXPECT_FALSE(wrong.may_be_seen);
  EXPECT_THAT(wrong.error, HasSubstr("Authorization Violation"));

  const std::string narrow = R"(,"username":"narrow","password":"right")";
  EXPECT_EQ(deliver_new(target(narrow + R"(,"subject":"due.narrow")")).kind, Kind::delivered);
  const PushResult refused = deliver_new(target(narrow));
  EXPECT_EQ(refused.kind, Kind::failed);
  EXPECT_THAT(refused.error, HasSubstr("Permissions Violation for Publish to \"due.today\""));
  EXPECT_EQ(deliver_new(target(narrow + R"(,"subject":"due.narrow")")).kind, Kind::delivered);
  EXPECT_EQ(sink->stats().connections_made, 2U);

  const PushResult deaf = deliver_new(target(R"(,"username":"deaf","password":"right")"));
  EXPECT_EQ(deaf.kind, Kind::failed);
  EXPECT_FALSE(deaf.may_be_seen);
  EXPECT_THAT(deaf.error, HasSubstr("Permissions Violation for Subscription"));
  EXPECT_EQ(server->length(kStream), 3U);
}

TEST_F(NatsSinkTest, AUserOfAnOperatorLogsInWithItsCredentials) {
  const test::TempDir dir;
  test::write_file(dir / "creds", nats_operator::credentials());
  serve({.operators = nats_operator::configuration(), .creds_file = dir / "creds"});
  const PushResult result = deliver_new(target(R"(,"creds_file":")" + dir / "creds" + "\""));
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  EXPECT_EQ(server->length(kStream), 1U);
  EXPECT_THAT(deliver_new(target()).error, HasSubstr("Authorization Violation"));
}

TEST_F(NatsSinkTest, APasswordFileIsReadAgainForTheNextConnection) {
  serve({.users = "{user: carillon, password: new}"});
  const test::TempDir dir;
  test::write_file(dir / "password", "old\n");
  const Target settings =
      target(R"(,"username":"carillon","password_file":")" + dir / "password" + "\"");
  EXPECT_EQ(deliver(settings).kind, Kind::failed);
  test::write_file(dir / "password", "new\n");
  EXPECT_EQ(deliver(settings).kind, Kind::delivered);
}

TEST_F(NatsSinkTest, OverTlsTheCertificateMustBeForTheHost) {
  const test::TempDir dir;
  const CertificateFiles files = make_certificate(dir, "nats");
  serve({.tls = NatsServer::Tls{files.certificate, files.private_key}});
  const std::string ca = R"(,"tls":{"ca_file":")" + files.certificate + "\"}";
  const PushResult result = deliver_new(target(ca));
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  EXPECT_EQ(server->take(kStream).size(), 1U);
  EXPECT_THAT(deliver_new(target()).error, HasSubstr("TLS"));
  const std::string port = server->url().substr(server->url().rfind(':'));
  names.set("nats.test", {"127.0.0.1"});
  EXPECT_THAT(deliver_new(target_at("tls://nats.test" + port, ca)).error, HasSubstr("TLS"));
  EXPECT_THAT(deliver_new(target_at("nats://127.0.0.1" + port)).error, HasSubstr("wants TLS"));
}

TEST_F(NatsSinkTest, AServerThatIsGoneIsAFailedAttemptAndTheNextOneConnectsAgain) {
  serve();
  EXPECT_EQ(deliver_new(target()).kind, Kind::delivered);
  server->kill();
  EXPECT_EQ(deliver_new(target()).kind, Kind::failed);
  const PushResult gone = deliver_new(target());
  EXPECT_FALSE(gone.may_be_seen);
  EXPECT_THAT(gone.error, HasSubstr("127.0.0.1"));
  server->start();
  const PushResult again = deliver_new(target());
  EXPECT_EQ(again.kind, Kind::delivered) << again.error;
  EXPECT_EQ(server->length(kStream), 2U) << "what was answered outlives it";
}

TEST_F(NatsSinkTest, AServerThatIsAboutToStopIsLeft) {
  serve({.more = "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"1s\"\n"});
  EXPECT_EQ(deliver_new(target()).kind, Kind::delivered);
  server->leave();
  run_until([&] { return sink->stats().connections_open == 0; });
}

TEST_F(NatsSinkTest, WhatWasGivenUpWhileTheServerWasSilentNeverArrives) {
  set_silent_for(Millis(0));
  serve();
  give_up_while_silent(*server, [&](const std::string& more, const std::string& body) {
    return make_new(target(more), body);
  });
  const std::vector<StreamMessage> messages = server->take(kStream);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[1].body, "after");
}

}  // namespace
}  // namespace carillon
