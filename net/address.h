// What an IP address stands for: which IPv4 addresses an IPv6 address carries, and whether it is a
// host's at all, a cloud's metadata service, link-local or private.
//
// Operation: pure questions about one address; nothing is looked up.
//
// Limitations: a translator with a prefix of its own network (RFC 6052, "network-specific") cannot
// be told from other addresses; where there is one, `egress.deny` has to name its prefix.
#pragma once

#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace carillon {

namespace ip = boost::asio::ip;

/// An address and the IPv4 addresses that traffic to it may end up at.
struct AddressParts {
  /// IPv4; for IPv6 those it carries: v4-mapped, v4-compatible (RFC 4291), v4-translated (RFC
  /// 2765), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380), ISATAP (RFC 5214).
  std::vector<ip::address_v4> v4;
  std::vector<ip::address_v6> v6;  // the address itself, if it is IPv6
  /// How an IPv6 address carries IPv4: not; by being nothing else; through a relay of its own
  /// prefix; or only if there is a tunnel where it is routed to.
  enum class Carrier { none, itself, relay, tunnel };
  Carrier carrier = Carrier::none;
  /// The length of the prefix that says so.
  unsigned short carrier_prefix = 0;
};
[[nodiscard]] AddressParts parts_of(const ip::address& address);

// Each holds if it holds for any part.
/// Unspecified, "this network", multicast, reserved: no host has it.
[[nodiscard]] bool is_no_host(const AddressParts& parts);
/// The metadata and credential services of clouds.
[[nodiscard]] bool is_metadata(const AddressParts& parts);
[[nodiscard]] bool is_link_local(const AddressParts& parts);
/// Not on the public internet: private, shared, local and test networks.
[[nodiscard]] bool is_private(const AddressParts& parts);

[[nodiscard]] bool contains(const ip::network_v4& network, const ip::address_v4& address);
[[nodiscard]] bool contains(const ip::network_v6& network, const ip::address_v6& address);
/// Whether all of `network` is link-local.
[[nodiscard]] bool is_link_local(const ip::network_v4& network);
[[nodiscard]] bool is_link_local(const ip::network_v6& network);

/// A host name by which a cloud's metadata service is known; no address needs to be looked up.
[[nodiscard]] bool is_metadata_name(std::string_view host);

}  // namespace carillon
