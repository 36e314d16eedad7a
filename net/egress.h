// Which addresses a push may go to.
//
// A program that posts to URLs from strangers is a door into the network behind it. So each address
// that a name resolves to is judged, the connection is made to exactly the judged address, and the
// judgement is repeated for each new connection. Link-local addresses and the clouds' metadata
// services are refused whatever the settings say. An address inside another (v4-mapped, NAT64,
// 6to4, Teredo) is taken out first.
//
// The rules, the first that fits deciding: always refused; `deny` has the address or the name:
// refused; `allow` has it: allowed, private or not; `allow` is not empty: refused; private while
// `allow_private` is false: refused; else allowed.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"

namespace carillon {

class Egress {
 public:
  struct Settings {
    bool allow_private = true;  // loopback, RFC 1918, unique local, carrier-grade NAT
    std::vector<std::string>
        allow;  // CIDR blocks, addresses or host names (".example.com": and below)
    std::vector<std::string> deny;  // wins over allow
  };
  Egress() = default;
  /// Error slug `config`, naming the entry that is none of the three forms.
  [[nodiscard]] static Result<Egress> make(const Settings& settings);

  /// Adds an endpoint that is always refused: our own listeners'. An unspecified address means
  /// every local address with that port.
  void refuse_endpoint(const boost::asio::ip::tcp::endpoint& endpoint);

  /// Whether a host may be resolved at all. Error slug: target_denied, with the rule that refused
  /// it.
  [[nodiscard]] Result<> check_host(std::string_view host) const;
  /// Whether to connect to `endpoint`, an address that `host` resolved to. Same error.
  [[nodiscard]] Result<> check_endpoint(std::string_view host,
                                        const boost::asio::ip::tcp::endpoint& endpoint) const;

 private:
  struct Rules {
    std::vector<boost::asio::ip::network_v4> v4;
    std::vector<boost::asio::ip::network_v6> v6;
    std::vector<std::string> names;
  };
  Result<> check_address(std::string_view host, const boost::asio::ip::address& original) const;

  Rules allow_, deny_;
  bool allow_private_ = true;
  std::vector<boost::asio::ip::tcp::endpoint> own_;
};

}  // namespace carillon
