#include "net/url.h"

#include <algorithm>
#include <charconv>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/text.h"

namespace carillon {
namespace {

constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::size_t kHostBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;

Error bad_url(std::string detail) {
  return {.slug = "bad_url", .detail = std::move(detail), .field = {}};
}

bool is_label_char(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

/// Whether a resolver might take a name that ends in `label` for an address: 1, 0x7f, 0177.
bool looks_like_number(std::string_view label) {
  if (label.starts_with("0x")) return true;
  return std::ranges::all_of(label, is_digit);
}

Result<> check_name(std::string_view host) {
  if (host.size() > kHostBytesMax) return bad_url("the host is longer than 253 bytes");
  std::string_view rest = host;
  while (true) {
    const std::size_t dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    if (label.empty()) return bad_url("the host has an empty label");
    if (label.size() > kLabelBytesMax || label.front() == '-' || label.back() == '-' ||
        !std::ranges::all_of(label, is_label_char)) {
      return bad_url("the host is not a DNS name (letters, digits and inner hyphens)");
    }
    if (dot == std::string_view::npos) {
      if (looks_like_number(label)) {
        return bad_url("the host is a number but no IPv4 address in dotted decimal");
      }
      return {};
    }
    rest.remove_prefix(dot + 1);
  }
}

/// Boost.URL 1.81 takes a name that begins with an IPv4 address for that address, and 1.82 refuses
/// it (https://github.com/boostorg/url/issues/755). Behind a letter, such a host is a name to all
/// versions.
constexpr char kNameMark = 'n';

/// Whether the host at `host` begins with a digit and is no IPv4 address.
bool needs_mark(std::string_view text, std::size_t host) {
  const std::size_t end = std::min(text.find_first_of(":/?#", host), text.size());
  const std::string name(text.substr(host, end - host));
  if (name.empty() || !is_digit(name.front())) return false;
  boost::system::error_code error;
  boost::asio::ip::make_address_v4(name, error);
  return error.failed();
}

Result<> read_host(const boost::urls::url_view& from, bool marked, Url& url) {
  switch (from.host_type()) {
    case boost::urls::host_type::ipv4:
      url.host = std::string_view(from.encoded_host());
      return {};
    case boost::urls::host_type::ipv6:
      // Boost.URL 1.83 takes a zone, and drops it from the address.
      if (from.encoded_host().find('%') != std::string_view::npos) {
        return bad_url("an IPv6 address has no zone here");
      }
      url.host = boost::asio::ip::address_v6(from.host_ipv6_address().to_bytes()).to_string();
      return {};
    case boost::urls::host_type::name:
      url.host = lower_case(std::string_view(from.encoded_host()));
      if (marked) url.host.erase(0, 1);
      if (url.host.ends_with('.')) {
        url.host.pop_back();
        url.absolute = true;
      }
      if (url.host.empty()) return bad_url("it names no host");
      return check_name(url.host);
    default:
      return bad_url("the host is neither a DNS name nor an IP address");
  }
}

Result<> read_scheme(const boost::urls::url_view& from, const UrlSchemes& schemes, Url& url) {
  const std::string scheme = lower_case(std::string_view(from.scheme()));
  url.tls = scheme == schemes.tls;
  if (url.tls || scheme == schemes.plain) return {};
  return bad_url("the scheme is neither " + std::string(schemes.plain) + " nor " +
                 std::string(schemes.tls));
}

Result<> read_port(const boost::urls::url_view& from, const UrlSchemes& schemes, Url& url) {
  if (!from.has_port()) {
    url.port = url.tls ? schemes.tls_port : schemes.plain_port;
    return {};
  }
  const std::string_view text(from.port());
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0 || number > 65535) {
    return bad_url("the port is not a number from 1 to 65535");
  }
  url.port = std::to_string(number);
  return {};
}

/// Percent-encodes what programs leave as it is behind the host although RFC 3986 does not have it.
std::string encoded(std::string_view text) {
  const std::size_t host = std::min(text.find("://"), text.size() - 3) + 3;
  const std::size_t path = std::min(text.find_first_of("/?#", host), text.size());
  std::string out(text.substr(0, path));
  bool in_query = false;
  for (const char c : text.substr(path)) {
    in_query = in_query || c == '?';
    if (std::string_view("[]{}|^`").find(c) == std::string_view::npos && !(in_query && c == '\\')) {
      out.push_back(c);
      continue;
    }
    constexpr std::string_view kHex = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
  return out;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

std::string Url::origin() const {
  return (tls ? "https://" : "http://") + bracketed(lookup_name()) + ":" + port;
}

std::uint16_t Url::port_number() const {
  std::uint16_t number = 0;
  std::from_chars(port.data(), port.data() + port.size(), number);
  return number;
}

std::string Url::host_header() const {
  return port == (tls ? "443" : "80") ? bracketed(host) : bracketed(host) + ":" + port;
}

Result<Url> parse_url(std::string_view original, const UrlSchemes& schemes) {
  if (original.size() > kUrlBytesMax) return bad_url("a URL has at most 2048 bytes");
  if (!is_url(original)) return bad_url("it is not an absolute URL as RFC 3986 has it");
  std::string text = encoded(original);
  if (text.size() > kUrlBytesMax) return bad_url("a URL has at most 2048 bytes, percent-encoded");
  // Boost.URL 1.81 asserts what does not hold where a scheme and one character is all there is.
  if (std::string_view(text).substr(std::min(text.find(':'), text.size())).substr(0, 3) != "://") {
    return bad_url("it is not an absolute URL as RFC 3986 has it");
  }
  const std::size_t host = text.find("://") + 3;
  const bool marked = needs_mark(text, host);
  if (marked) text.insert(host, 1, kNameMark);
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return bad_url("it is not an absolute URL as RFC 3986 has it");
  const boost::urls::url_view& view = *parsed;
  Url url;
  if (Result<> ok = read_scheme(view, schemes, url); !ok) return ok.error();
  if (!view.has_authority()) return bad_url("it names no host");
  if (view.has_userinfo()) return bad_url("a user name or password in a URL is not taken");
  if (view.has_fragment()) return bad_url("a fragment (#...) is never sent and not taken");
  // Boost.URL 1.81 takes "http://[::1]evil.com/" for the host ::1 and a path behind it.
  const std::string_view path(view.encoded_path());
  if (!path.empty() && path.front() != '/') {
    return bad_url("what follows the IP address or port is not a path");
  }
  if (Result<> ok = read_host(view, marked, url); !ok) return ok.error();
  if (Result<> ok = read_port(view, schemes, url); !ok) return ok.error();
  url.path = std::string(std::string_view(view.encoded_target()));
  if (!url.path.starts_with('/')) url.path.insert(0, 1, '/');
  return url;
}

}  // namespace carillon
