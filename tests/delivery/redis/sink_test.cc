// The sink of Redis streams against a real server.

#include "delivery/redis/sink.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/delivery/broker/fixture.h"
#include "tests/net/certificate.h"
#include "tests/support/redis_server.h"

namespace carillon {
namespace {

using test::field_of;
using test::RedisEntry;
using test::RedisServer;
using ::testing::HasSubstr;

class RedisSinkTest : public BrokerSinkFixture {
 protected:
  RedisSinkTest() {
    sink = std::make_unique<RedisSink>(options(),
                                       BrokerSinkOptions{.silent_for = std::chrono::hours(1)});
  }

  [[nodiscard]] Target target(const std::string& more = {}) const {
    return target_at(server.url(), more);
  }
  [[nodiscard]] static Target target_at(const std::string& url, const std::string& more = {}) {
    return target_of(R"({"kind":"redis","url":")" + url + R"(","stream":"due")" + more + "}");
  }

  RedisServer server;
};

TEST_F(RedisSinkTest, AnEntryHasTheBodyByteForByteAndThePropertiesAndHeaders) {
  const std::string body = every_byte();
  EXPECT_EQ(deliver(make_full_push(target(), body)).kind, Kind::delivered);
  const std::vector<RedisEntry> entries = server.entries("due");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0], (RedisEntry{{"body", body},
                                    {"webhook-id", "msg_1"},
                                    {"carillon-task-id", "{user:7}:a b"},
                                    {"carillon-due-at", "2027-01-15T08:00:00.123Z"},
                                    {"carillon-attempt", "3"},
                                    {"carillon-group", "coupon7"},
                                    {"x-team", "shop"},
                                    {"traceparent", "00-ab-cd-01"},
                                    {"content-type", "application/json"}}));
}

TEST_F(RedisSinkTest, EmptyAndLargeBodiesArrive) {
  EXPECT_EQ(deliver(make_push(target(), "")).kind, Kind::delivered);
  const std::string large(3 << 20, 'x');
  EXPECT_EQ(deliver(make_push(target(), large)).kind, Kind::delivered);
  EXPECT_EQ(field_of(server.entries("due").at(0), "body"), "");
  EXPECT_EQ(field_of(server.entries("due").at(1), "body"), large);
}

TEST_F(RedisSinkTest, ThousandsAtOnceGoOverOneConnectionAndEachArrivesOnce) {
  constexpr int kPushes = 5000;
  deliver_many(target(), kPushes);
  std::set<std::string> ids;
  for (const RedisEntry& entry : server.entries("due"))
    ids.insert(field_of(entry, "carillon-task-id"));
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kPushes));
  EXPECT_EQ(server.ask({"XLEN", "due"}), std::to_string(kPushes));
  EXPECT_EQ(sink->stats().connections_made, 1U);
}

TEST_F(RedisSinkTest, TheStreamIsTrimmedToAboutMaxlenInTheDatabaseOfTheUrl) {
  const Target settings = target_at(server.url() + "/2", R"(,"maxlen":100)");
  int ended = 0;
  for (int i = 0; i < 1000; ++i) {
    sink->push(make_push(settings), [&](const PushResult&) { ++ended; });
  }
  run_until([&] { return ended == 1000; });
  EXPECT_EQ(server.ask({"XLEN", "due"}), "0") << "of database 0";
  EXPECT_EQ(server.ask({"SELECT", "2"}), "OK");
  const int kept = std::stoi(server.ask({"XLEN", "due"}));
  EXPECT_GE(kept, 100);
  EXPECT_LT(kept, 300);
}

TEST_F(RedisSinkTest, WrongCredentialsAreFailedAttemptsThatSaySo) {
  EXPECT_EQ(server.ask({"ACL", "SETUSER", "carillon", "on", ">right", "~*", "+@all"}), "OK");
  EXPECT_EQ(server.ask({"CONFIG", "SET", "requirepass", "main"}), "OK");
  const PushResult none = deliver(target());
  EXPECT_EQ(none.kind, Kind::failed);
  EXPECT_FALSE(none.may_be_seen);
  EXPECT_THAT(none.error, HasSubstr("NOAUTH"));
  const PushResult wrong = deliver(target(R"(,"username":"carillon","password":"wrong")"));
  EXPECT_EQ(wrong.kind, Kind::failed);
  EXPECT_THAT(wrong.error, HasSubstr("WRONGPASS"));
  EXPECT_EQ(deliver(target(R"(,"username":"carillon","password":"right")")).kind, Kind::delivered);
  EXPECT_EQ(deliver(target(R"(,"password":"main")")).kind, Kind::delivered);
}

