#include "http/bind.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <boost/asio/local/stream_protocol.hpp>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

namespace carillon {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Generic = asio::generic::stream_protocol;

// What the kernel holds of each connection in either direction, whatever its peer does (it doubles
// the figure); accepted sockets inherit it. Left to itself it holds megabytes for each client that
// sends and does not read, until the whole machine's TCP is short of memory.
constexpr int kKernelBytes = 128 << 10;

Error cannot(const std::string& where, const std::string& why) {
  return {"config", "cannot listen on " + where + ": " + why, ""};
}

error_code last_error() {
  return {errno, boost::system::system_category()};
}

std::string_view kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "a regular file";
    case S_IFDIR:
      return "a directory";
    case S_IFLNK:
      return "a symbolic link";
    case S_IFIFO:
      return "a named pipe";
    case S_IFCHR:
    case S_IFBLK:
      return "a device";
    default:
      return "a file of an unknown kind";
  }
}

/// Removes the socket that a program left at `path` when it ended. An error where anything else is
/// there.
Result<> make_room(const std::string& path, asio::io_context& loop) {
  const std::string where = "unix:" + path;
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};  // bind says what is wrong, if anything is
  if (!S_ISSOCK(status.st_mode))
    return cannot(where, "the path is " + std::string(kind_of(status.st_mode)) +
                             "; remove it or choose another path");
  const asio::local::stream_protocol::endpoint endpoint(path);
  asio::local::stream_protocol::socket probe(loop);
  error_code ec;
  probe.open({}, ec);
  // A blocking connect would wait while the other program's queue is full.
  if (!ec) probe.native_non_blocking(true, ec);
  if (!ec && ::connect(probe.native_handle(), endpoint.data(),
                       static_cast<socklen_t>(endpoint.size())) != 0)
    ec = last_error();
  if (!ec || ec == asio::error::would_block || ec == asio::error::try_again)
    return cannot(where, "another program listens there");
  if (ec != asio::error::connection_refused) return cannot(where, ec.message());
  if (::unlink(path.c_str()) != 0) return cannot(where, last_error().message());
  return {};
}

/// The group named so, or numbered so.
std::optional<gid_t> find_group(const std::string& name) {
  gid_t number = 0;
  const char* const end = name.data() + name.size();
  if (const auto [rest, ec] = std::from_chars(name.data(), end, number);
      ec == std::errc() && rest == end)
    return number;
  std::vector<char> buffer(std::size_t{64} << 10);
  group entry{};
  group* found = nullptr;
  ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
}

bool is_loopback(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  return address.is_loopback();
}

Result<std::vector<tcp::endpoint>> resolve(asio::io_context& loop, const ListenAddress& address,
                                           const std::string& where) {
  error_code ec;
  tcp::resolver resolver(loop);
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, ec);
  if (ec) return cannot(where, ec.message());
  std::vector<tcp::endpoint> all;
  for (const auto& entry : found) {
    if (std::ranges::find(all, entry.endpoint()) != all.end()) continue;
    if (address.loopback_only && !is_loopback(entry.endpoint().address()))
      return cannot(where, "other machines can reach " + entry.endpoint().address().to_string() +
                               ", and no token is set");
    all.push_back(entry.endpoint());
  }
  return all;
}

/// The machine has no such address, as where IPv6 is switched off and `localhost` has ::1.
bool is_not_here(const error_code& ec) {
  return ec == boost::system::errc::address_not_available ||
         ec == boost::system::errc::address_family_not_supported;
}

/// One try of bind_endpoints. `port_is_taken`: the port that was free at the first is not at
/// another.
Result<std::vector<BoundSocket>> bind_each(asio::io_context& loop, const std::string& where,
                                           const std::vector<tcp::endpoint>& endpoints,
                                           bool& port_is_taken) {
  std::vector<BoundSocket> bound;
  std::vector<std::string> absent;
  port_is_taken = false;
  for (tcp::endpoint at : endpoints) {
    const bool any_port = at.port() == 0;
    if (any_port && !bound.empty()) at.port(bound.front().endpoint->port());
    BoundSocket socket(loop);
    const error_code ec = socket.bind_tcp(at);
    if (is_not_here(ec) && endpoints.size() > 1) {
      absent.push_back(at.address().to_string());
      continue;
    }
    port_is_taken = any_port && !bound.empty() && ec == asio::error::address_in_use;
    if (ec) return cannot(where, at.address().to_string() + ": " + ec.message());
    bound.push_back(std::move(socket));
  }
  if (bound.empty()) return cannot(where, "this machine has none of its addresses");
  for (const std::string& address : absent)
    log_warning("not listening on an address that this machine does not have",
                {{"address", address}, {"of", where}});
  return bound;
}

}  // namespace

