// A receiver's name with several addresses: which of them pushes go to.
#include "delivery/http/addresses.h"

#include <deque>
#include <filesystem>

#include "tests/delivery/http/fixture.h"
#include "tests/net/certificate.h"

namespace carillon {
namespace {

using Endpoint = Addresses::Endpoint;
using Moment = Addresses::Moment;
using Then = Reaction::Then;
using boost::asio::ip::make_address;

Endpoint endpoint(int last) {
  return {make_address("192.0.2." + std::to_string(last)), 80};
}

TEST(Addresses, ThatWithTheFewestPushesIsNextAndTheyTakeTurns) {
  Addresses addresses;
  EXPECT_FALSE(addresses.best({}, {}).has_value());
  addresses.set(std::vector{endpoint(1), endpoint(2), endpoint(3), endpoint(2)});
  EXPECT_EQ(addresses.size(), 3U);
  std::map<Endpoint, int> used;
  for (int i = 0; i < 9; ++i) {
    const Endpoint next = *addresses.best({}, {});
    ++used[next];
    addresses.begin(next);
    if (next != endpoint(2)) addresses.end(next);
  }
  EXPECT_EQ(used[endpoint(2)], 1) << "its push is still under way";
  EXPECT_EQ(used[endpoint(1)], 4);
  EXPECT_EQ(used[endpoint(3)], 4);
}

TEST(Addresses, ADeadOneComesLastForAWhileAndThatWhereAnAttemptFailedAfterTheLiving) {
  Addresses addresses;
  addresses.set(std::vector{endpoint(1), endpoint(2), endpoint(3)});
  const Moment now = Moment{} + std::chrono::hours(1);
  addresses.note_dead(endpoint(1), now);
  EXPECT_EQ(addresses.in_order(now, endpoint(2)),
            (std::vector{endpoint(3), endpoint(2), endpoint(1)}));
  addresses.set(std::vector{endpoint(1), endpoint(3)});
  EXPECT_EQ(addresses.best(now + Addresses::kDeadFor - Millis(1), {}), endpoint(3))
      << "a new look-up does not raise the dead";
  EXPECT_EQ(addresses.in_order(now + Addresses::kDeadFor, {}).size(), 2U);
  addresses.begin(endpoint(3));
  EXPECT_EQ(addresses.best(now + Addresses::kDeadFor, {}), endpoint(1));
  addresses.note_dead(endpoint(1), now);
  addresses.note_alive(endpoint(1));
  EXPECT_EQ(addresses.best(now, {}), endpoint(1));
}

/// Receivers on one port of several of this machine's addresses.
class ManyAddresses : public HttpSinkFixture {
 protected:
  static Reaction answer_200(const ReceivedRequest&) {
    return Reaction{.bytes = http_answer("200 OK")};
  }
  Receiver& listen(const std::string& address, Receiver::React react = answer_200,
                   TlsContext tls = {}) {
    const Endpoint at(make_address(address), port_);
    receivers_.push_back(std::make_unique<Receiver>(loop, std::move(react), std::move(tls), at));
    port_ = receivers_.back()->port();
    return *receivers_.back();
  }
  /// Takes connections in its backlog only, which is full: more are not even refused.
  void drop_all_at(const std::string& address) {
    auto& full = deaf_.emplace_back(loop);
    full.open(boost::asio::ip::tcp::v4());
    full.set_option(boost::asio::socket_base::reuse_address(true));
    full.bind({make_address(address), port_});
    full.listen(0);
    for (int i = 0; i < 4; ++i) {
      auto& waiting = fillers_.emplace_back(loop);
      waiting.async_connect(full.local_endpoint(), [](boost::system::error_code) {});
    }
    loop.poll();
    loop.restart();
  }
  [[nodiscard]] TargetSettings target(const std::string& scheme = "http") const {
    return settings_for(scheme + "://many.test:" + std::to_string(port_) + "/");
  }

