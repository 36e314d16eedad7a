#include "net/address.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace carillon {
namespace {

using Bytes = ip::address_v6::bytes_type;

ip::network_v4 net4(const char* text) {
  return ip::make_network_v4(text);
}
ip::network_v6 net6(const char* text) {
  return ip::make_network_v6(text);
}

template <typename Network, typename Address>
bool in_any(const std::vector<Network>& networks, const std::vector<Address>& addresses) {
  return std::ranges::any_of(addresses, [&](const Address& one) {
    return std::ranges::any_of(networks, [&](const Network& n) { return contains(n, one); });
  });
}

ip::address_v4 v4_at(const Bytes& bytes, std::array<std::size_t, 4> at, unsigned char flip = 0) {
  ip::address_v4::bytes_type out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<unsigned char>(bytes[at[i]] ^ flip);
  }
  return ip::address_v4(out);
}

constexpr std::array<std::size_t, 4> kLast = {12, 13, 14, 15};

bool is_unicast(const ip::address_v4& one) {
  const auto first = one.to_bytes()[0];
  return first != 0 && first < 224;
}

/// In 64:ff9b:1::/48 each network chooses how long its prefix is, which decides where the IPv4
/// address lies (RFC 6052, section 2.2). So each place that holds one is taken for it.
void add_local_nat64(const Bytes& bytes, std::vector<ip::address_v4>& to) {
  constexpr std::array<std::array<std::size_t, 4>, 4> kPlaces = {
      {{6, 7, 9, 10}, {7, 9, 10, 11}, {9, 10, 11, 12}, kLast}};
  for (const auto& place : kPlaces) {
    if (const ip::address_v4 one = v4_at(bytes, place); is_unicast(one)) to.push_back(one);
  }
}

/// 00-00-5e-fe or 02-00-5e-fe before the IPv4 address, under any prefix.
bool is_isatap(const Bytes& bytes) {
  return (bytes[8] & 0xfdU) == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe;
}

}  // namespace

AddressParts parts_of(const ip::address& whole) {
  AddressParts parts;
  if (whole.is_v4()) {
    parts.v4.push_back(whole.to_v4());
    return parts;
  }
  static const std::vector<ip::network_v6> ends_in_v4 = {
      net6("::ffff:0:0/96"), net6("::ffff:0:0:0/96"), net6("64:ff9b::/96"), net6("::/96")};
  static const ip::network_v6 local_nat64 = net6("64:ff9b:1::/48");
  static const ip::network_v6 six_to_four = net6("2002::/16");
  static const ip::network_v6 teredo = net6("2001::/32");
  const ip::address_v6 v6 = whole.to_v6();
  const Bytes bytes = v6.to_bytes();
  parts.v6.push_back(v6);
  if (v6.is_unspecified() || v6.is_loopback()) return parts;
  const auto carries = [&](AddressParts::Carrier how, unsigned short prefix) {
    parts.carrier = how;
    parts.carrier_prefix = prefix;
  };
  using Carrier = AddressParts::Carrier;
  if (in_any(ends_in_v4, parts.v6)) {
    parts.v4.push_back(v4_at(bytes, kLast));
    carries(Carrier::itself, 96);
  } else if (contains(local_nat64, v6)) {
    add_local_nat64(bytes, parts.v4);
    carries(Carrier::relay, 48);
  } else if (contains(six_to_four, v6)) {
    parts.v4.push_back(v4_at(bytes, {2, 3, 4, 5}));
    carries(Carrier::relay, 16);
  } else if (contains(teredo, v6)) {
    parts.v4.push_back(v4_at(bytes, kLast, 0xff));
    const ip::address_v4 server = v4_at(bytes, {4, 5, 6, 7});
    if (is_unicast(server)) parts.v4.push_back(server);
    carries(Carrier::relay, 32);
  } else if (is_isatap(bytes)) {
    parts.v4.push_back(v4_at(bytes, kLast));
    carries(Carrier::tunnel, 96);
  }
  return parts;
}

bool is_no_host(const AddressParts& parts) {
  static const std::vector<ip::network_v4> v4 = {net4("0.0.0.0/8"), net4("224.0.0.0/4"),
                                                 net4("240.0.0.0/4")};
  static const std::vector<ip::network_v6> v6 = {net6("::/128"), net6("ff00::/8")};
  return in_any(v4, parts.v4) || in_any(v6, parts.v6);
}

