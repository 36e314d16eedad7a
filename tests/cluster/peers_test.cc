// The way to another node and its door: authentication, connections, what is told apart.

#include "cluster/peers.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "base/log.h"
#include "cluster/wire.h"
#include "tests/cluster/cluster_fixture.h"
#include "tests/net/certificate.h"
#include "tests/support/http_client.h"

namespace carillon::test {
namespace {

using std::chrono::hours;
using testing::HasSubstr;
using Came = PeerReply::Came;

TEST(PeerSeal, TakesWhatAnotherNodeOfTheClusterSigned) {
  const WallTime now(Millis(1'800'000'000'000));
  const PeerSeal one(kCluster, kSecret);
  const PeerSeal other(kCluster, kSecret);
  const std::string signature = one.sign(now, "body");
  EXPECT_TRUE(other.check(signature, now, "body"));
  EXPECT_TRUE(other.check(signature, now + hours(1), "body")) << "clocks may be apart";
  EXPECT_TRUE(other.check(signature, now - hours(1), "body"));
}

TEST(PeerSeal, SaysWhichIsWrong) {
  const WallTime now(Millis(1'800'000'000'000));
  const PeerSeal seal(kCluster, kSecret);
  const auto why = [&](const std::string& signature,
                       WallTime at = WallTime(Millis(1'800'000'000'000))) {
    const Result<> checked = seal.check(signature, at, "body");
    EXPECT_EQ(checked.error().slug, "unauthorized");
    return checked.error().detail;
  };
  EXPECT_THAT(why(PeerSeal(kCluster, "another").sign(now, "body")), HasSubstr("secret"));
  EXPECT_THAT(why(PeerSeal({17, 5}, kSecret).sign(now, "body")), HasSubstr("cluster ids"));
  EXPECT_THAT(why(seal.sign(now, "body"), now + hours(3)), HasSubstr("clocks"));
  EXPECT_THAT(why(seal.sign(now, "another")), HasSubstr("signature is wrong"));
  EXPECT_THAT(why("Bearer x"), HasSubstr("nodes of the cluster"));
  for (const char* rubbish : {"", "CarillonPeer ", "CarillonPeer a.b", "CarillonPeer ..",
                              "CarillonPeer a.9223372036854775807.b"})
    EXPECT_FALSE(seal.check(rubbish, now, "body"));
  std::string signature = seal.sign(now, "body");
  for (std::size_t size = 0; size < signature.size(); ++size)
    EXPECT_FALSE(seal.check(signature.substr(0, size), now, "body"));
  signature.back() = signature.back() == '0' ? '1' : '0';
  EXPECT_FALSE(seal.check(signature, now, "body"));
}

class PeersTest : public ClusterTest {
 protected:
  [[nodiscard]] NodeAddress address(Node& node) { return {node.name, node.url}; }
  PeerReply call(Peers& peers, const NodeAddress& to, std::string body) {
    return run(peers.call(to, std::move(body), std::chrono::seconds(5)));
  }
  static std::string get_call(ShardNumber shard) {
    return encode_call(shard, shard_call::Get{"nobody"});
  }
};

TEST_F(PeersTest, ACallIsAnsweredOverAConnectionThatIsKept) {
  for (int i = 0; i < 5; ++i) {
    const PeerReply reply = call(a().peers, address(b()), get_call(2));
    ASSERT_EQ(reply.came, Came::answered) << reply.why.detail;
    Answer<TaskView> answer = TaskView();
    ASSERT_TRUE(decode_answer(reply.bytes, answer));
    EXPECT_EQ(answer.error().slug, "not_found");
  }
  EXPECT_EQ(b().server.stats().accepted, 1U);
}

TEST_F(PeersTest, AConnectionThatTheNodeClosedIsNotUsedAgain) {
  ASSERT_EQ(call(a().peers, address(b()), get_call(2)).came, Came::answered);
  run(b().server.drain(Millis(1000)));
  EXPECT_EQ(call(a().peers, address(b()), get_call(2)).came, Came::unsent);
}

TEST_F(PeersTest, AShardThatANodeDoesNotOwnHasMoved) {
  for (const ShardNumber shard : {ShardNumber{0}, kShards, ShardNumber{4'000'000'000}}) {
    const PeerReply reply = call(a().peers, address(b()), get_call(shard));
    EXPECT_EQ(reply.came, Came::refused);
    EXPECT_EQ(reply.why.slug, "moved");
  }
}

TEST_F(PeersTest, ANodeWithAnotherSecretIsRefused) {
  Peers stranger(clock, {.seal = PeerSeal(kCluster, "another")});
  const PeerReply reply = call(stranger, address(b()), get_call(2));
  EXPECT_EQ(reply.came, Came::refused);
  EXPECT_EQ(reply.why.slug, "unauthorized");
  EXPECT_THAT(reply.why.detail, HasSubstr("secret"));
}

struct CountingSink final : LogSink {
  void write(LogLevel, std::string_view message, LogFields) override {
    if (message.find("refuses the calls") != std::string_view::npos) ++lines;
  }
  int lines = 0;
};

TEST_F(PeersTest, TheLogHearsOfARefusalOnceAMinuteAtMost) {
  CountingSink sink;
  set_log_sink(&sink);
  Peers stranger(clock, {.seal = PeerSeal({1, 2}, kSecret)});
  for (int i = 0; i < 3; ++i) call(stranger, address(b()), get_call(2));
  call(stranger, address(c()), get_call(4));
  set_log_sink(nullptr);
  EXPECT_EQ(sink.lines, 2) << "one for each node";
}

TEST_F(PeersTest, WhatIsNoCallIsRefusedAsAWhole) {
  for (const std::string& bytes : {std::string(), std::string("\x02rest"), get_call(2) + "x"}) {
    const PeerReply reply = call(a().peers, address(b()), bytes);
    EXPECT_EQ(reply.came, Came::refused);
    EXPECT_EQ(reply.why.slug, "bad_request");
  }
}

TEST_F(PeersTest, ACallWithValuesThatNoNodeSendsIsRefused) {
  const auto why = [&](const auto& with) {
    const PeerReply reply = call(a().peers, address(b()), encode_call(2, with));
    EXPECT_EQ(reply.came, Came::refused);
    return reply.why.slug;
  };
  const WallTime now = clock.wall();
  EXPECT_EQ(why(shard_call::Forecast{Millis(0), now, now + hours(1), {}}), "bad_request");
  EXPECT_EQ(why(shard_call::Forecast{Millis(1), now, now - hours(1), {}}), "bad_request");
  EXPECT_EQ(why(shard_call::Forecast{Millis(1), now, now + hours(9999), {}}), "bad_request");
  EXPECT_EQ(why(shard_call::List{{}, "", std::uint64_t{1} << 60}), "bad_request");
  EXPECT_EQ(why(shard_call::CarryOutShift{"g", Millis::max(), ""}), "bad_request");
  shard_call::Change change;
  change.id = "a";
  change.request.delay = Millis::max();
  EXPECT_EQ(why(change), "bad_request");
  NewTask task = router().plan(this->task(id_in(2), hours(1)))->task;
  task.delay = Millis::max();
  EXPECT_EQ(why(shard_call::Add{task}), "bad_request");
  EXPECT_EQ(why(shard_call::AddBatch{{task}}), "bad_request");
}

TEST_F(PeersTest, WhereNobodyListensNothingIsSent) {
  EXPECT_EQ(call(a().peers, {"x", "http://127.0.0.1:9"}, get_call(2)).came, Came::unsent);
  EXPECT_EQ(call(a().peers, {"x", "rubbish"}, get_call(2)).came, Came::unsent);
}

TEST_F(PeersTest, ALargeCallAndALargeAnswerComeThrough) {
  put_target();
  const std::string id = id_in(2);
  const std::string body(std::size_t{1} << 20, 'x');
  AddRequest request = task(id, hours(1));
  request.content.body = body;
  request.content.content_type = "text/plain";
  request.content.body_is_json = false;
  ASSERT_TRUE(add(std::move(request)));
  EXPECT_EQ(run(router().get(id))->content.body, body);
}

TEST_F(PeersTest, ANodeThatAdvertisesHttpsIsCalledByTls) {
  const TempDir dir;
  const CertificateFiles files = make_certificate(dir, "node");
  const auto tls = std::make_shared<WatchedTls>(ServerTls{.certificate_file = files.certificate,
                                                          .private_key_file = files.private_key,
                                                          .client_ca_file = {}});
  const auto bound = b().server.listen({.host = "127.0.0.1", .tls = tls});
  ASSERT_TRUE(bound);
  const NodeAddress there{"b", bound->front()};
  ASSERT_TRUE(there.url.starts_with("https://"));
  Peers trusting(clock,
                 {.seal = PeerSeal(kCluster, kSecret), .tls = {.ca_file = files.certificate}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call(trusting, there, get_call(2)).came, Came::answered);
  EXPECT_EQ(b().server.stats().accepted, 1U) << "the connection is kept";
  const PeerReply refused = call(a().peers, there, get_call(2));
  EXPECT_EQ(refused.came, Came::unsent) << "nobody vouches for it";
  EXPECT_THAT(refused.why.detail, HasSubstr("TLS"));
}

/// Without a cluster there is no such door, and with one it is for nodes only.
TEST_F(PeersTest, TheDoorIsThereOnlyInAClusterAndOnlyForNodes) {
  HttpServer alone(loop, {}, std::make_shared<Api>(*shards[0], Node::metrics, ApiOptions()),
                   Node::http_options());
  const auto bound = alone.listen({.host = "127.0.0.1"});
  ASSERT_TRUE(bound);
  const PeerReply reply = call(a().peers, {"x", bound->front()}, get_call(0));
  EXPECT_EQ(reply.came, Came::refused);
  EXPECT_EQ(reply.why.slug, "not_found");

  std::atomic<int> status = 0;
  std::thread client([&] {
    status = HttpClient(b().url).post("/cluster/v1/call", get_call(2)).status;
    boost::asio::post(loop, [] {});
  });
  run_until([&] { return status != 0; });
  client.join();
  EXPECT_EQ(status, 401);
}

}  // namespace
}  // namespace carillon::test
