// Makes the listening sockets of one address.
//
// Operation: a host name is listened on at every address that it has on this machine, all with the
// same port. A unix socket takes the place of one that a program left behind when it ended; nothing
// else at its path is touched.
//
// Limitations: names are resolved here, once, and that blocks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "net/tls.h"

namespace carillon {

/// Where to listen.
struct ListenAddress {
  std::string unix_path = {};  // empty: TCP

  // Of a unix socket: who may connect.
  unsigned unix_mode = 0700;
  std::string unix_group = {};  // a name or a number; empty: the process's own

  // Of TCP.
  std::string host = {};                      // an address, or a name: each of its addresses
  std::uint16_t port = 0;                     // 0: any free one
  std::shared_ptr<WatchedTls> tls = nullptr;  // empty: plain
  /// Refuse to listen where other machines can connect.
  bool loopback_only = false;

  /// Its requests come in at Door::probes.
  bool probes_only = false;
};

/// A socket that listens. A unix socket's file goes with it, unless another has taken its place.
class BoundSocket {
 public:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

  explicit BoundSocket(boost::asio::io_context& loop) : acceptor(loop) {}
  BoundSocket(BoundSocket&&) = default;
  BoundSocket& operator=(BoundSocket&&) = delete;
  ~BoundSocket() { close(); }

  void close();

  Acceptor acceptor;
  std::optional<boost::asio::ip::tcp::endpoint> endpoint;  // of TCP
  std::string unix_path;

  /// Binds to `path` and listens. Errors as of `bind_all`.
  [[nodiscard]] Result<> bind_unix(const ListenAddress& address);
  /// Binds to `at` and listens; the error is the system's.
  [[nodiscard]] boost::system::error_code bind_tcp(const boost::asio::ip::tcp::endpoint& at);

 private:
  [[nodiscard]] Result<> open_to_others(const ListenAddress& address) const;

  // Which file `unix_path` was when it was made.
  std::uint64_t file_device_ = 0;
  std::uint64_t file_number_ = 0;
};

/// Binds to each of `endpoints` that this machine has, which must be one at least; where their port
/// is 0, all get the same. `where` names them in messages. Error slug: config.
[[nodiscard]] Result<std::vector<BoundSocket>> bind_endpoints(
    boost::asio::io_context& loop, const std::string& where,
    const std::vector<boost::asio::ip::tcp::endpoint>& endpoints);

/// At least one. Error slug `config`: the address, and the reason.
[[nodiscard]] Result<std::vector<BoundSocket>> bind_all(boost::asio::io_context& loop,
                                                        const ListenAddress& address);

}  // namespace carillon
