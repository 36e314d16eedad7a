#include "net/egress.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <ifaddrs.h>
#include <netinet/in.h>

#include "base/text.h"
#include "net/address.h"

namespace carillon {
namespace {

/// `host` as an address; nothing where it is a name.
std::optional<ip::address> literal_of(std::string_view host) {
  boost::system::error_code error;
  const ip::address literal = ip::make_address(std::string(host), error);
  return error ? std::nullopt : std::optional(literal);
}

/// ".example.com" matches example.com and all below it; "example.com" only itself.
bool name_matches(std::string_view rule, std::string_view host) {
  if (!rule.starts_with('.')) return rule == host;
  return host == rule.substr(1) || host.ends_with(rule);
}

/// The first of `rules` that has `host`; empty: none.
std::string_view matching_name(const std::vector<std::string>& rules, std::string_view host) {
  const auto found =
      std::ranges::find_if(rules, [&](const auto& rule) { return name_matches(rule, host); });
  return found == rules.end() ? std::string_view() : std::string_view(*found);
}

template <typename Network, typename Address>
const Network* matching_block(const std::vector<Network>& blocks, const Address& one) {
  const auto found =
      std::ranges::find_if(blocks, [&](const Network& block) { return contains(block, one); });
  return found == blocks.end() ? nullptr : &*found;
}

/// "10.0.0.0/8"; without the length where the block is one address.
template <typename Network>
std::string block_text(const Network& block) {
  return block.is_host() ? block.address().to_string() : block.to_string();
}

/// The first block of `v4` or `v6` that has any part of an address; empty: none.
std::string block_with_any(const std::vector<ip::network_v4>& v4,
                           const std::vector<ip::network_v6>& v6, const AddressParts& parts) {
  for (const ip::address_v4& one : parts.v4) {
    if (const ip::network_v4* block = matching_block(v4, one)) return block_text(*block);
  }
  for (const ip::address_v6& one : parts.v6) {
    if (const ip::network_v6* block = matching_block(v6, one)) return block_text(*block);
  }
  return {};
}

/// Whether one of `blocks` has `one` and means it: what is special (link-local, a carrier of IPv4)
/// is meant by a block of such addresses, not by a wider one that has them among others.
template <typename Network, typename Address>
bool block_means(const std::vector<Network>& blocks, const Address& one, bool link_local,
                 unsigned short prefix_min = 0) {
  return std::ranges::any_of(blocks, [&](const Network& block) {
    return contains(block, one) && block.prefix_length() >= prefix_min &&
           (!link_local || is_link_local(block));
  });
}

/// Whether `v4` and `v6`, as exceptions, let an address through.
bool blocks_open(const std::vector<ip::network_v4>& v4, const std::vector<ip::network_v6>& v6,
                 const AddressParts& parts, bool link_local) {
  const bool as_v6 = std::ranges::any_of(parts.v6, [&](const ip::address_v6& one) {
    return block_means(v6, one, link_local, parts.carrier_prefix);
  });
  if (as_v6) return true;
  if (parts.v4.empty() || parts.carrier == AddressParts::Carrier::tunnel) return false;
  return std::ranges::all_of(
      parts.v4, [&](const ip::address_v4& one) { return block_means(v4, one, link_local); });
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
bool is_own_address(const ip::address& one) {
  if (one.is_loopback()) return true;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return true;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(first, freeifaddrs);
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    if (at->ifa_addr->sa_family == AF_INET && one.is_v4()) {
      const auto* in = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
      if (ip::address_v4(ntohl(in->sin_addr.s_addr)) == one.to_v4()) return true;
    } else if (at->ifa_addr->sa_family == AF_INET6 && one.is_v6()) {
      ip::address_v6::bytes_type bytes;
      const auto* in = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr);
      std::copy_n(in->sin6_addr.s6_addr, bytes.size(), bytes.begin());
      if (ip::address_v6(bytes) == ip::address_v6(one.to_v6().to_bytes())) return true;
    }
  }
  return false;
}

/// Whether a connection to `address` ends at a listener that is bound to `own`.
bool is_own(const ip::address& own, const ip::address& to) {
  const AddressParts parts = parts_of(to);
  const auto same = [&](const ip::address& one) {
    return own.is_unspecified() ? is_own_address(one) : own == one;
  };
  return std::ranges::any_of(parts.v4, same) || std::ranges::any_of(parts.v6, same);
}

Error denied(std::string_view host, const std::string& rule) {
  return {.slug = "target_denied",
          .detail = "Pushes to " + std::string(host) + " are denied: " + rule,
          .field = {}};
}

}  // namespace

