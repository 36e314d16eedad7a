#include "server/listen.h"

#include <charconv>

#include <boost/asio/ip/address.hpp>

namespace carillon {
namespace {

/// An address that is written down, or the one name that means this machine.
bool is_loopback(const ListenAddress& address) {
  if (!address.unix_path.empty() || address.host == "localhost") return true;
  boost::system::error_code error;
  const auto ip = boost::asio::ip::make_address(address.host, error);
  return !error && ip.is_loopback();
}

/// "0660". Error slug `config`.
Result<unsigned> parse_mode(std::string_view text) {
  constexpr unsigned kAllBits = 0777;
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error == std::errc() && end == text.data() + text.size() && mode <= kAllBits) return mode;
  return Error{.slug = "config",
               .detail = "listen_mode \"" + std::string(text) +
                         "\" is not a file mode; write it in octal, as in \"0660\"",
               .field = "listen_mode"};
}

Error reachable_without_token(const std::string& text) {
  return {.slug = "config",
          .detail = "other machines can reach " + text +
                    ", and no token is set: add [[tokens]] to the config file, or say --insecure",
          .field = "listen"};
}

}  // namespace

Result<ListenAddress> parse_listen(std::string_view text) {
  const Error bad{
      .slug = "config",
      .detail = "listen \"" + std::string(text) + "\" is not HOST:PORT, [IPv6]:PORT or unix:PATH",
      .field = "listen"};
  ListenAddress address;
  if (text.starts_with("unix:")) {
    address.unix_path = text.substr(5);
    // The kernel's sockaddr_un holds 108 bytes with the terminating zero.
    if (address.unix_path.empty() || address.unix_path.size() > 107) return bad;
    return address;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return bad;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != host.npos) {
    return bad;
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (host.empty() || error != std::errc() || end != port.data() + port.size()) return bad;
  address.host = host;
  return address;
}

Result<std::vector<ListenAddress>> listen_addresses(const Options& options) {
  constexpr unsigned kOwner = 0700;
  constexpr unsigned kOwnerAndGroup = 0770;
  Result<unsigned> mode = options.listen_group.empty() ? kOwner : kOwnerAndGroup;
  if (!options.listen_mode.empty()) mode = parse_mode(options.listen_mode);
  if (!mode) return mode.error();
  const bool open_to_all = options.api.tokens.empty() && !options.insecure;

  std::vector<ListenAddress> all;
  for (const bool probes_only : {false, true}) {
    for (const std::string& text : probes_only ? options.probe_listen : options.listen) {
      Result<ListenAddress> address = parse_listen(text);
      if (!address) return address.error();
      address->probes_only = probes_only;
      address->unix_mode = *mode;
      address->unix_group = options.listen_group;
      // Probes tell counts and names of targets, and change nothing.
      address->loopback_only = open_to_all && !probes_only;
      if (address->loopback_only && !is_loopback(*address)) return reachable_without_token(text);
      all.push_back(std::move(*address));
    }
  }
  return all;
}

}  // namespace carillon
