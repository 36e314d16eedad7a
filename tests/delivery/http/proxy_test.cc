// Pushes that go out by a proxy.

#include <array>
#include <future>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "tests/delivery/http/fixture.h"
#include "tests/net/certificate.h"

namespace carillon {
namespace {

using Kind = PushResult::Kind;
using boost::asio::ip::tcp;

/// A proxy for one tunnel, which leads to a port of this machine whatever is asked for. On a thread
/// of its own.
class TunnelProxy {
 public:
  explicit TunnelProxy(unsigned short leads_to)
      : port_(acceptor_.local_endpoint().port()), thread_([this, leads_to] { serve(leads_to); }) {}
  ~TunnelProxy() {
    for (tcp::socket* socket : {&client_, &receiver_}) {
      boost::system::error_code ignored;
      socket->shutdown(tcp::socket::shutdown_both, ignored);
    }
    thread_.join();
  }
  TunnelProxy(const TunnelProxy&) = delete;
  TunnelProxy& operator=(const TunnelProxy&) = delete;

  [[nodiscard]] unsigned short port() const { return port_; }
  /// What it was asked; waits until it was.
  [[nodiscard]] std::string asked() { return asked_.get_future().get(); }

 private:
  static void copy(tcp::socket& from, tcp::socket& to) {
    std::array<char, 4096> piece;
    boost::system::error_code failed;
    while (!failed) {
      const std::size_t size = from.read_some(boost::asio::buffer(piece), failed);
      if (!failed) boost::asio::write(to, boost::asio::buffer(piece.data(), size), failed);
    }
    to.shutdown(tcp::socket::shutdown_send, failed);
  }

  void serve(unsigned short leads_to) {
    boost::system::error_code failed;
    acceptor_.accept(client_, failed);
    std::string head;
    boost::asio::read_until(client_, boost::asio::dynamic_buffer(head), "\r\n\r\n", failed);
    asked_.set_value(head);
    receiver_.connect({boost::asio::ip::address_v4::loopback(), leads_to}, failed);
    boost::asio::write(client_, boost::asio::buffer(std::string("HTTP/1.1 200 Tunnel\r\n\r\n")),
                       failed);
    std::thread back([this] { copy(receiver_, client_); });
    copy(client_, receiver_);
    back.join();
  }

  boost::asio::io_context io_;
  tcp::acceptor acceptor_{io_, {boost::asio::ip::address_v4::loopback(), 0}};
  tcp::socket client_{io_};
  tcp::socket receiver_{io_};
  std::promise<std::string> asked_;
  unsigned short port_;
  std::thread thread_;
};

class ByProxy : public HttpSinkFixture {
 protected:
  void use_proxy(unsigned short port, const std::string& credentials = "") {
    urls.set_proxy(*make_proxy("http://127.0.0.1:" + std::to_string(port), credentials));
  }
};

TEST_F(ByProxy, AnHttpPushAsksItForTheWholeUrlAndShowsTheCredentials) {
  Receiver proxy(loop);
  use_proxy(proxy.port(), "ann:secret");
  EXPECT_EQ(deliver(settings_for("http://receiver.example/in?a=1")).kind, Kind::delivered);
  ASSERT_EQ(proxy.requests().size(), 1U);
  const ReceivedRequest& request = proxy.requests()[0];
  EXPECT_TRUE(request.head.starts_with("POST http://receiver.example:80/in?a=1 HTTP/1.1\r\n"))
      << request.head;
  EXPECT_EQ(request.header("Host"), "receiver.example");
  EXPECT_EQ(request.header("Proxy-Authorization"), "Basic YW5uOnNlY3JldA==");
}

TEST_F(ByProxy, AnHttpsPushGoesThroughATunnelThatTheProxyCannotLookInto) {
  const test::TempDir dir;
  const CertificateFiles files =
      make_certificate(dir, "receiver", {.subject_alt_name = "DNS:receiver.example"});
  Receiver here(
      loop, [](const ReceivedRequest&) { return Reaction{.bytes = http_answer("200 OK")}; },
      *make_server_tls({files.certificate, files.private_key, ""}));
  TunnelProxy proxy(here.port());
  use_proxy(proxy.port(), "ann:secret");
  TargetSettings settings = settings_for("https://receiver.example/in");
  http_of(settings).tls.ca_file = files.certificate;
  const PushResult result = deliver(settings);
  EXPECT_EQ(result.kind, Kind::delivered) << result.error;
  EXPECT_EQ(proxy.asked(),
            "CONNECT receiver.example:443 HTTP/1.1\r\nHost: receiver.example:443\r\n"
            "Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n\r\n");
  ASSERT_EQ(here.requests().size(), 1U);
  EXPECT_TRUE(here.requests()[0].head.starts_with("POST /in HTTP/1.1\r\n"));
  EXPECT_EQ(here.requests()[0].header("Proxy-Authorization"), "");
}

TEST_F(ByProxy, ARefusedTunnelIsAFailureThatSaysSo) {
  Receiver proxy(loop, [](const ReceivedRequest&) {
    return Reaction{.bytes = http_answer("407 Proxy Authentication Required")};
  });
  use_proxy(proxy.port());
  const PushResult result = deliver(settings_for("https://receiver.example/in"));
  EXPECT_EQ(result.kind, Kind::failed);
  EXPECT_FALSE(result.may_be_seen);
  EXPECT_NE(result.error.find("the proxy opened no tunnel: it answered 407"), std::string::npos)
      << result.error;
}

TEST_F(ByProxy, ThisMachineIsReachedDirectlyAndRulesHoldForNamesAndLiteralAddresses) {
  Receiver proxy(loop);
  Receiver here(loop);
  use_proxy(proxy.port());
  urls.set_egress(
      *Egress::make({.allow_private = false, .allow = {"127.0.0.1"}, .deny = {"denied.example"}}));
  EXPECT_EQ(deliver(settings_for(here.url())).kind, Kind::delivered);
  EXPECT_EQ(here.requests().size(), 1U);
  for (const char* url :
       {"http://denied.example/", "http://10.0.0.1/", "http://169.254.169.254/"}) {
    EXPECT_EQ(deliver(settings_for(url)).kind, Kind::refused_for_good) << url;
  }
  EXPECT_EQ(proxy.requests().size(), 0U);
}

}  // namespace
}  // namespace carillon