void BoundSocket::close() {
  if (!acceptor.is_open()) return;
  error_code ignored;
  acceptor.close(ignored);
  struct stat status{};
  if (!unix_path.empty() && ::lstat(unix_path.c_str(), &status) == 0 &&
      status.st_dev == file_device_ && status.st_ino == file_number_)
    ::unlink(unix_path.c_str());
}

Result<> BoundSocket::bind_unix(const ListenAddress& address) {
  const std::string where = "unix:" + address.unix_path;
  constexpr std::size_t kPathMax = 107;  // sockaddr_un
  if (address.unix_path.size() > kPathMax) return cannot(where, "the path is too long");
  error_code ec;
  acceptor.open(Generic(AF_UNIX, 0), ec);
  if (!ec) acceptor.bind(asio::local::stream_protocol::endpoint(address.unix_path), ec);
  if (ec) return cannot(where, ec.message());
  struct stat status{};
  if (::lstat(address.unix_path.c_str(), &status) != 0)
    return cannot(where, last_error().message());
  unix_path = address.unix_path;
  file_device_ = status.st_dev;
  file_number_ = status.st_ino;
  // Nobody can connect before it listens, so nobody comes in under the mode that it was made with.
  if (const Result<> opened = open_to_others(address); !opened) return opened.error();
  acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) return cannot(where, ec.message());
  return {};
}

Result<> BoundSocket::open_to_others(const ListenAddress& address) const {
  const std::string where = "unix:" + unix_path;
  if (!address.unix_group.empty()) {
    const auto group = find_group(address.unix_group);
    if (!group) return cannot(where, "there is no group \"" + address.unix_group + "\"");
    if (::chown(unix_path.c_str(), static_cast<uid_t>(-1), *group) != 0)
      return cannot(where, "the group \"" + address.unix_group +
                               "\" cannot be set: " + last_error().message());
  }
  if (::chmod(unix_path.c_str(), address.unix_mode) != 0)
    return cannot(where, "the mode cannot be set: " + last_error().message());
  return {};
}

error_code BoundSocket::bind_tcp(const tcp::endpoint& at) {
  error_code ec;
  acceptor.open(Generic(at.protocol()), ec);
  if (!ec) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec) acceptor.set_option(asio::socket_base::receive_buffer_size(kKernelBytes), ec);
  if (!ec) acceptor.set_option(asio::socket_base::send_buffer_size(kKernelBytes), ec);
  if (!ec) acceptor.bind(at, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) return ec;
  // The port that was chosen, where any would do.
  const Generic::endpoint bound = acceptor.local_endpoint(ec);
  if (ec) return ec;
  endpoint.emplace();
  endpoint->resize(bound.size());
  std::memcpy(endpoint->data(), bound.data(), bound.size());
  return {};
}

Result<std::vector<BoundSocket>> bind_endpoints(asio::io_context& loop, const std::string& where,
                                                const std::vector<tcp::endpoint>& endpoints) {
  constexpr int kPortsTried = 20;
  for (int tried = 1;; ++tried) {
    bool port_is_taken = false;
    auto bound = bind_each(loop, where, endpoints, port_is_taken);
    if (bound || !port_is_taken || tried == kPortsTried) return bound;
  }
}

Result<std::vector<BoundSocket>> bind_all(asio::io_context& loop, const ListenAddress& address) {
  if (!address.unix_path.empty()) {
    if (const Result<> free = make_room(address.unix_path, loop); !free) return free.error();
    std::vector<BoundSocket> bound;
    bound.emplace_back(loop);
    if (const Result<> done = bound.front().bind_unix(address); !done) return done.error();
    return bound;
  }
  const std::string host =
      address.host.find(':') == std::string::npos ? address.host : "[" + address.host + "]";
  const std::string where = host + ":" + std::to_string(address.port);
  const auto endpoints = resolve(loop, address, where);
  if (!endpoints) return endpoints.error();
  return bind_endpoints(loop, where, *endpoints);
}

}  // namespace carillon