  unsigned short port_ = 0;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::deque<boost::asio::ip::tcp::acceptor> deaf_;
  std::deque<boost::asio::ip::tcp::socket> fillers_;
};

TEST_F(ManyAddresses, ShareThePushesWhetherTheyComeAtOnceOrOneAfterTheOther) {
  Receiver& first = listen("127.0.0.1");
  Receiver& second = listen("127.0.0.2");
  resolve_as("many.test", {"127.0.0.1", "127.0.0.2"});
  const Push push = make_push(target());
  int done = 0;
  for (int i = 0; i < 200; ++i) sink->push(push, [&](const PushResult&) { ++done; });
  run_until([&] { return done == 200; });
  EXPECT_GE(first.requests().size(), 60U);
  EXPECT_GE(second.requests().size(), 60U);

  resolve_as("many.test", {"127.0.0.1", "127.0.0.2"});
  const std::size_t before = first.requests().size();
  for (int i = 0; i < 200; ++i) ASSERT_EQ(deliver(push).kind, Kind::delivered);
  EXPECT_NEAR(static_cast<double>(first.requests().size() - before), 100.0, 10.0);
  EXPECT_LE(sink->stats().connections_made, 3U) << "over connections that are kept";
}

TEST_F(ManyAddresses, AreAllTriedAndTheDeadOnesRemembered) {
  Receiver& last = listen("127.0.0.5");
  drop_all_at("127.0.0.2");
  resolve_as("many.test", {"127.0.0.2", "127.0.0.1", "127.0.0.3", "127.0.0.4", "127.0.0.5"});
  TargetSettings settings = target();
  http_of(settings).connection_max_age = Millis(0);
  const PushResult found = deliver(settings);
  EXPECT_EQ(found.kind, Kind::delivered) << found.error;
  // With the dead ones last, none of these waits for one of them.
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) ASSERT_EQ(deliver(settings).kind, Kind::delivered);
  EXPECT_LT(std::chrono::steady_clock::now() - start, Millis(20 * 250));
  EXPECT_EQ(last.requests().size(), 21U);
}

TEST_F(ManyAddresses, ThatAllRefuseAreAFailureThatNamesOne) {
  listen("127.0.0.1").refuse();
  resolve_as("many.test", {"127.0.0.2", "127.0.0.3"});
  const PushResult result = deliver(target());
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_FALSE(result.may_be_seen);
  EXPECT_NE(result.error.find("connect to 127.0.0."), std::string::npos) << result.error;
  EXPECT_NE(result.error.find("of 2 addresses"), std::string::npos) << result.error;
}

TEST_F(ManyAddresses, ARetryGoesToAnotherThanTheOneThatFailed) {
  Receiver& bad = listen("127.0.0.1", [](const ReceivedRequest&) {
    return Reaction{.bytes = http_answer("500 Oops")};
  });
  listen("127.0.0.2");
  resolve_as("many.test", {"127.0.0.1", "127.0.0.2"});
  int failed = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string id = "msg_" + std::to_string(i);
    Push push = make_push(target());
    push.content.webhook_id = id;
    if (deliver(push).kind == Kind::delivered) continue;
    ++failed;
    // Others in between, so that it is not just its turn.
    for (int other = 0; other < i % 3; ++other) deliver(make_push(target()));
    push.attempt = 2;
    EXPECT_EQ(deliver(push).kind, Kind::delivered) << id;
  }
  EXPECT_GE(failed, 5);
  EXPECT_GE(bad.requests().size(), static_cast<std::size_t>(failed));
}

