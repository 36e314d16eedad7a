#include "net/egress.h"

#include <algorithm>
#include <memory>

#include <ifaddrs.h>
#include <netinet/in.h>

namespace carillon {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;
using boost::asio::ip::network_v4;
using boost::asio::ip::network_v6;
using boost::asio::ip::tcp;

network_v4 net4(const char* text) {
  return boost::asio::ip::make_network_v4(text);
}
network_v6 net6(const char* text) {
  return boost::asio::ip::make_network_v6(text);
}

bool contains(const network_v4& network, const address_v4& one) {
  return ((one.to_uint() ^ network.address().to_uint()) & network.netmask().to_uint()) == 0;
}

bool contains(const network_v6& network, const address_v6& one) {
  const address_v6::bytes_type a = network.address().to_bytes();
  const address_v6::bytes_type b = one.to_bytes();
  const std::size_t bits = network.prefix_length();
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(bits / 8), b.begin())) {
    return false;
  }
  if (bits % 8 == 0) return true;
  const unsigned mask = 0xffU << (8 - bits % 8);
  return ((a[bits / 8] ^ b[bits / 8]) & mask & 0xffU) == 0;
}

template <typename Network, typename Address>
bool in_any(const std::vector<Network>& networks, const Address& one) {
  return std::ranges::any_of(networks, [&](const Network& n) { return contains(n, one); });
}

address_v4 v4_at(const address_v6::bytes_type& bytes, std::size_t at, unsigned char flip = 0) {
  address_v4::bytes_type out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<unsigned char>(bytes[at + i] ^ flip);
  }
  return address_v4(out);
}

/// The IPv4 address that an IPv6 one stands for, where traffic to it ends up there: v4-mapped and
/// v4-compatible (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056) and Teredo (RFC 4380).
address unwrap(const address& one) {
  if (one.is_v4()) return one;
  static const network_v6 nat64 = net6("64:ff9b::/96");
  static const network_v6 compatible = net6("::/96");
  static const network_v6 six_to_four = net6("2002::/16");
  static const network_v6 teredo = net6("2001::/32");
  const address_v6 v6 = one.to_v6();
  const address_v6::bytes_type bytes = v6.to_bytes();
  if (v6.is_v4_mapped() || contains(nat64, v6)) return v4_at(bytes, 12);
  if (contains(six_to_four, v6)) return v4_at(bytes, 2);
  if (contains(teredo, v6)) return v4_at(bytes, 12, 0xff);
  if (contains(compatible, v6) && !v6.is_unspecified() && !v6.is_loopback()) {
    return v4_at(bytes, 12);
  }
  return one;
}

/// Never a receiver, whatever the settings say: no host of its own ("this host", multicast,
/// reserved), the link, and the clouds' metadata services, which hand out credentials to whoever
/// asks from inside.
bool always_refused(const address& one) {
  static const std::vector<network_v4> v4 = {net4("0.0.0.0/8"),       net4("169.254.0.0/16"),
                                             net4("224.0.0.0/4"),     net4("240.0.0.0/4"),
                                             net4("192.0.0.192/32"),  net4("100.100.100.200/32"),
                                             net4("168.63.129.16/32")};
  static const std::vector<network_v6> v6 = {net6("::/128"), net6("fe80::/10"), net6("ff00::/8"),
                                             net6("fd00:ec2::254/128"), net6("fd20:ce::254/128")};
  return one.is_v4() ? in_any(v4, one.to_v4()) : in_any(v6, one.to_v6());
}

/// Not on the public internet: private, shared, local and test networks. Of IPv6 only 2000::/3 is
/// public (RFC 4291, IANA).
bool is_private(const address& one) {
  static const std::vector<network_v4> v4 = {
      net4("10.0.0.0/8"),      net4("172.16.0.0/12"), net4("192.168.0.0/16"), net4("127.0.0.0/8"),
      net4("100.64.0.0/10"),   net4("192.0.0.0/24"),  net4("192.0.2.0/24"),   net4("198.18.0.0/15"),
      net4("198.51.100.0/24"), net4("203.0.113.0/24")};
  static const network_v6 public_v6 = net6("2000::/3");
  static const network_v6 documentation = net6("2001:db8::/32");
  if (one.is_v4()) return in_any(v4, one.to_v4());
  return !contains(public_v6, one.to_v6()) || contains(documentation, one.to_v6());
}

/// ".example.com" matches example.com and all below it; "example.com" only itself.
bool name_matches(std::string_view rule, std::string_view host) {
  if (!rule.starts_with('.')) return rule == host;
  return host == rule.substr(1) || host.ends_with(rule);
}

bool any_name_matches(const std::vector<std::string>& rules, std::string_view host) {
  return std::ranges::any_of(rules, [&](const auto& rule) { return name_matches(rule, host); });
}

bool is_local_name(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

bool is_rule_name(std::string_view text) {
  if (text.starts_with('.')) text.remove_prefix(1);
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  }) && std::ranges::any_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
}

