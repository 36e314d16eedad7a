#include "http/host_rule.h"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

#include "base/text.h"

namespace carillon {
namespace {

namespace ip = boost::asio::ip;

/// In lower case, without the dot that makes it absolute.
std::string normal_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return lower_case(name);
}

bool is_port(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "[::1]:8080": an IPv6 address in brackets, perhaps with a port.
bool is_ipv6_authority(std::string_view authority) {
  const std::size_t end = authority.find(']');
  if (end == std::string_view::npos) return false;
  const std::string_view rest = authority.substr(end + 1);
  boost::system::error_code ec;
  ip::make_address_v6(std::string(authority.substr(1, end - 1)), ec);
  return !ec && (rest.empty() || (rest.front() == ':' && is_port(rest.substr(1))));
}

}  // namespace

HostRule::HostRule(std::span<const std::string> names) {
  for (const std::string& name : names) names_.push_back(normal_name(name));
  names_.emplace_back("localhost");
}

bool HostRule::serves(std::string_view authority) const {
  if (authority.starts_with('[')) return is_ipv6_authority(authority);
  const std::size_t colon = authority.find(':');
  if (colon != std::string_view::npos && !is_port(authority.substr(colon + 1))) return false;
  const std::string name = normal_name(authority.substr(0, colon));
  if (std::ranges::find(names_, name) != names_.end()) return true;
  boost::system::error_code ec;
  ip::make_address_v4(name, ec);
  return !ec;
}

Result<> check_host_name(std::string_view name) {
  const auto allowed = [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
  };
  if (!name.empty() && !name.starts_with('.') && std::ranges::all_of(name, allowed)) return {};
  return Error{"config",
               "\"" + std::string(name) +
                   "\" is not a host name; write it as \"timers.example.com\", without scheme, "
                   "port and path",
               "http.hosts"};
}

}  // namespace carillon
