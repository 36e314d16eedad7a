// Which names a server that asks for no tokens answers to.
//
// A web page can give its own name the address 127.0.0.1 once a browser has loaded it. Requests of
// the page to that name then reach this server, and to the browser they are not cross-origin. What
// gives them away is the Host header, which still has the page's name. So without tokens only
// requests for `localhost`, for an IP address or for a configured name are served. With tokens it
// makes no difference: a page does not know them.
//
// Limitations: a unix socket needs no such rule, since no web page can reach it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace carillon {

class HostRule {
 public:
  /// Serves `localhost`, IP addresses and `names`, which check_host_name has accepted.
  explicit HostRule(std::span<const std::string> names);

  /// Whether to serve a request for `authority`, the value of a Host header: a host, perhaps with a
  /// port. Letter case and a dot at the end of a name make no difference.
  [[nodiscard]] bool serves(std::string_view authority) const;

 private:
  std::vector<std::string> names_;
};

/// Whether `name` can be one of `http.hosts`: a DNS name without scheme, port and path. Error slug:
/// config.
[[nodiscard]] Result<> check_host_name(std::string_view name);

}  // namespace carillon