/// Whether this machine has `one` as an address of its own. Looked up each time, since interfaces
/// come and go; it is asked only for a port that is ours.
bool is_own_address(const address& one) {
  if (one.is_loopback()) return true;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return true;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(first, freeifaddrs);
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    if (at->ifa_addr->sa_family == AF_INET && one.is_v4()) {
      const auto* in = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
      if (address_v4(ntohl(in->sin_addr.s_addr)) == one.to_v4()) return true;
    } else if (at->ifa_addr->sa_family == AF_INET6 && one.is_v6()) {
      address_v6::bytes_type bytes;
      const auto* in = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr);
      std::copy_n(in->sin6_addr.s6_addr, bytes.size(), bytes.begin());
      if (address_v6(bytes) == address_v6(one.to_v6().to_bytes())) return true;
    }
  }
  return false;
}

Error denied(std::string_view host, const std::string& rule) {
  return {.slug = "target_denied",
          .detail = "pushes to " + std::string(host) + " are not allowed: " + rule,
          .field = {}};
}

}  // namespace

Result<Egress> Egress::make(const Settings& settings) {
  Egress egress;
  egress.allow_private_ = settings.allow_private;
  const auto add = [](Rules& rules, const std::string& entry) -> Result<> {
    std::string text = entry;
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    boost::system::error_code error;
    if (const address one = boost::asio::ip::make_address(text, error); !error) {
      text += one.is_v4() ? "/32" : "/128";
    }
    // Asio reads the length with atoi, to which 4294967296 is 0.
    const bool readable = text.size() - std::min(text.find('/'), text.size()) <= 4;
    if (const network_v4 v4 = boost::asio::ip::make_network_v4(text, error); !error && readable) {
      rules.v4.push_back(v4);
    } else if (const network_v6 v6 = boost::asio::ip::make_network_v6(text, error);
               !error && readable) {
      rules.v6.push_back(v6);
    } else if (is_rule_name(text)) {
      rules.names.push_back(text);
    } else {
      return Error{.slug = "config",
                   .detail = "\"" + entry + "\" is no CIDR block, address or host name",
                   .field = {}};
    }
    return {};
  };
  for (const std::string& entry : settings.allow) {
    if (Result<> ok = add(egress.allow_, entry); !ok)
      return std::move(ok.error()).in("egress.allow");
  }
  for (const std::string& entry : settings.deny) {
    if (Result<> ok = add(egress.deny_, entry); !ok) return std::move(ok.error()).in("egress.deny");
  }
  return egress;
}

void Egress::refuse_endpoint(const tcp::endpoint& endpoint) {
  own_.push_back(endpoint);
}

Result<> Egress::check_host(std::string_view host) const {
  boost::system::error_code error;
  const address literal = boost::asio::ip::make_address(std::string(host), error);
  if (!error) return check_address(host, literal);
  if (any_name_matches(deny_.names, host)) return denied(host, "egress.deny names it");
  if (any_name_matches(allow_.names, host)) return {};
  if (!allow_.names.empty() && allow_.v4.empty() && allow_.v6.empty()) {
    return denied(host, "egress.allow does not name it");
  }
  if (!allow_private_ && allow_.v4.empty() && allow_.v6.empty() && is_local_name(host)) {
    return denied(host, "it is this machine, and egress.private is false");
  }
  return {};
}

Result<> Egress::check_address(std::string_view host, const address& original) const {
  const address one = unwrap(original);
  const auto in = [&](const Rules& rules) {
    return (one.is_v4() && in_any(rules.v4, one.to_v4())) ||
           (original.is_v6() && in_any(rules.v6, original.to_v6()));
  };
  const std::string shown = original.to_string() == host
                                ? std::string(host)
                                : std::string(host) + " (" + original.to_string() + ")";
  if (always_refused(one)) {
    return denied(shown, "link-local, metadata and unspecified addresses never are");
  }
  if (in(deny_) || any_name_matches(deny_.names, host)) return denied(shown, "egress.deny has it");
  if (any_name_matches(allow_.names, host) || in(allow_)) return {};
  if (!allow_.names.empty() || !allow_.v4.empty() || !allow_.v6.empty()) {
    return denied(shown, "egress.allow does not have it");
  }
  if (!allow_private_ && is_private(one)) {
    return denied(shown, "it is a private address, and egress.private is false");
  }
  return {};
}

Result<> Egress::check_endpoint(std::string_view host, const tcp::endpoint& endpoint) const {
  const address one = unwrap(endpoint.address());
  for (const tcp::endpoint& own : own_) {
    if (own.port() != endpoint.port()) continue;
    if (own.address().is_unspecified() ? is_own_address(one) : unwrap(own.address()) == one) {
      return denied(host, "it is where this server itself listens");
    }
  }
  return check_address(host, endpoint.address());
}

}  // namespace carillon