TEST_F(RedisSinkTest, APasswordFileIsReadAgainForTheNextConnection) {
  const test::TempDir dir;
  test::write_file(dir / "password", "old\n");
  EXPECT_EQ(server.ask({"CONFIG", "SET", "requirepass", "new"}), "OK");
  const Target settings = target(R"(,"password_file":")" + dir / "password" + "\"");
  EXPECT_EQ(deliver(settings).kind, Kind::failed);
  test::write_file(dir / "password", "new\n");
  EXPECT_EQ(deliver(settings).kind, Kind::delivered);
}

TEST_F(RedisSinkTest, OverTlsTheCertificateMustBeForTheHost) {
  const test::TempDir dir;
  const CertificateFiles files = make_certificate(dir, "redis");
  RedisServer secure({}, RedisServer::Tls{files.certificate, files.private_key});
  const std::string at = ":" + std::to_string(secure.tls_port());
  const std::string ca = R"(,"tls":{"ca_file":")" + files.certificate + "\"}";
  EXPECT_EQ(deliver(target_at("rediss://127.0.0.1" + at, ca)).kind, Kind::delivered);
  EXPECT_EQ(secure.entries("due").size(), 1U);
  EXPECT_THAT(deliver(target_at("rediss://127.0.0.1" + at)).error, HasSubstr("TLS"))
      << "nobody vouches for it";
  names.set("redis.test", {"127.0.0.1"});
  EXPECT_THAT(deliver(target_at("rediss://redis.test" + at, ca)).error, HasSubstr("TLS"))
      << "it is for another name";
  EXPECT_EQ(deliver(target_at("rediss://redis.test" + at, R"(,"tls":{"verify":false})")).kind,
            Kind::delivered);
}

TEST_F(RedisSinkTest, WhatTheServerRefusesIsAFailedAttemptThatMayHaveBeenSeen) {
  EXPECT_EQ(server.ask({"SET", "due", "no stream"}), "OK");
  const PushResult result = deliver(target());
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_FALSE(result.not_now);
  EXPECT_TRUE(result.may_be_seen);
  EXPECT_THAT(result.error, HasSubstr("WRONGTYPE"));
}

TEST_F(RedisSinkTest, AServerThatIsFullHasSaidNotNow) {
  EXPECT_EQ(server.ask({"CONFIG", "SET", "maxmemory", "1"}), "OK");
  const PushResult full = deliver(target());
  EXPECT_EQ(full.kind, Kind::failed);
  EXPECT_EQ(full.not_now, NotNow::unavailable);
  EXPECT_THAT(full.error, HasSubstr("OOM"));
  EXPECT_EQ(server.ask({"CONFIG", "SET", "maxmemory", "0"}), "OK");
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
}

TEST_F(RedisSinkTest, AReplicaHasSaidNotNowAndTheNextPushGoesOverAnotherConnection) {
  EXPECT_EQ(server.ask({"REPLICAOF", "127.0.0.1", "1"}), "OK");
  const PushResult replica = deliver(target());
  EXPECT_EQ(replica.not_now, NotNow::unavailable);
  EXPECT_THAT(replica.error, HasSubstr("READONLY"));
  EXPECT_EQ(sink->stats().connections_open, 0U);
  EXPECT_EQ(server.ask({"REPLICAOF", "NO", "ONE"}), "OK");
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  EXPECT_EQ(sink->stats().connections_made, 2U);
}

TEST_F(RedisSinkTest, AsManyReplicasAsAreWantedMustHaveIt) {
  RedisServer replica({"--replicaof", "127.0.0.1", std::to_string(server.port())});
  run_until([&] {
    return replica.ask({"INFO", "replication"}).find("master_link_status:up") != std::string::npos;
  });
  EXPECT_EQ(deliver(target(R"(,"replicas":1)")).kind, Kind::delivered);
  EXPECT_EQ(replica.entries("due").size(), 1U);
  const PushResult short_of = deliver(target(R"(,"replicas":2,"timeout":"1s")"));
  EXPECT_EQ(short_of.kind, Kind::failed);
  EXPECT_THAT(short_of.error, HasSubstr("1 of 2 replicas"));
}