bool is_metadata(const AddressParts& parts) {
  static const std::vector<ip::network_v4> v4 = {
      net4("169.254.169.0/24"),    // nearly every cloud: .254; GKE: .252; Rancher: .250
      net4("169.254.170.0/24"),    // AWS: credentials of containers (.2) and pods (.23)
      net4("169.254.0.23/32"),     // Tencent
      net4("169.254.42.42/32"),    // Scaleway
      net4("100.80.80.80/32"),     // UCloud
      net4("100.96.0.96/32"),      // Volcengine
      net4("100.100.100.200/32"),  // Alibaba
      net4("168.63.129.16/32"),    // Azure, its WireServer
      net4("192.0.0.192/32"),      // Oracle, the older one
  };
  static const std::vector<ip::network_v6> v6 = {
      net6("fd00:ec2::/32"),           // AWS: ::254 metadata, ::23 credentials of pods
      net6("fd20:ce::254/128"),        // Google
      net6("fd00:c1::a9fe:a9fe/128"),  // Oracle
      net6("fd00:42::42/128"),         // Scaleway
      net6("fd00:a9fe:a9fe::1/128"),   // Linode
      net6("fe80::a9fe:a9fe/128"),     // OpenStack
  };
  return in_any(v4, parts.v4) || in_any(v6, parts.v6);
}

bool is_metadata_name(std::string_view host) {
  constexpr std::array<std::string_view, 7> kNames = {
      "metadata.google.internal", "metadata.goog",
      "metadata.azure.internal",  "instance-data.ec2.internal",
      "metadata.tencentyun.com",  "instance-data",
      "rancher-metadata"};
  return std::ranges::find(kNames, host) != kNames.end();
}

bool is_link_local(const ip::network_v4& network) {
  static const ip::network_v4 block = net4("169.254.0.0/16");
  return network.prefix_length() >= block.prefix_length() && contains(block, network.address());
}

bool is_link_local(const ip::network_v6& network) {
  static const ip::network_v6 block = net6("fe80::/10");
  return network.prefix_length() >= block.prefix_length() && contains(block, network.address());
}

bool is_link_local(const AddressParts& parts) {
  return std::ranges::any_of(
             parts.v4, [](const auto& one) { return is_link_local(ip::network_v4(one, 32)); }) ||
         std::ranges::any_of(
             parts.v6, [](const auto& one) { return is_link_local(ip::network_v6(one, 128)); });
}

bool is_private(const AddressParts& parts) {
  static const std::vector<ip::network_v4> v4 = {
      net4("10.0.0.0/8"),      net4("172.16.0.0/12"), net4("192.168.0.0/16"), net4("127.0.0.0/8"),
      net4("100.64.0.0/10"),   net4("192.0.0.0/24"),  net4("192.0.2.0/24"),   net4("198.18.0.0/15"),
      net4("198.51.100.0/24"), net4("203.0.113.0/24")};
  // Of IPv6 only 2000::/3 is public (RFC 4291, IANA), and what stands for a public IPv4 address.
  static const ip::network_v6 public_v6 = net6("2000::/3");
  static const ip::network_v6 documentation = net6("2001:db8::/32");
  if (in_any(v4, parts.v4)) return true;
  const bool is_v4 = parts.carrier == AddressParts::Carrier::itself;
  return std::ranges::any_of(parts.v6, [&](const ip::address_v6& one) {
    return (!is_v4 && !contains(public_v6, one)) || contains(documentation, one);
  });
}

bool contains(const ip::network_v4& network, const ip::address_v4& one) {
  return ((one.to_uint() ^ network.address().to_uint()) & network.netmask().to_uint()) == 0;
}

bool contains(const ip::network_v6& network, const ip::address_v6& one) {
  const Bytes a = network.address().to_bytes();
  const Bytes b = one.to_bytes();
  const std::size_t bits = network.prefix_length();
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(bits / 8), b.begin())) {
    return false;
  }
  if (bits % 8 == 0) return true;
  const unsigned mask = 0xffU << (8 - bits % 8);
  return ((a[bits / 8] ^ b[bits / 8]) & mask & 0xffU) == 0;
}

}  // namespace carillon
