#include "tools/load/address.h"

#include <cerrno>
#include <cstring>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

namespace carillon::load {
namespace {

Result<Address> unix_address(const std::string& path) {
  Address address;
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  if (path.size() >= sizeof local.sun_path) {
    return Error{"unreachable", "the path of the unix socket is too long", ""};
  }
  std::memcpy(local.sun_path, path.data(), path.size());
  std::memcpy(&address.bytes, &local, sizeof local);
  address.size = sizeof local;
  return address;
}

}  // namespace

Result<Address> resolve(const client::Endpoint& server) {
  if (server.tls) return Error{"bad_server", "the load generator speaks plain http only", ""};
  if (!server.unix_path.empty()) return unix_address(server.unix_path);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(server.host.c_str(), server.port.c_str(), &hints, &found);
  if (code != 0) {
    return Error{"unreachable", "resolve " + server.host + ": " + ::gai_strerror(code), ""};
  }
  Address address;
  std::memcpy(&address.bytes, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return address;
}

int connect_socket(const Address& server, bool blocking) {
  const int family = server.bytes.ss_family;
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);
  if (fd < 0) return -1;
  if (family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const auto* address = reinterpret_cast<const sockaddr*>(&server.bytes);
  if (::connect(fd, address, server.size) == 0 || errno == EINPROGRESS) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

}  // namespace carillon::load
