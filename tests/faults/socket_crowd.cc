#include "tests/faults/socket_crowd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace carillon::test {
namespace {

constexpr std::size_t kHeadKept = 64;

sockaddr_in address_of(const Carillond& server) {
  const std::string& url = server.url();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

std::size_t sockets_at_most(std::size_t wanted) {
  constexpr rlim_t kOtherFiles = 500;
  rlimit limit{};
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  return std::min<std::size_t>(wanted, limit.rlim_max - kOtherFiles);
}

SocketCrowd::SocketCrowd(const Carillond& server, std::size_t count, int kernel_bytes) {
  const sockaddr_in address = address_of(server);
  members_.resize(count);
  for (Member& member : members_) {
    member.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (const int buffer : {SO_RCVBUF, SO_SNDBUF}) {
      if (kernel_bytes == 0) break;
      ::setsockopt(member.socket, SOL_SOCKET, buffer, &kernel_bytes, sizeof kernel_bytes);
    }
    const int connected =
        ::connect(member.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    EXPECT_EQ(connected, 0) << std::strerror(errno);
    if (connected != 0) return;
  }
}

SocketCrowd::~SocketCrowd() {
  for (const Member& member : members_) ::close(member.socket);
}

std::size_t SocketCrowd::send(std::string_view bytes) {
  std::size_t all = 0;
  for (Member& member : members_) {
    if (member.closed) continue;
    const ssize_t sent =
        ::send(member.socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) all += static_cast<std::size_t>(sent);
    member.closed = sent < 0 && errno != EAGAIN;
  }
  return all;
}

void SocketCrowd::receive(std::size_t bytes_each) {
  std::array<char, 16384> piece;
  for (Member& member : members_) {
    if (member.closed && member.head.size() == kHeadKept) continue;
    const ssize_t got =
        ::recv(member.socket, piece.data(), std::min(piece.size(), bytes_each), MSG_DONTWAIT);
    if (got > 0) {
      member.head.append(piece.data(),
                         std::min(static_cast<std::size_t>(got), kHeadKept - member.head.size()));
    }
    if (got == 0 || (got < 0 && errno != EAGAIN)) member.closed = true;
  }
}

std::size_t SocketCrowd::closed() const {
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(), [](const Member& m) { return m.closed; }));
}

std::size_t SocketCrowd::answered(int status) const {
  const std::string line = "HTTP/1.1 " + std::to_string(status);
  return static_cast<std::size_t>(std::count_if(
      members_.begin(), members_.end(), [&](const Member& m) { return m.head.starts_with(line); }));
}

void SocketCrowd::vanish() {
  // A socket under repair is closed without a FIN or a reset (tcp(7) knows it not, criu does).
  const int on = 1;
  for (Member& member : members_) {
    EXPECT_EQ(::setsockopt(member.socket, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on), 0)
        << "needs CAP_NET_ADMIN: " << std::strerror(errno);
    ::close(member.socket);
  }
  members_.clear();
}

}  // namespace carillon::test
