#include "tests/storage/jetstream/proxy.h"

#include <array>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

namespace carillon::test {

namespace {

constexpr int kNobody = -1;  // whom poll does not look at

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool is_readable(int socket) {
  pollfd one{socket, POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

/// Carries what there is from one to the other, or drops it. False: `from` has left.
bool carry_over(int from, int to, bool lose) {
  if (!is_readable(from)) return true;
  std::array<char, 64 << 10> bytes{};
  const ssize_t size = ::recv(from, bytes.data(), bytes.size(), 0);
  if (size <= 0) return false;
  for (ssize_t sent = 0; !lose && sent < size;) {
    const ssize_t more =
        ::send(to, bytes.data() + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
    if (more <= 0) return false;
    sent += more;
  }
  return true;
}

}  // namespace

Proxy::Proxy(std::uint16_t server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  CARILLON_CHECK(::bind(listener_, generic, size) == 0);
  CARILLON_CHECK(::getsockname(listener_, generic, &size) == 0);
  CARILLON_CHECK(::listen(listener_, 16) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Proxy::~Proxy() {
  stopping_ = true;
  thread_.join();
  for (const Pair& pair : pairs_) {
    ::close(pair.client);
    ::close(pair.server);
  }
  ::close(listener_);
}

void Proxy::run() {
  while (!stopping_) {
    std::vector<pollfd> all{{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      all.push_back({holding_client_ ? kNobody : pair.client, POLLIN, 0});
      all.push_back({holding_server_ ? kNobody : pair.server, POLLIN, 0});
    }
    ::poll(all.data(), all.size(), 50);
    std::erase_if(pairs_, [this](const Pair& pair) {
      if (carry(pair)) return false;
      ::close(pair.client);
      ::close(pair.server);
      return true;
    });
    if (is_readable(listener_)) accept_one();
  }
}

void Proxy::accept_one() {
  Pair pair;
  pair.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  pair.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(server_port_);
  if (::connect(pair.server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(pair.client);
    ::close(pair.server);
    return;
  }
  pairs_.push_back(pair);
}

bool Proxy::carry(const Pair& pair) const {
  return (holding_client_ || carry_over(pair.client, pair.server, false)) &&
         (holding_server_ || carry_over(pair.server, pair.client, losing_));
}

}  // namespace carillon::test
