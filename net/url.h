// One strict parser for the URLs of receivers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carillon {

/// Whether a target is meant as a URL and not as a name; parse_url tells whether it is one.
[[nodiscard]] inline bool is_url(std::string_view target) {
  return target.find("://") != std::string_view::npos;
}

/// The schemes of one kind of receiver, without and with TLS, and their default ports.
struct UrlSchemes {
  std::string_view plain;
  std::string_view tls;
  std::string_view plain_port;
  std::string_view tls_port;
};
inline constexpr UrlSchemes kHttpSchemes{"http", "https", "80", "443"};

/// An absolute URL, taken apart. No userinfo, no fragment; the host is a DNS name, an
/// IPv4 address in dotted decimal (no octal, hex or short forms) or a bracketed IPv6 address.
/// What JavaScript's URL leaves as it is in a path or query, and RFC 3986 does not have there
/// ("[]{}|^`", and "\\" in a query), is taken and percent-encoded.
struct Url {
  bool tls = false;
  std::string host;       // lower case, without brackets, without a dot at the end
  bool absolute = false;  // there was such a dot: the name is looked up as it is, and no other
  std::string port;       // always set: the scheme's where the URL has none
  std::string path;       // with the query, from "/" on; never empty

  /// "https://example.com:443": what connections are pooled by. With the dot of an absolute name.
  /// Of http and https.
  [[nodiscard]] std::string origin() const;
  [[nodiscard]] std::uint16_t port_number() const;
  /// The host as a resolver is to look it up.
  [[nodiscard]] std::string lookup_name() const { return absolute ? host + "." : host; }
  /// The Host header: with brackets around IPv6, without a default port.
  [[nodiscard]] std::string host_header() const;
};

/// Error slug: bad_url. At most 2,048 bytes, percent-encoded.
[[nodiscard]] Result<Url> parse_url(std::string_view text,
                                    const UrlSchemes& schemes = kHttpSchemes);

}  // namespace carillon
