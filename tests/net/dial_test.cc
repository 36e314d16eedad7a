// Dialling: what is taken for a connection and what is not. The ways through several addresses are
// shown by the tests of the sinks that dial.

#include "net/dial.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

using boost::asio::ip::tcp;

/// A port of this machine at which nobody listens, of those that the kernel gives to clients first:
/// the even ones.
std::uint16_t port_for_clients(boost::asio::io_context& loop) {
  constexpr unsigned kFirst = 40'000;
  for (unsigned port = kFirst; port < kFirst + 10'000; port += 2) {
    tcp::acceptor probe(loop);
    boost::system::error_code failed;
    probe.open(tcp::v4());
    probe.bind({boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)}, failed);
    if (!failed) return static_cast<std::uint16_t>(port);
  }
  return 0;
}

TEST(Dial, ASocketThatIsConnectedWithItselfIsNoConnection) {
  boost::asio::io_context loop{1};
  Deadlines next(loop, Millis(250));
  Deadlines each(loop, Millis(5000));
  const std::uint16_t port = port_for_clients(loop);
  ASSERT_NE(port, 0);
  // The kernel gives each dial another port of ours, and one of them is that very port.
  constexpr int kPortsForClients = 28'232;
  int connected = 0;
  int refused = 0;
  for (int i = 0; i < kPortsForClients; ++i) {
    const auto dial = std::make_shared<Dial>(
        loop, std::vector<tcp::endpoint>{{boost::asio::ip::address_v4::loopback(), port}}, next,
        each, [&](bool ok) { ++(ok ? connected : refused); });
    dial->start();
    loop.restart();
    loop.poll();
    while (connected + refused <= i) loop.run_one();
  }
  EXPECT_EQ(connected, 0);
  EXPECT_EQ(refused, kPortsForClients);
}

}  // namespace
}  // namespace carillon