TEST_F(ManyAddresses, WhereOneFailsTheHandshakeTheNextIsTaken) {
  test::TempDir dir;
  const CertificateFiles files =
      make_certificate(dir, "receiver", {.subject_alt_name = "DNS:many.test"});
  Receiver& good =
      listen("127.0.0.2", answer_200, *make_server_tls({files.certificate, files.private_key, ""}));
  listen("127.0.0.1");  // speaks no TLS
  resolve_as("many.test", {"127.0.0.1", "127.0.0.2"});
  TargetSettings settings = target("https");
  http_of(settings).tls.ca_file = files.certificate;
  http_of(settings).connection_max_age = Millis(0);
  settings.timeout = std::chrono::seconds(3);
  for (int i = 0; i < 4; ++i) {
    const PushResult result = deliver(settings);
    EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  }
  EXPECT_EQ(good.requests().size(), 4U);
}

TEST_F(ManyAddresses, ANameThatMovesIsFollowedWhileTheOldAddressStillAnswers) {
  Receiver& before = listen("127.0.0.1");
  Receiver& after = listen("127.0.0.2");
  resolve_as("many.test", {"127.0.0.1"});
  TargetSettings settings = target();
  http_of(settings).connection_max_age = Millis(20);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(deliver(settings).kind, Kind::delivered);
  names.set("many.test", {"127.0.0.2"});
  while (after.requests().empty()) {
    ASSERT_EQ(deliver(settings).kind, Kind::delivered);
    ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - start, Millis(20));
  const std::size_t old = before.requests().size();
  for (int i = 0; i < 10; ++i) ASSERT_EQ(deliver(settings).kind, Kind::delivered);
  EXPECT_EQ(before.requests().size(), old);
}

TEST_F(ManyAddresses, OfWhichTheRulesDenySomeAreOnlyUsedWhereTheyAllow) {
  Receiver& denied = listen("127.0.0.1");
  Receiver& allowed = listen("127.0.0.2");
  resolve_as("many.test", {"127.0.0.1", "127.0.0.2"});
  urls.set_egress(*Egress::make({.allow_private = true, .allow = {}, .deny = {"127.0.0.1"}}));
  for (int i = 0; i < 10; ++i) ASSERT_EQ(deliver(target()).kind, Kind::delivered);
  EXPECT_EQ(denied.requests().size(), 0U);
  EXPECT_EQ(allowed.requests().size(), 10U);
}

TEST_F(HttpSinkFixture, TargetsOfOneOriginShareConnectionsOnlyWhereAllTheirTlsSettingsAreTheSame) {
  test::TempDir dir;
  const CertificateFiles files = make_certificate(dir, "receiver");
  const CertificateFiles same = make_certificate(dir, "same");
  Receiver here(
      loop, [](const ReceivedRequest&) { return Reaction{.bytes = http_answer("200 OK")}; },
      *make_server_tls({files.certificate, files.private_key, ""}));
  const ClientTls base = {.verify = false,
                          .ca_file = files.certificate,
                          .certificate_file = files.certificate,
                          .private_key_file = files.private_key};
  std::vector<ClientTls> all(5, base);
  all[1].verify = true;
  all[2].ca_file = same.certificate;
  all[3].certificate_file = same.certificate;
  all[3].private_key_file = same.private_key;
  all[4].ca_file = "";
  std::size_t connections = 0;
  for (const ClientTls& tls : all) {
    TargetSettings settings = settings_for(here.url());
    http_of(settings).tls = tls;
    EXPECT_EQ(deliver(settings).kind, Kind::delivered);
    EXPECT_EQ(here.connections(), ++connections);
    EXPECT_EQ(deliver(settings).kind, Kind::delivered);
    EXPECT_EQ(here.connections(), connections) << "its own is used again";
  }
  TargetSettings key_moved = settings_for(here.url());
  http_of(key_moved).tls = base;
  http_of(key_moved).tls.private_key_file = dir / "copy.key";
  std::filesystem::copy_file(files.private_key, http_of(key_moved).tls.private_key_file);
  EXPECT_EQ(deliver(key_moved).kind, Kind::delivered);
  EXPECT_EQ(here.connections(), ++connections);
}

}  // namespace
}  // namespace carillon
