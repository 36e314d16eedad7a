// Which addresses a push may go to.
//
// A program that posts to URLs from strangers is a door into the network behind it. So each address
// that a name resolves to is judged, the connection is made to exactly the judged address, and the
// judgement is repeated for each new connection.
//
// The rules; the first that fits decides:
//   1. Never a receiver: no address of a host (unspecified, multicast, reserved), the metadata
//      services of clouds, which hand out credentials to whoever asks from inside, and this
//      server's own listeners.
//   2. `deny` names the address or the host: denied.
//   3. The address is link-local: denied, unless `allow` names that address or a block of
//      link-local addresses. A host name or a wider block opens none of them.
//   4. `allow` names the address or the host: allowed.
//   5. `default` is deny: denied.
//   6. `private` is false and the address is private: denied.
//   7. Allowed.
//
// An IPv6 address that carries an IPv4 address (v4-mapped, v4-compatible, v4-translated, NAT64,
// 6to4, Teredo, ISATAP) is judged for both: it is denied if either is.
//
// A denial is final for the task that meets it: its error has the slug `target_denied` and says
// which rule denied it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "net/address.h"

namespace carillon {

class Egress {
 public:
  struct Settings {
    bool allow_private = true;  // loopback, RFC 1918, unique local, carrier-grade NAT
    /// CIDR blocks, addresses or host names (".example.com": and all below it).
    std::vector<std::string> allow;
    std::vector<std::string> deny;    // wins over allow
    std::string otherwise = "allow";  // `egress.default`: allow or deny
  };
  Egress() = default;
  /// Error slug `config`, naming the entry that is none of the three forms.
  [[nodiscard]] static Result<Egress> make(const Settings& settings);

  /// Adds an endpoint that is always denied: our own listeners'. An unspecified address means
  /// every local address with that port.
  void refuse_endpoint(const ip::tcp::endpoint& endpoint);

  /// Whether a host may be resolved at all. It is a DNS name in lower case, without a dot at its
  /// end, or an IP address. Error slug: target_denied, with the rule.
  [[nodiscard]] Result<> check_host(std::string_view host) const;
  /// Whether anything may be sent to `host` and `port`, as far as that is known before `host` is
  /// resolved. Same error.
  [[nodiscard]] Result<> check_unresolved(std::string_view host, std::uint16_t port) const;
  /// Whether a proxy may be asked for `host`, whose addresses only the proxy will know. Same error.
  [[nodiscard]] Result<> check_proxied(std::string_view host, std::uint16_t port) const;
  /// Whether to connect to `endpoint`, an address that `host` resolved to. Same error.
  [[nodiscard]] Result<> check_endpoint(std::string_view host,
                                        const ip::tcp::endpoint& endpoint) const;

 private:
  struct Rules {
    std::vector<ip::network_v4> v4;
    std::vector<ip::network_v6> v6;
    std::vector<std::string> names;
  };
  [[nodiscard]] static Result<> add(Rules& rules, const std::string& entry);
  [[nodiscard]] Result<> check_address(std::string_view host, const ip::address& address) const;

  Rules allow_, deny_;
  bool allow_by_default_ = true;
  bool allow_private_ = true;
  std::vector<ip::tcp::endpoint> own_;
};

}  // namespace carillon
