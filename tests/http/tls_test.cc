#include "net/tls.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>

#include "tests/http/test_server.h"
#include "tests/net/certificate.h"

namespace carillon::test {
namespace {

/// A blocking TLS client over the sockets of HttpClient.
class TlsClient {
 public:
  explicit TlsClient(const TestServer& server, int version_max = TLS1_3_VERSION)
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
    SSL_write(ssl_, request.data(), static_cast<int>(request.size()));
    char bytes[4096];
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
    const auto context = make_server_tls({files.certificate, files.private_key, ""});
    EXPECT_TRUE(context);
    setup_.listen.tls = *context;
    setup_.http.limits.header_timeout = std::chrono::milliseconds(200);
  }
  TempDir dir_;
  ServerSetup setup_;
};

TEST_F(Tls, RequestsAreAnsweredAndKeptAlive) {
  const TestServer server(setup_);
  EXPECT_TRUE(server.url().starts_with("https://"));
  TlsClient client(server);
  ASSERT_TRUE(client.handshake());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client.exchange("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    .starts_with("HTTP/1.1 200"));
  }
  const std::string last =
      client.exchange("GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
  EXPECT_NE(last.find("connection: close"), std::string::npos);
  EXPECT_EQ(client.exchange(""), "");
}

TEST_F(Tls, OldVersionsAndPlainTextAreRefused) {
  const TestServer server(setup_);
  EXPECT_FALSE(TlsClient(server, TLS1_1_VERSION).handshake());
  HttpClient plain("http" + server.url().substr(5));
  ASSERT_TRUE(plain.send("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"));
  EXPECT_TRUE(plain.closed_by_peer());
}

TEST_F(Tls, SilentHandshakeIsTimedOut) {
  const TestServer server(setup_);
  TlsClient client(server);
  EXPECT_TRUE(client.plain().closed_by_peer());
}

}  // namespace
}  // namespace carillon::test
