// Where a server is, as a person writes it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace carillon::client {

/// A server's address: "http://host:port", "https://host[:port]" or "unix:PATH".
struct Endpoint {
  bool tls = false;
  std::string host;  // the Host header's name too
  std::string port;
  std::string unix_path;  // set: a unix socket, and the two above are only for the Host header
};

/// Reads one of the three forms; a path after the authority is refused. Error slug: bad_server.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

/// `text` with everything but RFC 3986's unreserved characters escaped: one segment of a path, or
/// one value of a query.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace carillon::client
