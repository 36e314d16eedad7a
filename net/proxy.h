// A proxy that pushes go out through, where the network lets nobody out directly.
//
// Operation: an https push opens a tunnel (CONNECT, RFC 9110, 9.3.6) and speaks TLS with the
// receiver inside it; an http push asks the proxy for the whole URL (absolute form, RFC 9112,
// 3.2.2). The proxy looks the receiver's name up, so of the egress rules those on names and on
// literal addresses can hold, and no others.
//
// Limitations: HTTP/1.1 to the proxy, in the clear; Basic credentials.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carillon {

struct Proxy {
  std::string host;  // as of Url
  std::string lookup_name;
  std::uint16_t port = 0;
  std::string authorization;  // the value of Proxy-Authorization; empty: none is sent
  friend bool operator==(const Proxy&, const Proxy&) = default;
};

/// `url` is "http://host:port"; empty: no proxy. `credentials` is "user:password", or empty. Error
/// slug: config.
[[nodiscard]] Result<std::optional<Proxy>> make_proxy(std::string_view url,
                                                      std::string_view credentials);

/// Whether `host` is this machine, to which no push goes by a proxy.
[[nodiscard]] bool is_this_machine(std::string_view host);

/// The head of a request for a tunnel to `authority` ("example.com:443").
[[nodiscard]] std::string connect_request(const Proxy& proxy, std::string_view authority);

/// What a proxy answered to a request for a tunnel, from what came in so far.
struct TunnelAnswer {
  enum class Progress { need_more, open, refused };
  Progress progress = Progress::need_more;
  std::string why;  // of a refusal
};
[[nodiscard]] TunnelAnswer read_tunnel_answer(std::string_view bytes);

}  // namespace carillon