Result<> Egress::add(Rules& rules, const std::string& entry) {
  std::string text = lower_case(entry);
  boost::system::error_code error;
  if (const ip::address one = ip::make_address(text, error); !error) {
    text += one.is_v4() ? "/32" : "/128";
  }
  // Asio reads the length with atoi, to which 4294967296 is 0.
  const bool readable = text.size() - std::min(text.find('/'), text.size()) <= 4;
  if (const ip::network_v4 v4 = ip::make_network_v4(text, error); !error && readable) {
    rules.v4.push_back(v4);
  } else if (const ip::network_v6 v6 = ip::make_network_v6(text, error); !error && readable) {
    rules.v6.push_back(v6);
  } else if (is_rule_name(text)) {
    if (text.size() > 1 && text.ends_with('.')) text.pop_back();
    rules.names.push_back(text);
  } else {
    return Error{.slug = "config",
                 .detail = "\"" + entry + "\" is no CIDR block, address or host name",
                 .field = {}};
  }
  return {};
}

Result<Egress> Egress::make(const Settings& settings) {
  Egress egress;
  egress.allow_by_default_ = settings.otherwise == "allow";
  egress.allow_private_ = settings.allow_private;
  for (const std::string& entry : settings.allow) {
    if (Result<> ok = add(egress.allow_, entry); !ok)
      return std::move(ok.error()).in("egress.allow");
  }
  for (const std::string& entry : settings.deny) {
    if (Result<> ok = add(egress.deny_, entry); !ok) return std::move(ok.error()).in("egress.deny");
  }
  return egress;
}

void Egress::refuse_endpoint(const ip::tcp::endpoint& endpoint) {
  own_.push_back(endpoint);
}

Result<> Egress::check_host(std::string_view host) const {
  if (const auto literal = literal_of(host)) return check_address(host, *literal);
  if (is_metadata_name(host)) return denied(host, "it is a cloud's metadata service");
  if (const auto rule = matching_name(deny_.names, host); !rule.empty()) {
    return denied(host, "egress.deny has " + std::string(rule));
  }
  if (!matching_name(allow_.names, host).empty()) return {};
  // Its addresses may yet be allowed.
  if (!allow_.v4.empty() || !allow_.v6.empty()) return {};
  if (!allow_by_default_) return denied(host, "egress.default is deny");
  if (!allow_private_ && is_local_name(host)) {
    return denied(host, "egress.private is false, and it is this machine");
  }
  return {};
}

Result<> Egress::check_address(std::string_view host, const ip::address& whole) const {
  const AddressParts parts = parts_of(whole);
  const std::string text = whole.to_string();
  const std::string shown =
      text == host ? std::string(host) : std::string(host) + " (" + text + ")";
  if (is_no_host(parts)) return denied(shown, "the address is not one of a host");
  if (is_metadata(parts)) return denied(shown, "it is a cloud's metadata service");
  if (std::string block = block_with_any(deny_.v4, deny_.v6, parts); !block.empty()) {
    return denied(shown, "egress.deny has " + block);
  }
  if (const auto name = matching_name(deny_.names, host); !name.empty()) {
    return denied(shown, "egress.deny has " + std::string(name));
  }
  const bool link_local = is_link_local(parts);
  if (blocks_open(allow_.v4, allow_.v6, parts, link_local)) return {};
  if (link_local) {
    return denied(shown, "the address is link-local, and egress.allow does not name it");
  }
  if (!matching_name(allow_.names, host).empty()) return {};
  if (!allow_by_default_) return denied(shown, "egress.default is deny");
  if (!allow_private_ && is_private(parts)) {
    return denied(shown, "egress.private is false, and the address is private");
  }
  return {};
}

Result<> Egress::check_unresolved(std::string_view host, std::uint16_t port) const {
  const std::optional<ip::address> literal = literal_of(host);
  return literal ? check_endpoint(host, ip::tcp::endpoint(*literal, port)) : check_host(host);
}

Result<> Egress::check_proxied(std::string_view host, std::uint16_t port) const {
  if (Result<> ok = check_unresolved(host, port); !ok || literal_of(host)) return ok;
  if (allow_by_default_ || !matching_name(allow_.names, host).empty()) return {};
  return denied(host, "egress.default is deny, and only its name could open it behind a proxy");
}

Result<> Egress::check_endpoint(std::string_view host, const ip::tcp::endpoint& endpoint) const {
  for (const ip::tcp::endpoint& own : own_) {
    if (own.port() == endpoint.port() && is_own(own.address(), endpoint.address())) {
      return denied(host, "this server itself listens there");
    }
  }
  return check_address(host, endpoint.address());
}

}  // namespace carillon
