#include "net/tls.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>

#include "tests/http/thing_server.h"
#include "tests/net/certificate.h"

namespace carillon::test {
namespace {

/// A blocking TLS client over the sockets of HttpClient.
class TlsClient {
 public:
  explicit TlsClient(const ThingServer& server, int version_max = TLS1_3_VERSION)
      : client_("http" + server.url().substr(5)), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_, version_max);
    SSL_CTX_set_security_level(context_, 0);
    ssl_ = SSL_new(context_);
    if (client_.connect()) SSL_set_fd(ssl_, client_.native_handle());
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool handshake() { return SSL_connect(ssl_) == 1; }
  std::string exchange(const std::string& request) {
    if (!request.empty()) SSL_write(ssl_, request.data(), static_cast<int>(request.size()));
    char bytes[16384];  // a record of TLS
    const int count = SSL_read(ssl_, bytes, sizeof bytes);
    return {bytes, static_cast<std::size_t>(std::max(count, 0))};
  }
  HttpClient& plain() { return client_; }

 private:
  HttpClient client_;
  SSL_CTX* context_;
  SSL* ssl_;
};

class Tls : public testing::Test {
 protected:
  Tls() {
    const CertificateFiles files = make_certificate(dir_, "server");
    setup_.listen.tls =
        std::make_shared<WatchedTls>(ServerTls{files.certificate, files.private_key, ""});
    setup_.http.limits.header_timeout = std::chrono::milliseconds(200);
  }
  TempDir dir_;
  ThingSetup setup_;
};

TEST_F(Tls, RequestsAreAnsweredAndKeptAlive) {
  const ThingServer server(setup_);
  EXPECT_TRUE(server.url().starts_with("https://"));
  TlsClient client(server);
  ASSERT_TRUE(client.handshake());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client.exchange("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    .starts_with("HTTP/1.1 200"));
  }
  const std::string last =
      client.exchange("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
  EXPECT_NE(last.find("connection: close"), std::string::npos);
  EXPECT_EQ(client.exchange(""), "");
}

TEST_F(Tls, OldVersionsAndPlainTextAreRefused) {
  const ThingServer server(setup_);
  EXPECT_FALSE(TlsClient(server, TLS1_1_VERSION).handshake());
  HttpClient plain("http" + server.url().substr(5));
  ASSERT_TRUE(plain.send("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"));
  EXPECT_TRUE(plain.closed_by_peer());
}

TEST_F(Tls, HandshakesUnderWayAreBoundedAndGivenBack) {
  setup_.http.limits.handshakes_max = 3;
  setup_.http.limits.header_timeout = std::chrono::hours(1);
  const ThingServer server(setup_);
  std::vector<std::unique_ptr<HttpClient>> half;
  for (int i = 0; i < 12; ++i) {
    half.push_back(std::make_unique<HttpClient>("http" + server.url().substr(5)));
    ASSERT_TRUE(half.back()->send(std::string_view("\x16\x03\x01", 3)));
  }
  while (server.stats().handshakes < 3) {
  }
  EXPECT_EQ(server.stats().handshakes, 3U);
  // One that comes behind them has its turn when they are gone.
  TlsClient late(server);
  std::thread turn([&] { EXPECT_TRUE(late.handshake()); });
  half.clear();
  turn.join();
  while (server.stats().handshakes > 0) {
  }
}

TEST_F(Tls, HandshakeThatDoesNotEndIsTimedOut) {
  const ThingServer server(setup_);
  HttpClient half("http" + server.url().substr(5));
  ASSERT_TRUE(half.send(std::string_view("\x16\x03\x01", 3)));
  EXPECT_TRUE(half.closed_by_peer());
}

TEST_F(Tls, ConnectionsThatHaveSaidNothingTakeNoHandshake) {
  setup_.http.limits.handshakes_max = 1;
  setup_.http.limits.header_timeout = std::chrono::hours(1);
  const ThingServer server(setup_);
  const TlsClient silent(server);
  TlsClient client(server);
  EXPECT_TRUE(client.handshake());
}

TEST_F(Tls, LargeBodiesPassBothWays) {
  const ThingServer server(setup_);
  TlsClient client(server);
  ASSERT_TRUE(client.handshake());
  const std::string task = thing("large", R"("body":")" + std::string(900'000, 'x') + "\"");
  const std::string added = client.exchange(
      "POST /things HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
      "content-length: " +
      std::to_string(task.size()) + "\r\n\r\n" + task);
  EXPECT_TRUE(added.starts_with("HTTP/1.1 201")) << added.substr(0, 500);
  std::string all = added;
  while (std::count(all.begin(), all.end(), 'x') < 900'000) {
    const std::string more = client.exchange("");
    ASSERT_FALSE(more.empty());
    all += more;
  }
}

TEST_F(Tls, SilentHandshakeIsTimedOut) {
  const ThingServer server(setup_);
  TlsClient client(server);
  EXPECT_TRUE(client.plain().closed_by_peer());
}

}  // namespace
}  // namespace carillon::test