TEST_F(RedisSinkTest, AServerThatIsGoneIsAFailedAttemptAndTheNextOneConnectsAgain) {
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  server.kill();
  EXPECT_EQ(deliver(target()).kind, Kind::failed);
  const PushResult gone = deliver(target());
  EXPECT_EQ(gone.kind, Kind::failed);
  EXPECT_FALSE(gone.may_be_seen);
  EXPECT_THAT(gone.error, HasSubstr("127.0.0.1"));
  server.start();
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  EXPECT_EQ(server.entries("due").size(), 2U);
}

TEST_F(RedisSinkTest, WhatWasGivenUpWhileTheServerWasSilentNeverArrives) {
  sink = std::make_unique<RedisSink>(options(), BrokerSinkOptions{.silent_for = Millis(0)});
  give_up_while_silent(server, [&](const std::string& more, const std::string& body) {
    return make_push(target(more), body);
  });
  const std::vector<RedisEntry> entries = server.entries("due");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(field_of(entries[1], "body"), "after");
}

TEST_F(RedisSinkTest, OneServerThatIsSilentKeepsNoOtherWaiting) {
  RedisServer silent;
  EXPECT_EQ(deliver(target_at(silent.url())).kind, Kind::delivered);
  silent.freeze();
  const auto stuck = start(make_push(target_at(silent.url())));
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  EXPECT_FALSE(stuck->has_value());
}

TEST_F(RedisSinkTest, AnAddressThatTheEgressRulesDenyIsRefusedForGood) {
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  urls.set_egress(*Egress::make({.allow = {}, .deny = {"127.0.0.0/8"}}));
  EXPECT_EQ(deliver(target()).kind, Kind::refused_for_good) << "also over a kept connection";
  EXPECT_EQ(server.entries("due").size(), 1U);
}

TEST_F(RedisSinkTest, APasswordGoesToNoAddressThatTheRulesHaveComeToDeny) {
  const test::TempDir dir;
  const CertificateFiles files = make_certificate(dir, "redis");
  RedisServer secure({}, RedisServer::Tls{files.certificate, files.private_key});
  secure.freeze();  // before the handshake
  const Outcome outcome = start(make_push(
      target_at("rediss://127.0.0.1:" + std::to_string(secure.tls_port()),
                R"(,"password":"s3cret","tls":{"ca_file":")" + files.certificate + "\"}")));
  settle();
  deny_loopback();
  secure.go_on();
  EXPECT_EQ(result_of(outcome).kind, Kind::refused_for_good);
  EXPECT_EQ(sink->stats().connections_made, 0U) << "it was never let in";
  EXPECT_EQ(secure.ask({"INFO", "errorstats"}).find("errorstat"), std::string::npos)
      << "nor has it said anything";
}

TEST_F(RedisSinkTest, AHeaderWithTheNameOfTheBodyIsAFailedAttempt) {
  Push push = make_push(target());
  push.content.headers = {{"Body", "x"}};
  EXPECT_THAT(deliver(std::move(push)).error, HasSubstr("`body`"));
}

TEST_F(RedisSinkTest, NothingIsCalledBackAfterStop) {
  EXPECT_EQ(deliver(target()).kind, Kind::delivered);
  const Target settings = target();
  for (int i = 0; i < 10; ++i) {
    sink->push(make_push(settings), [](const PushResult&) { ADD_FAILURE() << "called back"; });
  }
  sink->stop();
  loop.restart();
  loop.run_for(std::chrono::milliseconds(50));
  EXPECT_EQ(sink->stats().in_flight, 0U);
}

TEST_F(RedisSinkTest, TheSinkMayGoInACallback) {
  const Target settings = target();
  EXPECT_EQ(deliver(make_push(settings)).kind, Kind::delivered);
  bool over = false;
  for (int i = 0; i < 10; ++i) {
    sink->push(make_push(settings), [&](const PushResult&) {
      sink.reset();
      over = true;
    });
  }
  run_until([&] { return over; });
}

}  // namespace
}  // namespace carillon
